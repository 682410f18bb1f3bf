// Values of a book, which is jsonb: each is read with the check that it needs, and refused by its key.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/calendar.hpp"
#include "pg/kit/postgres.hpp"

namespace clientele {

// An object within the book, and how errors speak of it.
struct BookSource {
    JsonbContainer* object;
    std::string_view program = {};  // empty: the book itself
    std::string_view arm = {};      // empty: the program itself
};

// Raises an ERROR: the key's value (nullptr: none), and what would be accepted.
[[noreturn]] void refuse(const BookSource& source, const char* key, const JsonbValue* value, const char* accepted);

// Catches a misspelt key before it is taken for an absent one; an unknown key without a value does no harm.
void check_keys(const BookSource& source, std::span<const std::string_view> known);

// A key's value; nullptr where it is absent or null.
JsonbValue* lookup(const BookSource& source, const char* key);
bool is_present(const BookSource& source, const char* key);

std::string_view text_in(const JsonbValue* value);
char* terminated(std::string_view text);

// A text without data where it is absent.
std::string_view optional_text(const BookSource& source, const char* key);
// One that is not empty.
std::string_view required_text(const BookSource& source, const char* key);

Numeric numeric_in(const BookSource& source, const char* key, const JsonbValue* value);
double double_in(const BookSource& source, const char* key, const JsonbValue* value);

// A number in units of 1/unit, of which it must be a whole number from `from` to `to`.
struct Range {
    std::int64_t unit, from, to;
    const char* accepted;
};
std::int64_t whole_in(const BookSource& source, const char* key, const JsonbValue* value, const Range& range);

// A share from 0 to below 1; 0 where it is absent.
double holdout_in(const BookSource& source, const char* key, const char* accepted);

// An instant that is the same whatever the session's settings are; `otherwise` where it is absent.
Instant instant_in(const BookSource& source, const char* key, Instant otherwise);

// An array of `least` to `most` elements.
JsonbContainer* list_in(const BookSource& source, const char* key, const JsonbValue* value, std::uint32_t least,
                        std::uint32_t most, const char* accepted);

// One of the objects that make up the value, which is such an array.
BookSource object_in(const BookSource& source, const char* key, const JsonbValue* value, std::uint32_t index,
                     const char* accepted);

}  // namespace clientele
