#include "core/score/rfm.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace clientele {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(RfmScores, BreaksAreInclusiveLowerBounds) {
    constexpr Breaks breaks = {10, 20, 30, 40};
    const std::vector<std::pair<double, int>> rising = {{-infinity, 1}, {9.999, 1}, {10, 2}, {19, 2}, {20, 3},
                                                        {30, 4},        {39, 4},    {40, 5}, {41, 5}, {infinity, 5}};
    for (const auto& [value, score] : rising) {
        EXPECT_EQ(rising_score(value, breaks), score) << value;
        EXPECT_EQ(falling_score(value, breaks), 6 - score) << value;
    }
}

TEST(RfmScores, EqualBreaksLeaveBinsEmpty) {
    constexpr Breaks breaks = {1, 1, 1, 2};
    EXPECT_EQ(rising_score(0, breaks), 1);
    EXPECT_EQ(rising_score(1, breaks), 4);
    EXPECT_EQ(rising_score(2, breaks), 5);
}

TEST(RfmBreaks, RefusesWhatAreNoBreaks) {
    for (const std::vector<double>& breaks : {std::vector<double>{},
                                              {1, 2, 3},
                                              {1, 2, 3, 4, 5},
                                              {1, 2, 4, 3},
                                              {1, 2, 3, nan},
                                              {nan, 1, 2, 3},
                                              {1, 2, 3, infinity},
                                              {-infinity, 1, 2, 3}}) {
        EXPECT_THROW(checked_breaks(breaks, "breaks"), Error);
    }
    EXPECT_EQ(checked_breaks(std::vector<double>{-1, -1, 0, 1e300}, "breaks"), (Breaks{-1, -1, 0, 1e300}));
    try {
        checked_breaks(std::vector<double>{1, 2, 0.1, 3}, "breaks.r");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message, "breaks.r must be in ascending order");
        EXPECT_EQ(error.detail, "Element 3, 0.1, is below element 2, 2.");
    }
}

std::string shortest(double value) {
    char text[shortest_decimal_room];
    write_shortest_decimal(value, text);
    return text;
}

TEST(RfmMoney, ShortestDecimal) {
    EXPECT_EQ(shortest(0.1), "1e-01");
    EXPECT_EQ(shortest(-255.8), "-2.558e+02");
    EXPECT_EQ(shortest(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
    EXPECT_EQ(shortest(-std::numeric_limits<double>::min()), "-2.2250738585072014e-308");
}

TEST(RfmMoney, ThresholdsAreExact) {
    const MoneySum far = static_cast<MoneySum>(1'000'000'000'000'000) * 1'000'000'000'000'000;
    const std::vector<std::pair<double, MoneySum>> cases = {
        {0, 0},
        {-0.0, 0},
        {1, 10'000},
        {0.1, 1'000},
        {0.3, 3'000},
        {506.4, 5'064'000},
        {-0.1, -1'000},
        {0.0001, 1},
        // between two sums of money: the upper one
        {0.00001, 1},
        {0.00011, 2},
        {-0.00001, 0},
        {-0.00011, -1},
        {5e-324, 1},
        {-5e-324, 0},
        {1.0 / 3, 3'334},
        {506.40000000000009, 5'064'001},
        {1e12, 10'000'000'000'000'000},
        {1e300, far},
        {-1e300, -far},
        {1e25, static_cast<MoneySum>(100'000'000'000'000'000) * 1'000'000'000'000}};
    for (const auto& [edge, threshold] : cases) {
        EXPECT_TRUE(money_thresholds({edge, edge, edge, edge})[3] == threshold) << edge;
    }
}

std::string text_of(MoneySum money) {
    const bool negative = money < 0;
    auto rest = negative ? -static_cast<unsigned __int128>(money) : static_cast<unsigned __int128>(money);
    std::string digits;
    for (; rest != 0; rest /= 10) digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    return (negative ? "-" : "") + digits + "e-4";
}

// The C library reads decimals correctly rounded.
TEST(RfmMoney, ToDoubleIsTheNearest) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 200'000; ++round) {
        MoneySum money =
            static_cast<MoneySum>(static_cast<std::int64_t>(random())) * static_cast<std::int64_t>(random());
        money >>= random() % 120;
        if (money == 0) continue;
        EXPECT_EQ(to_double(money), std::strtod(text_of(money).c_str(), nullptr)) << text_of(money);
    }
    EXPECT_EQ(to_double(0), 0.0);
    // halfway between two doubles: to the even one
    for (const std::int64_t odd : {1, 3, 5, -1, -3}) {
        const MoneySum halfway = (static_cast<MoneySum>(std::int64_t{1} << 54) + 2 * odd) * 10'000 / 1;
        for (const int off : {-1, 0, 1}) {
            EXPECT_EQ(to_double(halfway + off), std::strtod(text_of(halfway + off).c_str(), nullptr));
        }
    }
}

// percentile_cont, as PostgreSQL computes it over sorted values.
template <class Value>
double percentile_cont(std::vector<Value> values, double share) {
    std::ranges::sort(values);
    const double rank = share * static_cast<double>(values.size() - 1);
    const auto first = static_cast<double>(values[static_cast<std::size_t>(std::floor(rank))]);
    const auto second = static_cast<double>(values[static_cast<std::size_t>(std::ceil(rank))]);
    if (std::floor(rank) == std::ceil(rank)) return first;
    return first + ((rank - std::floor(rank)) * (second - first));
}

template <class Value>
void expect_quintiles(std::vector<Value> values) {
    const std::vector<Value> before = values;
    for (int again = 0; again < 2; ++again) {
        for (int which = 0; which < break_count; ++which) {
            const double share = std::array{0.2, 0.4, 0.6, 0.8}[static_cast<std::size_t>(which)];
            EXPECT_EQ(next_quintile(std::span<Value>(values), which), percentile_cont(before, share)) << values.size();
        }
    }
    EXPECT_TRUE(std::ranges::is_permutation(values, before));
}

TEST(RfmQuintiles, AsPercentileCont) {
    std::mt19937_64 random(11);
    for (int round = 0; round < 400; ++round) {
        const std::size_t count = 1 + (round < 40 ? static_cast<std::size_t>(round) : random() % 300);
        const std::int64_t kinds = 1 + static_cast<std::int64_t>(random() % (round % 3 == 0 ? 3 : 1'000));  // many ties
        std::vector<std::int32_t> days;
        std::vector<std::int64_t> counts;
        std::vector<double> money;
        for (std::size_t i = 0; i < count; ++i) {
            const auto value = static_cast<std::int64_t>(random()) % kinds;
            days.push_back(static_cast<std::int32_t>(value));
            counts.push_back(1'000'000'000'000 - std::abs(value));
            money.push_back(static_cast<double>(value) / 100);
        }
        expect_quintiles(days);
        expect_quintiles(counts);
        expect_quintiles(money);
    }
}

}  // namespace
}  // namespace clientele
