#include "core/report/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace clientele {

namespace {

constexpr std::string_view thin_space = "\u202f";
constexpr std::string_view minus_sign = "\u2212";
constexpr std::string_view dash = "\u2013";

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The code point that starts at a place, which moves behind it. Databases hold valid UTF-8; anything else becomes the
// replacement character.
std::uint32_t next_character(std::string_view utf8, std::size_t& at) {
    const auto first = static_cast<unsigned char>(utf8[at++]);
    if (first < 0x80) return first;
    const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    std::uint32_t point = first & (0x3F >> more);
    for (std::size_t i = 0; i < more; ++i) {
        if (at == utf8.size() || !continues(utf8[at])) return 0xFFFD;
        point = point << 6 | (static_cast<unsigned char>(utf8[at++]) & 0x3F);
    }
    return point;
}

// HTML knows no control characters but white space.
bool is_control(std::uint32_t point) {
    return (point < 0x20 && point != '\n' && point != '\t') || (point >= 0x7F && point < 0xA0);
}

std::string_view reference(char character) {
    switch (character) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\'':
            return "&#39;";
        default:
            return {};
    }
}

std::string fixed(double value, int decimals) {
    std::array<char, 400> digits;
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed, decimals);
    return {digits.data(), end.ptr};
}

bool is_plain_decimal(std::string_view number) {
    if (number.starts_with('-')) number.remove_prefix(1);
    return !number.empty() && number.find_first_not_of("0123456789.") == std::string_view::npos &&
           std::ranges::count(number, '.') <= 1 && number.front() != '.';
}

// Adds one to the last digit of a decimal without sign.
void round_up(std::string& digits) {
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
        if (*digit == '.') continue;
        if (*digit != '9') {
            ++*digit;
            return;
        }
        *digit = '0';
    }
    digits.insert(0, 1, '1');
}

// A decimal without sign, rounded half away from zero to a number of decimals, digit by digit.
std::string rounded(std::string digits, std::size_t decimals) {
    std::size_t point = digits.find('.');
    if (point == std::string::npos) {
        point = digits.size();
        digits += '.';
    }
    digits.resize(std::max(digits.size(), point + decimals + 2), '0');
    const bool up = digits[point + decimals + 1] >= '5';
    digits.resize(decimals == 0 ? point : point + decimals + 1);
    if (up) round_up(digits);
    return digits;
}

std::string grouped(const std::string& digits) {
    const std::size_t whole = std::min(digits.find('.'), digits.size());
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0) text += thin_space;
        text += digits[i];
    }
    return text;
}

// Of a number as PostgreSQL prints it. Those with an exponent are too large or too small for their digits to matter.
std::string decimal(std::string number, int decimals) {
    if (!is_plain_decimal(number)) {
        const std::optional<double> value = number_in(number);
        if (!value) return number;
        number = fixed(*value, std::max(decimals, 0));
    }
    const bool negative = number.starts_with('-');
    if (negative) number.erase(0, 1);
    const std::string digits = rounded(number, static_cast<std::size_t>(decimals));
    const bool zero = digits.find_first_not_of("0.") == std::string::npos;
    return (negative && !zero ? std::string(minus_sign) : std::string()) + grouped(digits);
}

// Three digits that count.
int decimals_of(double value) {
    const double size = std::abs(value);
    return size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
}

}  // namespace

Markup& Markup::words(std::string_view utf8) {
    for (std::size_t at = 0; at < utf8.size();) {
        const std::uint32_t point = next_character(utf8, at);
        if (is_control(point)) {
            text_ += "&#xFFFD;";
        } else if (point >= 0x80) {
            text_ += "&#" + std::to_string(point) + ";";
        } else if (const std::string_view name = reference(static_cast<char>(point)); !name.empty()) {
            text_ += name;
        } else {
            text_ += static_cast<char>(point);
        }
    }
    return *this;
}

Markup& Markup::length(double value, std::string_view unit) {
    std::string number = fixed(value, 2);
    number.erase(number.find_last_not_of('0') + 1);
    if (number.ends_with('.')) number.pop_back();
    return *this << (number == "-0" ? "0" : number) << unit;
}

std::size_t length_of(std::string_view utf8) {
    return static_cast<std::size_t>(std::ranges::count_if(utf8, [](char byte) { return !continues(byte); }));
}

std::string shortened(std::string_view utf8, std::size_t characters) {
    if (length_of(utf8) <= characters) return std::string(utf8);
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < characters; ++i) next_character(utf8, at);
    return std::string(utf8.substr(0, at)) + "\u2026";
}

std::optional<double> number_in(const Cell& cell) {
    if (!cell) return {};
    double value = 0;
    const auto [end, error] = std::from_chars(cell->data(), cell->data() + cell->size(), value);
    if (error != std::errc() || end != cell->data() + cell->size() || !std::isfinite(value)) return {};
    return value;
}

std::string readable(const Cell& cell, Format format, const Currency& currency) {
    if (!cell) return std::string(dash);
    const std::optional<double> value = number_in(cell);
    if (format == Format::text || format == Format::customer || !value) return *cell;
    switch (format) {
        case Format::count:
        case Format::people:
            return decimal(*cell, 0);
        case Format::share:
            return decimal(fixed(100 * *value, 6), 1) + std::string(thin_space) + "%";
        case Format::money:
            return decimal(*cell, currency.decimals);
        default:
            return decimal(*cell, decimals_of(*value));
    }
}

std::string compact(double value, Format format) {
    if (format == Format::share) return compact(100 * value, Format::number) + std::string(thin_space) + "%";
    constexpr std::array<std::string_view, 6> units = {"", "k", "M", "G", "T", "P"};
    std::size_t unit = 0;
    while (std::abs(value) >= 999.5 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    std::string digits = fixed(std::abs(value), std::abs(value) >= 99.95                 ? 0
                                                : std::abs(value) >= 0.995 || value == 0 ? 1
                                                                                         : 2);
    if (digits.find('.') != std::string::npos) {
        digits.erase(digits.find_last_not_of('0') + 1);
        if (digits.ends_with('.')) digits.pop_back();
    }
    return (value < 0 && digits != "0" ? std::string(minus_sign) : std::string()) + digits + std::string(units[unit]);
}

}  // namespace clientele
