#include "core/response/order_value.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core/base/error.hpp"
#include "core/response/order_rate.hpp"

namespace clientele {
namespace {

constexpr ValuePrior store{4, 0.12, 3.7, 0.30};

Summary profile_with(const std::vector<double>& amounts) {
    Summary profile;
    for (const double amount : amounts) {
        profile.recent[profile.recent_count++] = {profile.recent_count, std::llround(amount * 10'000)};
    }
    return profile;
}

OrderValue value_of(const std::vector<double>& amounts) {
    return order_value(log_values(profile_with(amounts)), store);
}

TEST(OrderValue, IsShrunkTowardsTheStore) {
    EXPECT_NEAR(value_of({42.10, 38.50, 55.00, 40.25}).mu, 3.7687296042639167, 1e-14);
    EXPECT_NEAR(value_of({42.10, 38.50, 55.00, 40.25}).sigma, 0.3134211083978908, 1e-14);
    EXPECT_NEAR(value_of({60}).mu, 3.9816746873014996, 1e-14);
    EXPECT_NEAR(value_of({60}).sigma, 0.4535573676110726, 1e-14);
    EXPECT_NEAR(value_of({}).mu, 3.7, 1e-15);
    EXPECT_NEAR(value_of({}).sigma, 0.648074069840786, 1e-15);
}

TEST(OrderValue, LeavesOutWhatWasFree) { EXPECT_EQ(value_of({0, 60, 0}).mu, value_of({60}).mu); }

TEST(OrderValue, EqualValuesHaveNoSpread) {
    EXPECT_EQ(log_values(profile_with({33.33, 33.33, 33.33})).squares, 0);
    EXPECT_DOUBLE_EQ(log_values(profile_with({33.33, 33.33, 33.33})).mean, std::log(33.33));
}

TEST(OrderValue, ShareThatReachesAThreshold) {
    EXPECT_NEAR(natural_share({3.7, 0.3}, 60), 0.09434204697370008, 1e-15);
    EXPECT_NEAR(natural_share({3.7, 0.6}, 80), 0.12782954759226361, 1e-15);
    EXPECT_EQ(natural_share({3.7, 0.6}, 0), 1);
}

TEST(OrderRate, OrdersToExpect) {
    const OrderRate rate{0.8, 10.0 / 365, 365};
    EXPECT_NEAR(rate.expected(14, 4), 0.17047184170471844, 1e-16);
    EXPECT_NEAR(rate.expected(14, 0), 0.02841197361745307, 1e-17);
    EXPECT_NEAR(order_rate(10, 135, 365).shape, 0.8, 1e-15);
    EXPECT_NEAR(order_rate(10, 5, 365).shape, 1e10, 1);  // no more than by chance
}

// Customers as the prior says, of `orders` orders each.
std::vector<LogValues> customers(int count, int orders, const ValuePrior& truth) {
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    std::vector<LogValues> result;
    for (int i = 0; i < count; ++i) {
        const double mean = truth.m0 + std::sqrt(truth.tau2) * normal(random);
        const double variance = truth.s0 * truth.d0 / std::chi_squared_distribution<double>(truth.d0)(random);
        std::vector<double> amounts;
        for (int k = 0; k < orders; ++k) amounts.push_back(std::exp(mean + std::sqrt(variance) * normal(random)));
        result.push_back(log_values(profile_with(amounts)));
    }
    return result;
}

ValuePrior prior_of(const std::vector<LogValues>& values) {
    ValueSums sums;
    for (const LogValues& value : values) sums.add(value);
    sums.check();
    return sums.prior().value();
}

TEST(ValueSums, FindThePriorOfASimulation) {
    auto values = customers(20'000, 5, store);
    const auto more = customers(20'000, 8, store);
    values.insert(values.end(), more.begin(), more.end());
    const ValuePrior prior = prior_of(values);
    EXPECT_NEAR(prior.d0, store.d0, 0.15);
    EXPECT_NEAR(prior.s0, store.s0, 0.003);
    EXPECT_NEAR(prior.m0, store.m0, 0.01);
    EXPECT_NEAR(prior.tau2, store.tau2, 0.02);
}

// By the formulas, plainly.
TEST(ValueSums, AreTheMomentsOfTheFormulas) {
    const auto values = customers(50, 4, store);
    double mean_e = 0, mean_y = 0, var_e = 0, var_y = 0;
    const auto e_of = [](const LogValues& v) { return std::log(v.squares / 3) - 0.0364899739785765 + std::log(1.5); };
    for (const auto& v : values) mean_e += e_of(v) / 50, mean_y += v.mean / 50;
    for (const auto& v : values) {
        var_e += (e_of(v) - mean_e) * (e_of(v) - mean_e) / 49;
        var_y += (v.mean - mean_y) * (v.mean - mean_y) / 49;
    }
    const ValuePrior prior = prior_of(values);
    const double half = prior.d0 / 2, step = 1e-4;
    const double trigamma = (std::lgamma(half + step) - 2 * std::lgamma(half) + std::lgamma(half - step)) / step / step;
    EXPECT_NEAR(trigamma, var_e - 0.9348022005446793, 1e-5);
    EXPECT_NEAR(prior.m0, mean_y, 1e-14);
    double mean_variance = 0;
    for (const auto& v : values) mean_variance += (prior.d0 * prior.s0 + v.squares) / (prior.d0 + 3) / 4 / 50;
    EXPECT_NEAR(prior.tau2, var_y - mean_variance, 1e-13);
}

TEST(ValueSums, NeitherOrderNorGroupingMatters) {
    auto values = customers(300, 6, store);
    const ValuePrior once = prior_of(values);
    std::shuffle(values.begin(), values.end(), std::mt19937_64(2));
    ValueSums left, right;
    for (std::size_t i = 0; i < values.size(); ++i) (i % 3 == 0 ? left : right).add(values[i]);
    left.merge(right);
    const ValuePrior merged = left.prior().value();
    EXPECT_EQ(once.d0, merged.d0);
    EXPECT_EQ(once.s0, merged.s0);
    EXPECT_EQ(once.m0, merged.m0);
    EXPECT_EQ(once.tau2, merged.tau2);
}

// All customers vary alike: their number of degrees of freedom is beyond what can be told.
TEST(ValueSums, CustomersWhoVaryAlike) {
    const ValuePrior prior = prior_of(customers(400, 6, {1e9, 0.09, 3, 0.2}));
    EXPECT_GT(prior.d0, 20);
    EXPECT_NEAR(prior.s0, 0.09, 0.005);
}

TEST(ValueSums, SayNothingOfFew) {
    ValueSums sums;
    EXPECT_FALSE(sums.prior());
    sums.add(log_values(profile_with({10, 20, 30})));
    EXPECT_FALSE(sums.prior());
    sums.add(log_values(profile_with({10, 20})));
    sums.add(log_values(profile_with({10, 10, 10})));
    EXPECT_FALSE(sums.prior());
    sums.add(log_values(profile_with({15, 20, 30})));
    EXPECT_TRUE(sums.prior());
    EXPECT_EQ(sums.prior()->tau2, 0.01);
}

// From the smallest amount to the largest.
TEST(ValueSums, AmountsOfAnySize) {
    ValueSums sums;
    sums.add(log_values(profile_with({0.0001, 0.0001, 9'999'999'999'999})));
    sums.add(log_values(profile_with({0.01, 0.02, 0.01})));
    sums.add(log_values(profile_with({9'999'999'999'999, 9'999'999'999'998, 9'999'999'999'999})));
    sums.check();
    EXPECT_NO_THROW(check(sums.prior().value()));
}

TEST(ValuePrior, RefusesWhatNoStoreHas) {
    EXPECT_THROW(check({0, 0.1, 3, 0.1}), Error);
    EXPECT_THROW(check({4, -0.1, 3, 0.1}), Error);
    EXPECT_THROW(check({4, 0.1, NAN, 0.1}), Error);
    EXPECT_THROW(check({4, 0.1, 3, HUGE_VAL}), Error);
    EXPECT_NO_THROW(check(store));
}

}  // namespace
}  // namespace clientele
