// The effect of a treatment: Welch's comparison of two means, adjusted by a covariate, of ratios, and over strata.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "core/experiment/moments.hpp"

namespace clientele {

inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

// Two arms compared; the members of the SQL type lift_result, in its order. NaN is what cannot be known.
struct Lift {
    std::int64_t n_control = 0, n_treated = 0;
    double mean_control = unknown, mean_treated = unknown;
    double sd_control = unknown, sd_treated = unknown;
    double effect = unknown, se = unknown, df = unknown;
    double ci_low = unknown, ci_high = unknown, p_value = unknown;
    double relative_effect = unknown, relative_ci_low = unknown, relative_ci_high = unknown;
    double theta = unknown, variance_reduction = unknown;
};

// The lift of rows that are outcomes, adjusted outcomes or ratios.
Lift lift_of(const Comparison& comparison);

// An outcome less what it shares with a covariate whose mean over all arms is known.
inline double adjusted_outcome(double outcome, double covariate, double theta, double mean_covariate) {
    return outcome - theta * (covariate - mean_covariate);
}

// The stratified lift of disjoint strata; refuses what lift_of() cannot have made.
Lift combined_lift(std::span<const Lift> strata);

// Standard error of the relative effect, and the two-sided p-value of no relative effect; NaN where it has no interval.
// The test is not that of the effect: the control mean, which it is divided by, is uncertain too.
double relative_se(const Lift& lift);
double relative_p_value(const Lift& lift);

// Of what the treated have, the share that they would not have untreated, with its 95 % interval; NaN where they have
// nothing.
struct IncrementalShare {
    double share = unknown, ci_low = unknown, ci_high = unknown;
};

// From a comparison whose arms are changed over: what the treated lack, relative to what they have, with its sign
// changed. The delta method is the one of the relative effect. No share is above 1, and so no interval ends there.
IncrementalShare incremental_share(const Lift& turned);

// Refuses a lift that cannot have come from lift_of().
void check_lift(const Lift& lift);

// The variance of the ratio of the sums, y over x, by the delta method: that of the mean of the rows
// (y - ratio x) / mean of x. There are two rows, and the sum of x is positive.
double ratio_variance(const CentredMoments& moments);

// Two-sided quantile of Student's t: its distribution has `coverage` between minus this and this.
double student_quantile(double coverage, double df);

}  // namespace clientele
