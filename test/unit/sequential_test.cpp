#include "core/experiment/sequential.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "core/base/error.hpp"
#include "lift_simulation.hpp"

namespace clientele {
namespace {

Lift lift(std::int64_t n_arm, double se, double df) {
    Lift result;
    result.n_control = result.n_treated = n_arm;
    result.mean_control = result.mean_treated = result.sd_control = result.sd_treated = 1;
    result.effect = 2;
    result.se = se;
    result.df = df;
    return result;
}

double half_width(const Lift& lift, double alpha = 0.05, double tuning = 5'000) {
    const SequentialInterval interval = sequential_interval(lift, alpha, tuning);
    EXPECT_NEAR((interval.low + interval.high) / 2, lift.effect, 1e-9 * (interval.high - interval.low));
    return (interval.high - interval.low) / 2;
}

// Worked out from the formula: rho^2 = (-2 ln 0.05 + ln(1 - 2 ln 0.05)) / 5000.
TEST(SequentialInterval, IsTheBoundaryWhereStudentIsNormal) {
    const double rho = (-2 * std::log(0.05) + std::log(1 - 2 * std::log(0.05))) / 5'000;
    for (const double n : {2'000.0, 100'000.0}) {
        const double boundary = std::sqrt(2 * (n * rho + 1) / (n * rho) * std::log(std::sqrt(n * rho + 1) / 0.05));
        EXPECT_NEAR(half_width(lift(static_cast<std::int64_t>(n / 2), 0.25, 1e12)), 0.25 * boundary, 1e-6);
    }
}

TEST(SequentialInterval, IsWiderThanTheFixedOneAndWiderForFewRows) {
    EXPECT_GT(half_width(lift(2'500, 1, 1e6)), student_quantile(0.95, 1e6));
    EXPECT_GT(half_width(lift(100, 1, 198)), half_width(lift(500, 1, 998)));
    EXPECT_GT(half_width(lift(500, 1, 9)), half_width(lift(500, 1, 998)));
    EXPECT_GT(half_width(lift(500, 1, 998), 0.01), half_width(lift(500, 1, 998), 0.05));
}

TEST(SequentialInterval, UnknownWhereTheLiftIs) {
    EXPECT_TRUE(std::isnan(sequential_interval(Lift{}, 0.05, 5'000).low));
    EXPECT_TRUE(std::isnan(sequential_interval(lift(50, 0, unknown), 0.05, 5'000).low));
    EXPECT_TRUE(std::isnan(sequential_interval(lift(100, 1, 2), 1e-12, 1e15).low));
    for (const double wrong : {0.0, 1.0, -1.0, unknown}) {
        EXPECT_THROW(sequential_interval(lift(500, 1, 998), wrong, 5'000), Error);
    }
    for (const double wrong : {0.0, -1.0, unknown, std::numeric_limits<double>::infinity()}) {
        EXPECT_THROW(sequential_interval(lift(500, 1, 998), 0.05, wrong), Error);
    }
    EXPECT_THROW(sequential_interval(lift(500, 1, 998), 0.05, 5'000, -1), Error);
}

TEST(SequentialInterval, UnknownWhereItIsTooEarlyToLook) {
    const auto is_known = [](const Lift& result, std::optional<std::int64_t> nonzero_control) {
        return !std::isnan(sequential_interval(result, 0.05, 5'000, nonzero_control).low);
    };
    EXPECT_TRUE(is_known(lift(100, 1, 198), {}));
    EXPECT_FALSE(is_known(lift(99, 1, 196), {}));
    EXPECT_TRUE(is_known(lift(100, 1, 198), 30));
    EXPECT_FALSE(is_known(lift(100, 1, 198), 29));
    Lift uneven = lift(10'000, 1, 120);
    uneven.n_control = 99;
    EXPECT_FALSE(is_known(uneven, 99));
    std::swap(uneven.n_control, uneven.n_treated);
    EXPECT_FALSE(is_known(uneven, 99));
}

// A small seeded part of `make simulate`; the gates leave room for four standard errors of so few runs.
constexpr int runs = 150;

double slack(double share) { return 4 * std::sqrt(share * (1 - share) / runs); }

void expect_sequential_holds(const Tally& tally) {
    EXPECT_EQ(tally.runs, runs);
    EXPECT_LE(tally.share(tally.sequential_missed), 0.05 + slack(0.05));
}

void expect_fixed_holds(const Tally& tally) { EXPECT_NEAR(tally.share(tally.covered), 0.95, slack(0.95)); }

TEST(LiftSimulation, IntervalsHoldTheTrueEffect) {
    const Tallies tallies = simulate({.outcomes = Outcomes::normal, .n = 2'000, .lift = 0.05}, runs);
    for (const Tally& tally : {tallies.plain, tallies.adjusted}) {
        expect_fixed_holds(tally);
        expect_sequential_holds(tally);
    }
    EXPECT_NEAR(tallies.adjusted.variance_reduction, 0.36, 0.05);
}

// What a seed gives is the same whenever it runs, and whatever ran before it.
TEST(LiftSimulation, RunsAreThoseOfTheirSeeds) {
    const Experiment experiment{.outcomes = Outcomes::skewed, .n = 200};
    const Tallies once = simulate(experiment, 20), again = simulate(experiment, 20), more = simulate(experiment, 21);
    for (const auto arm : {&Tallies::plain, &Tallies::adjusted}) {
        EXPECT_EQ((once.*arm).covered, (again.*arm).covered);
        EXPECT_EQ((once.*arm).rejected, (again.*arm).rejected);
        EXPECT_EQ((once.*arm).variance_reduction, (again.*arm).variance_reduction);
        EXPECT_LE((more.*arm).covered - (once.*arm).covered, 1);
        EXPECT_GE((more.*arm).covered, (once.*arm).covered);
    }
    EXPECT_GT(once.plain.covered, 10);
}

TEST(LiftSimulation, SequentialIntervalsHoldForSkewedOutcomes) {
    const Tallies tallies = simulate({.outcomes = Outcomes::skewed, .n = 2'000}, runs);
    expect_sequential_holds(tallies.plain);
    expect_sequential_holds(tallies.adjusted);
    EXPECT_NEAR(tallies.plain.share(tallies.plain.rejected), 0.05, slack(0.05) + 0.02);
}

}  // namespace
}  // namespace clientele
