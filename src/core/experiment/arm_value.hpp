// What arms would yield, from customers who were given them with known probabilities, and which arm is best.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/experiment/lift.hpp"

namespace clientele {

inline constexpr std::size_t max_arms = 100;

// The members of the SQL type arm_estimate, in its order. NaN is what cannot be known.
struct ArmEstimate {
    std::int64_t customers = 0;
    double mean = unknown, se = unknown, ci_low = unknown, ci_high = unknown;
};

// The self-normalised estimate from weighted rows.
ArmEstimate arm_value(const Comparison& comparison);

// The stratified estimate over disjoint strata, weighted by their sizes; strata where the arm has no standard error are
// left out.
ArmEstimate combined_arm(std::span<const ArmEstimate> strata, std::span<const std::int64_t> sizes);

// What an arm yields beyond another, of other customers, with its 95 % interval by the normal distribution.
struct ArmDifference {
    double mean = unknown, ci_low = unknown, ci_high = unknown, se = unknown;
};
ArmDifference arm_difference(const ArmEstimate& arm, const ArmEstimate& other);

// The standard error behind a 95 % interval by the normal distribution.
double normal_se(double ci_low, double ci_high);

// A difference once the arm's estimate was replaced by another; that of the other arm keeps its own error.
ArmDifference difference_of_replaced(const ArmEstimate& replaced, const ArmEstimate& arm, double difference, double se);

// Refuses what are no estimates of means, of which there are one or more.
void check_estimates(std::span<const double> means, std::span<const double> ses);

// The probability of each arm that its mean is the highest, under independent normals; se 0 is a known mean.
std::vector<double> best_arm_probabilities(std::span<const double> means, std::span<const double> ses);

// What each of so many arms is to keep, so that it stays measurable: 5 %, of many arms half of an even share.
double least_weight(std::int64_t arms);

// Those probabilities, none below the floor, in four decimals that sum to 1.
std::vector<double> propose_weights(std::span<const double> means, std::span<const double> ses, double floor);

}  // namespace clientele
