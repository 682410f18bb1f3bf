// RFM scores: recency, frequency and monetary value from 1 to 5, against four visible breaks each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/profile/profile.hpp"

namespace clientele {

constexpr int break_count = 4;  // five bins

using Breaks = std::array<double, break_count>;

// Refuses what is not four finite numbers in ascending order (equal ones are fine); name: whose they are.
Breaks checked_breaks(std::span<const double> breaks, const char* name);

// 1 + the number of breaks at or below the value: a break is the inclusive lower bound of the next bin.
template <class Value, class Edges>
int rising_score(Value value, const Edges& breaks) {
    int score = 1;
    for (const auto edge : breaks) score += edge <= value;
    return score;
}

// The other way round, for recency: a break is where the next worse bin begins.
template <class Value, class Edges>
int falling_score(Value value, const Edges& breaks) {
    return break_count + 2 - rising_score(value, breaks);
}

// The shortest decimal that reads as this number, terminated: it is what the number stands for where money is compared
// with it, so that 0.1 is a dime and not 0.1000000000000000055.
constexpr std::size_t shortest_decimal_room = 32;
void write_shortest_decimal(double value, std::span<char, shortest_decimal_room> out);

// The smallest sum of money at or above that decimal: `sum >= threshold` decides `sum >= decimal` exactly.
using MoneyBreaks = std::array<MoneySum, break_count>;
MoneyBreaks money_thresholds(const Breaks& breaks);

// The double nearest to a sum of money, in units of the currency.
double to_double(MoneySum money);

// A population's quintiles, with linear interpolation: percentile_cont(0.2), (0.4), (0.6), (0.8) of SQL, bit for bit.
// Hyndman and Fan (1996), "Sample quantiles in statistical packages", definition 7. Needs a value; reorders the values.
// One quintile a call, so that the caller can look for interrupts: `which` runs from 0 to 3, in this order, over the
// same values.
template <class Value>
double next_quintile(std::span<Value> values, int which);

extern template double next_quintile(std::span<std::int32_t>, int);
extern template double next_quintile(std::span<std::int64_t>, int);
extern template double next_quintile(std::span<double>, int);

}  // namespace clientele
