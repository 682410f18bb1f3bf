#include "core/experiment/shrinkage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <boost/math/distributions/normal.hpp>

#include "core/base/error.hpp"
#include "core/base/random.hpp"

namespace clientele {
namespace {

using Values = std::vector<double>;

double normal(Random& random) { return quantile(boost::math::normal(), std::max(random.uniform(), 0x1p-53)); }

// Two estimates of 1 and 3 with standard errors of 0.5: the variance is 2, tau^2 = 2 - 0.25, kept is 0.875 of what is
// about the mean of 2, whose own variance is 1.
TEST(Shrinkage, ByHand) {
    const Values means{1, 3}, ses{0.5, 0.5};
    EXPECT_DOUBLE_EQ(spread_of(means, ses).tau, std::sqrt(1.75));
    const Shrunken result = shrunken(means, ses);
    EXPECT_DOUBLE_EQ(result.means[0], 1.125);
    EXPECT_DOUBLE_EQ(result.means[1], 2.875);
    EXPECT_DOUBLE_EQ(result.ses[0], std::sqrt(0.875 * 0.25 + 0.125 * 0.125 * (1 + 2 * 1)));
    // Q = 2 (1 / 0.5)^2 = 8 with one degree of freedom.
    EXPECT_NEAR(spread_of(means, ses).p_value, 0.004677734981, 1e-12);
    EXPECT_TRUE(spread_of(means, ses).told_apart());
}

TEST(Shrinkage, DifferencesThatNoiseExplainsAreGone) {
    const Values means{1, 1.2, 0.9}, ses{1, 2, 0.5};
    EXPECT_EQ(spread_of(means, ses).tau, 0);
    EXPECT_FALSE(spread_of(means, ses).told_apart());
    const Shrunken result = shrunken(means, ses);
    const double centre = (1 + 1.2 / 4 + 0.9 * 4) / (1 + 0.25 + 4);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_DOUBLE_EQ(result.means[i], centre);
        EXPECT_DOUBLE_EQ(result.ses[i], std::sqrt(1 / 5.25 + 2 * std::pow(means[i] - centre, 2)));
    }
}

TEST(Shrinkage, OneAloneAndKnownMeansStay) {
    EXPECT_EQ(shrunken(Values{3}, Values{2}).means, Values{3});
    EXPECT_EQ(shrunken(Values{3}, Values{2}).ses, Values{2});
    EXPECT_TRUE(std::isnan(spread_of(Values{3}, Values{2}).tau));
    EXPECT_FALSE(spread_of(Values{3}, Values{2}).told_apart());
    EXPECT_EQ(shrunken(Values{1, 3}, Values{0, 0}).means, (Values{1, 3}));
    EXPECT_TRUE(spread_of(Values{1, 3}, Values{0, 0}).told_apart());
    EXPECT_FALSE(spread_of(Values{2, 2}, Values{0, 0}).told_apart());
    // A known mean outweighs those that are not, and is what they are drawn to.
    const Shrunken mixed = shrunken(Values{2, 2.1}, Values{0, 5});
    EXPECT_EQ(mixed.means, (Values{2, 2}));
    EXPECT_EQ(mixed.ses[0], 0);
    EXPECT_DOUBLE_EQ(mixed.ses[1], std::sqrt(2.0) * (2.1 - 2));
}

TEST(Shrinkage, WhatAreNoEstimates) {
    EXPECT_THROW(shrunken(Values{1}, Values{1, 2}), Error);
    EXPECT_THROW(shrunken(Values{}, Values{}), Error);
    EXPECT_THROW(spread_of(Values{1, NAN}, Values{1, 1}), Error);
    EXPECT_THROW(spread_of(Values{1, 2}, Values{1, -1}), Error);
}

TEST(Shrinkage, HowManyItTakes) {
    const std::vector<std::int64_t> enrolments{400, 400, 400};
    // Deviations of 20 an enrolment, a difference of 2: (1.96 + 0.84)^2 2 (20 / 2)^2 = 1,570 an arm.
    const std::int64_t needed = enrolments_to_tell_apart(Values{0, 1, 2}, Values{1, 1, 1}, enrolments);
    EXPECT_NEAR(static_cast<double>(needed), 3 * 1'570, 6);
    EXPECT_EQ(enrolments_to_tell_apart(Values{1, 1, 1}, Values{1, 1, 1}, enrolments), 0);
    EXPECT_EQ(enrolments_to_tell_apart(Values{1, 1, 1 + 1e-12}, Values{1, 1, 1}, enrolments), 0);
}

// What a shop sees of ten arms, again and again: true values with a standard deviation of tau, and standard errors that
// differ. Noise makes the best seem better than it is; shrunken it seems as good as it is, intervals hold, and the sum
// of squared errors is less.
struct Trial {
    double squared = 0, squared_shrunken = 0, best_seems = 0, best_seems_shrunken = 0, covered = 0, told_apart = 0;
};

Trial tried(double tau, std::uint64_t seed) {
    constexpr int rounds = 2'000, arms = 10;
    Random random(seed, 1);
    Trial trial;
    for (int round = 0; round < rounds; ++round) {
        Values truth(arms), means(arms), ses(arms);
        for (int arm = 0; arm < arms; ++arm) {
            truth[arm] = 5 + tau * normal(random);
            ses[arm] = 0.5 + random.uniform();
            means[arm] = truth[arm] + ses[arm] * normal(random);
        }
        const Shrunken result = shrunken(means, ses);
        for (int arm = 0; arm < arms; ++arm) {
            trial.squared += std::pow(means[arm] - truth[arm], 2) / (rounds * arms);
            trial.squared_shrunken += std::pow(result.means[arm] - truth[arm], 2) / (rounds * arms);
            const bool is_covered = std::abs(result.means[arm] - truth[arm]) <= 1.96 * result.ses[arm];
            trial.covered += is_covered ? 1.0 / (rounds * arms) : 0;
        }
        const auto best = [](const Values& values) {
            return std::max_element(values.begin(), values.end()) - values.begin();
        };
        const auto raw = best(means), drawn = best(result.means);
        trial.best_seems += (means[raw] - truth[raw]) / rounds;
        trial.best_seems_shrunken += (result.means[drawn] - truth[drawn]) / rounds;
        trial.told_apart += spread_of(means, ses).told_apart() ? 1.0 / rounds : 0;
    }
    return trial;
}

TEST(Shrinkage, TheLuckiestDoesNotSeemTheBest) {
    const Trial trial = tried(0.5, 11);
    EXPECT_LT(trial.squared_shrunken, 0.45 * trial.squared);
    EXPECT_GT(trial.best_seems, 1);
    EXPECT_LT(std::abs(trial.best_seems_shrunken), 0.25);
    EXPECT_GT(trial.covered, 0.88);
}

TEST(Shrinkage, ArmsThatDifferAreToldApart) {
    const Trial trial = tried(2, 12);
    EXPECT_LT(trial.squared_shrunken, trial.squared);
    EXPECT_GT(trial.told_apart, 0.9);
    EXPECT_NEAR(trial.covered, 0.95, 0.03);
}

TEST(Shrinkage, ArmsThatAreAlikeAreNot) { EXPECT_LT(tried(0, 13).told_apart, 0.06); }

}  // namespace
}  // namespace clientele
