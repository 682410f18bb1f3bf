// Text written into memory that somebody else owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/calendar.hpp"

namespace clientele {

// Appends to a buffer that it does not own; what does not fit is only counted, as snprintf does.
class Text {
  public:
    explicit Text(std::span<char> buffer) : buffer_(buffer) {}

    Text& add(std::string_view text);
    Text& add(char character) { return add(std::string_view(&character, 1)); }
    // value / 10^decimals, with all its decimals.
    Text& add_decimal(__int128 value, int decimals);
    Text& add_number(std::int64_t value);
    // With zeros in front of it, where it has fewer digits.
    Text& add_padded(std::int64_t value, int width);
    // The shortest form that reads back as the same double.
    Text& add_double(double value);
    Text& add_fixed(double value, int decimals);
    Text& add_day(Day day);
    // hh:mm:ss
    Text& add_clock(int second_of_day);

    // Bytes added, also those that did not fit.
    std::size_t size() const { return size_; }

  private:
    std::span<char> buffer_;
    std::size_t size_ = 0;
};

}  // namespace clientele
