// Whether an experiment is sound and large enough, and how many tests were made.
#pragma once

#include <cstdint>
#include <span>

namespace clientele {

// The p-value of counts under weights: a sample-ratio mismatch where it is small.
double srm_pvalue(std::span<const std::int64_t> observed, std::span<const double> expected);

// Spread and size of the two arms.
struct ArmSpread {
    double sd = 0;
    std::int64_t n = 0;
};

// What a two-sided test is asked for.
struct Power {
    double power = 0.8;
    double alpha = 0.05;
};

// The smallest effect that is found with this power; NaN where an arm is empty.
double minimum_detectable_effect(const ArmSpread& control, const ArmSpread& treated, const Power& asked);

// The number of units, both arms together, that find this effect with this power.
std::int64_t lift_sample_size(double effect, double sd_control, double sd_treated, double share_treated,
                              const Power& asked);

// The rows an arm from which on a 95 % interval of a mean can be believed, by the square of the outcome's skewness
// (NaN: no outcome varies).
std::int64_t normal_from(double squared_skewness);

// Replaces p-values by Holm's adjusted ones; NaN is none, and stays.
void adjust_holm(std::span<double> p);

}  // namespace clientele
