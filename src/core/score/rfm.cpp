#include "core/score/rfm.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

#include "core/base/error.hpp"
#include "core/base/format.hpp"

namespace clientele {
namespace {

constexpr const char* breaks_hint =
    "Breaks are four ascending numbers, the inclusive lower bounds of the second to the fifth bin, such as "
    "ARRAY[10, 20, 30, 40].";

// Beyond every sum that a profile can hold, which is below 10^13 × 10^12 × 10,000.
constexpr MoneySum beyond_all_sums = [] {
    MoneySum value = 1;
    for (int digit = 0; digit < 30; ++digit) value *= 10;
    return value;
}();

// digits × 10^exponent, rounded up to an integer. digits has at most 17 digits.
MoneySum ceiling(std::int64_t digits, int exponent) {
    if (digits == 0) return 0;
    MoneySum value = digits;
    for (; exponent > 0; --exponent) {
        value *= 10;
        if (value >= beyond_all_sums) return beyond_all_sums;
        if (value <= -beyond_all_sums) return -beyond_all_sums;
    }
    bool exact = true;
    for (; exponent < 0 && value != 0; ++exponent) {
        exact = exact && value % 10 == 0;
        value /= 10;
    }
    return value + (!exact && digits > 0);  // division rounds towards zero: up, where negative
}

MoneySum money_threshold(double edge) {
    char text[shortest_decimal_room];
    write_shortest_decimal(edge, text);
    std::int64_t digits = 0;
    int exponent = money_decimals;
    bool negative = false, fraction = false;
    for (const char* at = text; *at != '\0'; ++at) {
        if (*at == '-') {
            negative = true;
        } else if (*at == '.') {
            fraction = true;
        } else if (*at == 'e') {
            exponent += std::atoi(at + 1);
            break;
        } else {
            digits = 10 * digits + (*at - '0');
            exponent -= fraction;
        }
    }
    return ceiling(negative ? -digits : digits, exponent);
}

}  // namespace

Breaks checked_breaks(std::span<const double> breaks, const char* name) {
    if (breaks.size() != break_count) {
        throw Error(ErrorKind::invalid_parameter, std::string(name) + " must have exactly 4 elements",
                    fmt::format("It has {}.", breaks.size()), breaks_hint);
    }
    Breaks checked{};
    for (std::size_t i = 0; i < break_count; ++i) {
        if (!std::isfinite(breaks[i])) {
            throw Error(ErrorKind::invalid_parameter, std::string(name) + " must be finite",
                        fmt::format("Element {} is {}.", i + 1, shown(breaks[i])), breaks_hint);
        }
        if (i > 0 && breaks[i] < breaks[i - 1]) {
            throw Error(ErrorKind::invalid_parameter, std::string(name) + " must be in ascending order",
                        fmt::format("Element {}, {}, is below element {}, {}.", i + 1, shown(breaks[i]), i,
                                    shown(breaks[i - 1])),
                        breaks_hint);
        }
        checked[i] = breaks[i];
    }
    return checked;
}

void write_shortest_decimal(double value, std::span<char, shortest_decimal_room> out) {
    *std::to_chars(out.data(), out.data() + out.size() - 1, value, std::chars_format::scientific).ptr = '\0';
}

MoneyBreaks money_thresholds(const Breaks& breaks) {
    MoneyBreaks thresholds{};
    std::ranges::transform(breaks, thresholds.begin(), money_threshold);
    return thresholds;
}

// Below 2^53 both operands are exact, and the division rounds once. Above, the quotient keeps more bits than a double
// has, the last one standing for all that was lost, and the conversion rounds once.
double to_double(MoneySum money) {
    constexpr int unit = 10'000;
    constexpr MoneySum exact = MoneySum{1} << 53;
    if (money > -exact && money < exact) return static_cast<double>(static_cast<std::int64_t>(money)) / unit;
    using Magnitude = unsigned __int128;
    Magnitude magnitude = money < 0 ? -static_cast<Magnitude>(money) : static_cast<Magnitude>(money);
    const int shift = magnitude < Magnitude{1} << 100 ? 24 : 0;
    magnitude <<= shift;
    const Magnitude quotient = magnitude / unit | static_cast<Magnitude>(magnitude % unit != 0);
    const double value = std::ldexp(static_cast<double>(quotient), -shift);
    return money < 0 ? -value : value;
}

template <class Value>
double next_quintile(std::span<Value> values, int which) {
    static constexpr double shares[] = {0.2, 0.4, 0.6, 0.8};
    const auto last_rank = static_cast<double>(values.size() - 1);
    const auto rank_of = [&](int quintile) {
        return static_cast<std::ptrdiff_t>(std::floor(shares[quintile] * last_rank));
    };
    const auto rank = rank_of(which);
    // What stands before the last quintile's rank is no greater than what follows.
    const auto begin = values.begin() + (which == 0 ? 0 : rank_of(which - 1));
    const auto lower = values.begin() + rank;
    std::nth_element(begin, lower, values.end());
    const double proportion = shares[which] * last_rank - std::floor(shares[which] * last_rank);
    const auto low = static_cast<double>(*lower);
    if (std::ceil(shares[which] * last_rank) == static_cast<double>(rank)) return low;
    const auto high = static_cast<double>(*std::min_element(lower + 1, values.end()));
    return low + (proportion * (high - low));
}

template double next_quintile(std::span<std::int32_t>, int);
template double next_quintile(std::span<std::int64_t>, int);
template double next_quintile(std::span<double>, int);

}  // namespace clientele
