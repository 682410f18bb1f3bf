#include "core/base/text.hpp"

#include <algorithm>
#include <charconv>

#include "core/base/format.hpp"

namespace clientele {
namespace {

std::string_view view(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }

char* write_digits(char* at, unsigned __int128 value) {
    const auto small = static_cast<std::uint64_t>(value);  // divided in a fraction of the time
    return value <= UINT64_MAX ? fmt::format_to(at, FMT_COMPILE("{}"), small)
                               : fmt::format_to(at, FMT_COMPILE("{}"), value);
}

}  // namespace

Text& Text::add(std::string_view text) {
    const std::size_t room = size_ < buffer_.size() ? buffer_.size() - size_ : 0;
    std::copy_n(text.data(), std::min(text.size(), room), buffer_.data() + (room > 0 ? size_ : 0));
    size_ += text.size();
    return *this;
}

Text& Text::add_decimal(__int128 value, int decimals) {
    const auto bits = static_cast<unsigned __int128>(value);
    char digits[64];
    char* const zeros_end = std::fill_n(digits, 16, '0');
    const char* const end = write_digits(zeros_end, value < 0 ? -bits : bits);
    const char* const point = end - decimals;
    if (value < 0) add('-');
    add(view(point > zeros_end ? zeros_end : point - 1, point));
    return decimals > 0 ? add('.').add(view(point, end)) : *this;
}

Text& Text::add_number(std::int64_t value) {
    const fmt::format_int digits(value);
    return add({digits.data(), digits.size()});
}

Text& Text::add_padded(std::int64_t value, int width) {
    char digits[32];
    return add(view(digits, fmt::format_to(digits, FMT_COMPILE("{:0{}}"), value, width)));
}

Text& Text::add_double(double value) {
    char digits[32];
    return add(view(digits, std::to_chars(digits, digits + sizeof digits, value).ptr));
}

Text& Text::add_fixed(double value, int decimals) {
    char digits[400];
    const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed, decimals).ptr;
    return add(view(digits, end));
}

Text& Text::add_day(Day day) {
    const std::chrono::year_month_day date = civil_date(day);
    char digits[32];
    return add(view(digits, fmt::format_to(digits, FMT_COMPILE("{:04}-{:02}-{:02}"), static_cast<int>(date.year()),
                                           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()))));
}

Text& Text::add_clock(int second_of_day) {
    char digits[32];
    return add(view(digits, fmt::format_to(digits, FMT_COMPILE("{:02}:{:02}:{:02}"), second_of_day / 3'600,
                                           second_of_day / 60 % 60, second_of_day % 60)));
}

}  // namespace clientele
