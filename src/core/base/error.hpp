// The errors of the core: what was wrong, with which value, and what would be accepted.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace clientele {

// What kind of mistake it was; the boundary maps each kind to an SQLSTATE.
enum class ErrorKind {
    invalid_parameter,  // 22023
    numeric_range,      // 22003
    datetime_range,     // 22008
    invalid_text,       // 22P02
    invalid_binary,     // 22P03
    data_mismatch,      // 22000: two values that do not go together
};

class Error : public std::exception {
  public:
    Error(ErrorKind kind, std::string message, std::string detail = {}, std::string hint = {})
        : kind(kind), message(std::move(message)), detail(std::move(detail)), hint(std::move(hint)) {}

    const char* what() const noexcept override { return message.c_str(); }

    ErrorKind kind;
    std::string message;
    std::string detail;
    std::string hint;
};

// A number as errors show it: the shortest decimal that reads back as this value, and PostgreSQL's names for NaN and
// infinity.
std::string shown(double value);

}  // namespace clientele
