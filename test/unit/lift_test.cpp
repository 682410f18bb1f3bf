#include "core/experiment/lift.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/random.hpp"

namespace clientele {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Lift lift_from(Rows rows, const GivenMoments& control, const GivenMoments& treated) {
    Comparison comparison;
    comparison.rows = rows;
    comparison.control = checked_moments(control, "control");
    comparison.treated = checked_moments(treated, "treated");
    return lift_of(comparison);
}

struct Row {
    double outcome, covariate;
    bool is_treated;
};

std::vector<Row> random_rows(int n, double mean = 30) {
    Random random(7, 1);
    std::vector<Row> rows;
    for (int i = 0; i < n; ++i) {
        const double shared = random.uniform();
        rows.push_back({mean + shared + random.uniform(), 10 * shared + random.uniform(), i % 10 != 0});
    }
    return rows;
}

Comparison comparison_of(const std::vector<Row>& rows, Rows kind) {
    Comparison comparison;
    comparison.rows = kind;
    for (const Row& row : rows) {
        if (kind == Rows::outcomes) comparison.add_outcome(row.outcome, row.is_treated);
        if (kind == Rows::adjusted) comparison.add_adjusted(row.outcome, row.covariate, row.is_treated);
        if (kind == Rows::ratios) comparison.add_ratio(row.outcome, row.covariate, row.is_treated);
    }
    return comparison;
}

Lift lift_of_rows(const std::vector<Row>& rows, Rows kind) { return lift_of(comparison_of(rows, kind)); }

// 1,000 offered, of whom 100 reach the threshold; 500 held out, of whom 30 do. By hand: 1 - c / t, the variance of a
// mean p (1 - p) / (n - 1), and the delta method's slopes 1 / t and c / t^2.
TEST(Lift, ShareOfThoseWhoReachedItOnlyBecauseOfTheOffer) {
    const double c = 0.06, t = 0.1, of_c = c * (1 - c) / 499, of_t = t * (1 - t) / 999;
    const IncrementalShare found = incremental_share(lift_from(Rows::outcomes, {1000, 100, 100}, {500, 30, 30}));
    EXPECT_NEAR(found.share, 0.4, 1e-12);
    const double half = 1.96 * std::sqrt(of_c / (t * t) + c * c * of_t / (t * t * t * t));
    EXPECT_NEAR(found.ci_low, 0.4 - half, 2e-3);
    EXPECT_NEAR(found.ci_high, 0.4 + half, 2e-3);
    const IncrementalShare nobody = incremental_share(lift_from(Rows::outcomes, {1000, 0, 0}, {500, 30, 30}));
    EXPECT_TRUE(std::isnan(nobody.share) && std::isnan(nobody.ci_low) && std::isnan(nobody.ci_high));
    const IncrementalShare few = incremental_share(lift_from(Rows::outcomes, {20, 2, 2}, {20, 1, 1}));
    EXPECT_EQ(few.ci_high, 1);
    EXPECT_LT(few.ci_low, 0);
}

// growthbook packages/stats/tests
TEST(Lift, PublishedWelch) {
    const Lift lift = lift_from(Rows::outcomes, {3407, 1396.87, 52377.9767}, {3461, 2422.7, 134698.29});
    EXPECT_NEAR(lift.effect, 0.29, 1e-9);
    EXPECT_NEAR(lift.se, 0.12478363158758794, 1e-9);
    EXPECT_NEAR(lift.df, 5841.742032093565, 1e-9);
    EXPECT_NEAR(lift.p_value, 0.020158402643586957, 1e-9);
    EXPECT_NEAR(lift.ci_low, 0.04537789255929009, 1e-9);
    EXPECT_NEAR(lift.ci_high, 0.5346221074407098, 1e-9);
    EXPECT_TRUE(std::isnan(lift.theta) && std::isnan(lift.variance_reduction));
}

TEST(Lift, PublishedCuped) {
    const Lift lift = lift_from(Rows::adjusted, {3001, 300, 600, 210, 415, -20}, {3000, 222, 555, 120, 405, -10});
    EXPECT_NEAR(lift.relative_effect, -0.2817071538457276, 1e-9);
    EXPECT_NEAR(relative_se(lift), 0.09710487644510962, 1e-9);
    EXPECT_NEAR(relative_p_value(lift), 0.0037325486152390446, 1e-9);
    EXPECT_NEAR(lift.relative_ci_low, -0.47206764569207416, 1e-9);
    EXPECT_NEAR(lift.relative_ci_high, -0.09134666199938105, 1e-9);
    EXPECT_NEAR(lift.theta, -0.07321194034813545, 1e-9);
    EXPECT_NEAR(lift.sd_treated, 0.4235295982315325, 1e-9);
    EXPECT_DOUBLE_EQ(lift.mean_control, 300.0 / 3001);
}

TEST(Lift, RelativeTestIsUnknownWhereItsIntervalIs) {
    EXPECT_TRUE(std::isnan(relative_se(Lift{})) && std::isnan(relative_p_value(Lift{})));
    Lift lift = lift_from(Rows::outcomes, {100, 50, 50}, {100, 60, 60});
    lift.relative_ci_low = lift.relative_ci_high = lift.relative_effect;
    EXPECT_EQ(relative_se(lift), 0);
    EXPECT_TRUE(std::isnan(relative_p_value(lift)));
    lift.relative_ci_low = lift.relative_ci_high + 1;
    EXPECT_THROW(relative_se(lift), Error);
}

TEST(Lift, AnyOrderAndAnyPartsGiveTheSameBytes) {
    std::vector<Row> rows = random_rows(2'000);
    for (const Rows kind : {Rows::outcomes, Rows::adjusted, Rows::ratios}) {
        const Comparison whole = comparison_of(rows, kind);
        std::vector<Row> reversed(rows.rbegin(), rows.rend());
        Comparison parts = comparison_of({reversed.begin(), reversed.begin() + 700}, kind);
        parts.merge(comparison_of({reversed.begin() + 700, reversed.end()}, kind));
        EXPECT_EQ(std::memcmp(&parts, &whole, sizeof whole), 0);
    }
}

TEST(Lift, NoCancellation) {
    std::vector<Row> rows = random_rows(1'000, 0);
    for (Row& row : rows) {
        row.outcome = std::round(row.outcome * 0x1p20) / 0x1p20;
        row.covariate = std::round(row.covariate * 0x1p20) / 0x1p20;
    }
    const Lift small = lift_of_rows(rows, Rows::adjusted);
    for (Row& row : rows) {
        row.outcome += 1e9;
        row.covariate -= 1e9;
    }
    const Lift shifted = lift_of_rows(rows, Rows::adjusted);

    EXPECT_EQ(shifted.effect, small.effect);
    EXPECT_EQ(shifted.se, small.se);
    EXPECT_EQ(shifted.df, small.df);
    EXPECT_EQ(shifted.theta, small.theta);
    EXPECT_EQ(shifted.variance_reduction, small.variance_reduction);
}

TEST(Lift, ScalesWithTheUnit) {
    std::vector<Row> rows = random_rows(500);
    const Lift cents = lift_of_rows(rows, Rows::adjusted);
    for (Row& row : rows) row.outcome *= 0x1p300;  // a sum of squares of 2^610
    const Lift large = lift_of_rows(rows, Rows::adjusted);
    EXPECT_EQ(large.effect, cents.effect * 0x1p300);
    EXPECT_EQ(large.se, cents.se * 0x1p300);
    EXPECT_EQ(large.p_value, cents.p_value);
    EXPECT_EQ(large.relative_effect, cents.relative_effect);
    EXPECT_EQ(large.relative_ci_low, cents.relative_ci_low);
}

TEST(Lift, SwappedArmsSwapTheSign) {
    std::vector<Row> rows = random_rows(500);
    const Lift one = lift_of_rows(rows, Rows::adjusted);
    for (Row& row : rows) row.is_treated = !row.is_treated;
    const Lift other = lift_of_rows(rows, Rows::adjusted);
    EXPECT_EQ(one.effect, -other.effect);
    EXPECT_EQ(one.se, other.se);
    EXPECT_NEAR(one.df, other.df, 1e-9);
    EXPECT_EQ(one.theta, other.theta);
}

TEST(Lift, TooFewRowsLeaveUnknowns) {
    const Lift none = lift_of(Comparison{});
    EXPECT_EQ(none.n_control + none.n_treated, 0);
    EXPECT_TRUE(std::isnan(none.mean_control) && std::isnan(none.effect) && std::isnan(none.relative_effect));
    const Lift one = lift_of_rows({{1, 0, false}, {3, 0, true}, {5, 0, true}}, Rows::outcomes);
    EXPECT_EQ(one.effect, 3);
    EXPECT_EQ(one.relative_effect, 3);
    EXPECT_EQ(one.sd_treated, std::sqrt(2));
    EXPECT_TRUE(std::isnan(one.sd_control) && std::isnan(one.se) && std::isnan(one.p_value));
}

TEST(Lift, NothingVaries) {
    const Lift lift = lift_of_rows({{1, 2, false}, {1, 2, false}, {3, 2, true}, {3, 2, true}}, Rows::adjusted);
    EXPECT_EQ(lift.effect, 2);
    EXPECT_EQ(lift.se, 0);
    EXPECT_EQ(lift.theta, 0);
    EXPECT_TRUE(std::isnan(lift.df) && std::isnan(lift.ci_low) && std::isnan(lift.p_value));
    EXPECT_TRUE(std::isnan(lift.relative_ci_low) && std::isnan(lift.variance_reduction));
}

TEST(Lift, PerfectCovariateExplainsAll) {
    std::vector<Row> rows = random_rows(100);
    for (Row& row : rows) row.outcome = 3 * (row.covariate = std::round(row.covariate * 1024)) + 5;
    const Lift lift = lift_of_rows(rows, Rows::adjusted);
    EXPECT_EQ(lift.theta, 3);
    EXPECT_EQ(lift.effect, 0);
    EXPECT_EQ(lift.se, 0);
    EXPECT_EQ(lift.variance_reduction, 1);
}

TEST(Lift, RatioVarianceIsThatOfTheLinearisedRows) {
    const std::vector<Row> rows = random_rows(400);
    const Lift ratio = lift_of_rows(rows, Rows::ratios);
    double sum_y = 0, sum_x = 0, n = 0, squares = 0;
    for (const Row& row : rows) {
        if (!row.is_treated) continue;
        sum_y += row.outcome;
        sum_x += row.covariate;
        ++n;
    }
    for (const Row& row : rows) {
        if (row.is_treated) squares += std::pow((row.outcome - sum_y / sum_x * row.covariate) / (sum_x / n), 2);
    }
    EXPECT_NEAR(ratio.mean_treated, sum_y / sum_x, 1e-12);
    EXPECT_NEAR(ratio.sd_treated, std::sqrt(squares / (n - 1)), 1e-9);
}

TEST(Lift, RatiosBeyondDoublesAreUnknown) {
    const Lift lift =
        lift_of_rows({{1e100, 1e-100, true}, {1, 1e-100, true}, {1, 1, false}, {2, 1, false}}, Rows::ratios);
    EXPECT_TRUE(std::isnan(lift.p_value));
}

TEST(Lift, RefusesWhatIsNoOutcome) {
    Comparison comparison;
    for (const double value : {unknown, infinity, -infinity, 1.1e100}) {
        EXPECT_THROW(comparison.add_outcome(value, true), Error);
        EXPECT_THROW(comparison.add_adjusted(1, value, true), Error);
        EXPECT_THROW(comparison.add_ratio(1, value, true), Error);
        EXPECT_THROW(comparison.add_weighted(value, 0.5), Error);
        EXPECT_THROW(comparison.add_weighted(1, value), Error);
    }
    EXPECT_THROW(comparison.add_ratio(1, -1, true), Error);
    EXPECT_THROW(comparison.add_weighted(1, 0), Error);
    EXPECT_EQ(lift_of(comparison).n_treated, 0);
}

TEST(Lift, RefusesImpossibleMoments) {
    for (const GivenMoments& given : {GivenMoments{-1, 0, 0},
                                      {0, 1, 1},
                                      {2, unknown, 1},
                                      {2, 1, infinity},
                                      {2, 1, -1},
                                      {2, 4, 7.9},
                                      {2, 2, 0},
                                      {2, 1e101, 1e201},
                                      {2, 1, 1, 1, 1, 2},
                                      {2, 1, 1, 0, 0, 1}}) {
        EXPECT_THROW(checked_moments(given, "control"), Error);
    }
    EXPECT_NO_THROW(checked_moments({3, 0.3, 0.03}, "control"));
    EXPECT_NO_THROW(checked_moments({2, 4, 8 - 1e-12}, "control"));
}

TEST(Lift, ForgedStatesAreRefusedOrHarmless) {
    const Comparison sound = comparison_of(random_rows(50), Rows::adjusted);
    Random random(3, 1);
    int refused = 0;
    for (int forgery = 0; forgery < 2'000; ++forgery) {
        Comparison forged = sound;
        auto* bytes = reinterpret_cast<unsigned char*>(&forged);
        bytes[random.bits() % sizeof forged] ^= static_cast<unsigned char>(1 + random.bits() % 255);
        try {
            forged.check(Rows::adjusted);
            const Lift lift = lift_of(forged);
            EXPECT_FALSE(std::isinf(lift.se));
        } catch (const Error& error) {
            EXPECT_EQ(error.message, "invalid state of an aggregate");
            ++refused;
        }
    }
    EXPECT_GT(refused, 200);  // the others changed nothing that matters
    Comparison full = sound;
    full.control.n = std::numeric_limits<std::int64_t>::max();
    EXPECT_THROW(full.merge(sound), Error);
    EXPECT_THROW(full.merge(Comparison{}), Error);
}

// ---- Strata ----

TEST(CombinedLift, OneStratumIsItself) {
    const Lift lift = lift_of_rows(random_rows(100), Rows::adjusted);
    const Lift combined = combined_lift(std::vector{lift});
    EXPECT_EQ(std::memcmp(&combined, &lift, sizeof lift), 0);
}

TEST(CombinedLift, EqualStrataHaveTheSameEffectAndLessError) {
    for (const Rows kind : {Rows::outcomes, Rows::adjusted}) {
        const Lift lift = lift_of_rows(random_rows(1'000), kind);
        const Lift combined = combined_lift(std::vector{lift, lift, lift, lift});
        EXPECT_EQ(combined.n_control, 4 * lift.n_control);
        EXPECT_DOUBLE_EQ(combined.effect, lift.effect);
        EXPECT_DOUBLE_EQ(combined.se, lift.se / 2);
        EXPECT_NEAR(combined.df, 4 * lift.df, 1e-6);
        EXPECT_DOUBLE_EQ(combined.sd_control, lift.sd_control);
        const double half = (lift.relative_ci_high - lift.relative_ci_low) / 2 / student_quantile(0.95, lift.df);
        const double combined_half = (combined.relative_ci_high - combined.relative_ci_low) / 2;
        EXPECT_NEAR(combined_half / student_quantile(0.95, combined.df), half / 2, 1e-3 * half);
        if (kind == Rows::outcomes) continue;
        EXPECT_EQ(combined.theta, lift.theta);
        EXPECT_NEAR(combined.variance_reduction, lift.variance_reduction, 1e-12);
    }
}

TEST(CombinedLift, LeavesOutStrataWithoutErrors) {
    const Lift lift = lift_of_rows(random_rows(100), Rows::outcomes),
               small = lift_of_rows({{1, 0, true}}, Rows::outcomes);
    EXPECT_EQ(combined_lift(std::vector{lift, small}).n_treated, lift.n_treated);
    EXPECT_DOUBLE_EQ(combined_lift(std::vector{small, lift}).effect, lift.effect);
    EXPECT_EQ(combined_lift(std::vector{small, small}).n_treated, 0);
    EXPECT_EQ(combined_lift({}).n_treated, 0);
}

TEST(CombinedLift, RefusesWhatIsNoLift) {
    const Lift sound = lift_of_rows(random_rows(100), Rows::outcomes);
    for (const double wrong : {infinity, -infinity, unknown}) {
        Lift lift = sound;
        lift.effect = wrong;
        EXPECT_THROW(combined_lift(std::vector{lift}), Error);
        lift = sound;
        lift.df = wrong;
        EXPECT_THROW(combined_lift(std::vector{lift}), Error);
    }
    Lift few = sound;
    few.df = 1e-300;
    EXPECT_THROW(combined_lift(std::vector{few, sound}), Error);
    Lift wide = sound;
    wide.se = 1e308;
    EXPECT_TRUE(std::isnan(combined_lift(std::vector{wide, sound}).p_value));
    Lift negative = sound;
    negative.se = -1;
    EXPECT_THROW(check_lift(negative), Error);
    negative = sound;
    negative.n_control = -1;
    EXPECT_THROW(check_lift(negative), Error);
}

}  // namespace
}  // namespace clientele
