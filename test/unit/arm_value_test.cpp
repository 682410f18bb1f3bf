#include "core/experiment/arm_value.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/random.hpp"

namespace clientele {
namespace {

std::vector<double> best(const std::vector<double>& means, const std::vector<double>& ses) {
    return best_arm_probabilities(means, ses);
}

std::vector<double> weights(const std::vector<double>& means, const std::vector<double>& ses, double floor) {
    return propose_weights(means, ses, floor);
}

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

Comparison weighted(const std::vector<std::pair<double, double>>& rows) {
    Comparison comparison;
    comparison.rows = Rows::weighted;
    for (const auto& [outcome, propensity] : rows) comparison.add_weighted(outcome, propensity);
    return comparison;
}

TEST(ArmValue, EqualPropensitiesGiveTheMean) {
    const ArmEstimate arm = arm_value(weighted({{1, 0.25}, {2, 0.25}, {6, 0.25}}));
    EXPECT_EQ(arm.customers, 3);
    EXPECT_DOUBLE_EQ(arm.mean, 3);
    EXPECT_DOUBLE_EQ(arm.se, std::sqrt(7.0 / 3));
    EXPECT_DOUBLE_EQ(arm.ci_high - arm.mean, student_quantile(0.95, 2) * arm.se);
}

TEST(ArmValue, WeightsUndoTheSelection) {
    Random random(5, 1);
    Comparison comparison;
    comparison.rows = Rows::weighted;
    for (int customer = 0; customer < 200'000; ++customer) {
        const bool is_large = random.uniform() < 0.5;
        const double propensity = is_large ? 0.8 : 0.1;
        if (random.uniform() < propensity) comparison.add_weighted((is_large ? 10 : 2) + random.uniform(), propensity);
    }
    const ArmEstimate arm = arm_value(comparison);
    EXPECT_NEAR(arm.mean, 6.5, 4 * arm.se);
    EXPECT_LT(arm.se, 0.05);
}

TEST(ArmValue, WhatIsNotKnown) {
    EXPECT_EQ(arm_value(weighted({})).customers, 0);
    EXPECT_TRUE(std::isnan(arm_value(weighted({})).mean));
    EXPECT_EQ(arm_value(weighted({{4, 0.3}})).mean, 4);
    EXPECT_TRUE(std::isnan(arm_value(weighted({{4, 0.3}})).se));
    const ArmEstimate constant = arm_value(weighted({{4, 0.5}, {4, 0.25}, {4, 1}}));
    EXPECT_EQ(constant.se, 0);
    EXPECT_TRUE(std::isnan(constant.ci_low));
}

TEST(BestArm, TwoArmsAreTheNormalOfTheirDifference) {
    const std::vector<double> p = best({1, 0}, {0.6, 0.8});
    EXPECT_NEAR(p[0], 0.5 * std::erfc(-1 / std::sqrt(2.0)), 1e-13);
    EXPECT_NEAR(best({0, 1e-6}, {1e3, 1e-6})[0], 0.5, 1e-8);
    EXPECT_NEAR(best({-8, 0}, {1, 1e-3})[0], 0.5 * std::erfc(8 / std::sqrt(2 * (1 + 1e-6))), 1e-14);
}

TEST(BestArm, AgreesWithSampling) {
    const std::vector<double> means = {1, 1.3, 0.2, 1.29}, ses = {0.5, 0.1, 2, 0.3};
    const std::vector<double> p = best(means, ses);
    Random random(11, 1);
    std::vector<double> counts(4, 0);
    constexpr int draws = 200'000;
    for (int draw = 0; draw < draws; ++draw) {
        std::size_t winner = 0;
        double highest = -1e9;
        for (std::size_t arm = 0; arm < 4; ++arm) {
            const double z =
                std::sqrt(-2 * std::log(1 - random.uniform())) * std::cos(2 * 3.141592653589793 * random.uniform());
            const double value = means[arm] + ses[arm] * z;
            if (value > highest) winner = arm, highest = value;
        }
        ++counts[winner];
    }
    for (std::size_t arm = 0; arm < 4; ++arm) EXPECT_NEAR(p[arm], counts[arm] / draws, 0.005);
    EXPECT_NEAR(sum(p), 1, 1e-14);
}

TEST(BestArm, EqualArmsShareAlike) {
    for (const double p : best(std::vector<double>(100, 3), std::vector<double>(100, 0.5))) EXPECT_NEAR(p, 0.01, 1e-12);
    for (const double p : best({2, 2, 2}, {0, 0, 0})) EXPECT_EQ(p, 1.0 / 3);
}

TEST(BestArm, KnownMeans) {
    EXPECT_EQ(best({1, 5}, {0, 0}), (std::vector<double>{0, 1}));
    EXPECT_NEAR(best({0, 1}, {1, 0})[0], 0.5 * std::erfc(1 / std::sqrt(2.0)), 1e-14);
    const std::vector<double> p = best({0, 1, 1, 0.5}, {1, 0, 0, 0});
    EXPECT_EQ(p[1], p[2]);
    EXPECT_EQ(p[3], 0);
    EXPECT_EQ(best({-1e100, 1e100}, {1, 0}), (std::vector<double>{0, 1}));
}

TEST(BestArm, RefusesWhatIsNoEstimate) {
    EXPECT_THROW(best({}, {}), Error);
    EXPECT_THROW(best({1}, {1, 1}), Error);
    EXPECT_THROW(best({1, 1}, {1, -1}), Error);
    EXPECT_THROW(best({1, std::nan("")}, {1, 1}), Error);
    EXPECT_THROW(best({1, 1}, {1, std::numeric_limits<double>::infinity()}), Error);
    EXPECT_THROW(best(std::vector<double>(101, 1), std::vector<double>(101, 1)), Error);
}

TEST(ProposedWeights, FloorAndSumHold) {
    Random random(13, 1);
    for (int round = 0; round < 300; ++round) {
        const std::size_t n = 1 + random.bits() % 12;
        const double floor = random.uniform() / static_cast<double>(n);
        std::vector<double> means(n), ses(n);
        for (double& mean : means) mean = 3 * random.uniform();
        for (double& se : ses) se = round % 5 == 0 ? 0 : random.uniform();
        int units = 0;
        for (const double weight : weights(means, ses, floor)) {
            EXPECT_GE(weight, floor - 1e-4);
            EXPECT_EQ(weight, std::round(weight * 10'000) / 10'000);
            units += static_cast<int>(std::round(weight * 10'000));
        }
        EXPECT_EQ(units, 10'000);
    }
}

TEST(ProposedWeights, Edges) {
    EXPECT_EQ(weights({4}, {1}, 0.05), (std::vector<double>{1}));
    EXPECT_EQ(weights({0, 9, 0}, {1, 1, 1}, 0.05), (std::vector<double>{0.05, 0.9, 0.05}));
    EXPECT_EQ(weights({0, 9}, {1, 1}, 0.5), (std::vector<double>{0.5, 0.5}));
    EXPECT_THROW(weights({0, 9}, {1, 1}, 0.51), Error);
    EXPECT_THROW(weights({0, 9}, {1, 1}, -0.01), Error);
    EXPECT_THROW(weights({0, 9}, {1, 1}, std::nan("")), Error);
}

ArmEstimate estimate(std::int64_t customers, double mean, double se) {
    ArmEstimate arm;
    arm.customers = customers;
    arm.mean = mean;
    arm.se = se;
    return arm;
}

// Weighted by all customers of a stratum, and not by those of the arm.
TEST(CombinedArm, IsStratifiedByTheSizesGiven) {
    const std::vector<ArmEstimate> strata{estimate(50, 10, 1), estimate(11, 20, 2)};
    const std::vector<std::int64_t> sizes{100, 300};
    const ArmEstimate arm = combined_arm(strata, sizes);
    EXPECT_EQ(arm.customers, 61);
    EXPECT_DOUBLE_EQ(arm.mean, 0.25 * 10 + 0.75 * 20);
    EXPECT_DOUBLE_EQ(arm.se, std::sqrt(0.0625 + 2.25));
    const double df = 2.3125 * 2.3125 / (0.0625 * 0.0625 / 49 + 2.25 * 2.25 / 10);
    EXPECT_DOUBLE_EQ(arm.ci_high - arm.mean, arm.se * student_quantile(0.95, df));
}

TEST(CombinedArm, OneStratumIsItselfAndUnknownOnesAreLeftOut) {
    const std::vector<ArmEstimate> one{estimate(1, 10, unknown)}, two{estimate(1, 10, unknown), estimate(9, 20, 2)};
    EXPECT_EQ(combined_arm(one, std::vector<std::int64_t>{5}).customers, 1);
    EXPECT_EQ(combined_arm(two, std::vector<std::int64_t>{5, 9}).mean, 20);
    EXPECT_EQ(combined_arm({}, {}).customers, 0);
    EXPECT_TRUE(std::isnan(combined_arm({}, {}).mean));
    // Where no outcome varies there is a mean, and no interval.
    const std::vector<ArmEstimate> constant{estimate(5, 1, 0), estimate(5, 3, 0)};
    const ArmEstimate arm = combined_arm(constant, std::vector<std::int64_t>{5, 5});
    EXPECT_EQ(arm.mean, 2);
    EXPECT_EQ(arm.se, 0);
    EXPECT_TRUE(std::isnan(arm.ci_low));
}

TEST(CombinedArm, RefusesWhatNoRowsGive) {
    const std::vector<ArmEstimate> two{estimate(5, 1, 1), estimate(5, 1, 1)};
    EXPECT_THROW(combined_arm(two, std::vector<std::int64_t>{5}), Error);
    EXPECT_THROW(combined_arm(two, std::vector<std::int64_t>{5, 4}), Error);
    for (const ArmEstimate& wrong :
         {estimate(-1, 1, 1), estimate(1, 1, 1), estimate(5, 1, -1), estimate(5, unknown, 1), estimate(5, 1, 1e101)}) {
        EXPECT_THROW(combined_arm(std::vector{wrong}, std::vector<std::int64_t>{5}), Error);
    }
}

TEST(LeastWeight, LeavesRoomForThoseThatAreBetter) {
    EXPECT_EQ(least_weight(2), 0.05);
    EXPECT_EQ(least_weight(10), 0.05);
    EXPECT_EQ(least_weight(20), 0.025);
    EXPECT_EQ(least_weight(100), 0.005);
}

TEST(ArmDifference, IsNormal) {
    const ArmDifference difference = arm_difference(estimate(50, 10, 3), estimate(50, 4, 4));
    EXPECT_EQ(difference.mean, 6);
    EXPECT_NEAR(difference.ci_high, 6 + 5 * 1.959963984540054, 1e-12);
    EXPECT_NEAR(difference.ci_low, 6 - 5 * 1.959963984540054, 1e-12);
    EXPECT_TRUE(std::isnan(arm_difference(estimate(1, 10, unknown), estimate(50, 4, 4)).ci_low));
}

}  // namespace
}  // namespace clientele
