// What comparisons of arms keep of their rows: counts, and exact sums of two variables, their squares and their
// product.
#pragma once

#include <cstdint>

#include "core/base/exact_sum.hpp"

namespace clientele {

// Beyond this magnitude a value is refused: its square could no longer be summed.
inline constexpr double max_outcome = 1e100;

// The sums of the rows of one arm: y is the outcome (or a ratio's numerator, or a weighted outcome), x the covariate
// (or the denominator, or the weight).
struct PairMoments {
    std::int64_t n = 0;
    ExactSum y, yy, x, xx, xy;

    void add(double outcome);
    void add(double outcome, double other);
    void merge(const PairMoments& more);
};

// PairMoments as numbers. A centred moment is n times the sum of the products of deviations from the means.
struct CentredMoments {
    explicit CentredMoments(const PairMoments& moments);

    std::int64_t n;
    ExactNumber count, sum_y, sum_x;
    ExactNumber sum_yy, sum_xx, sum_xy;  // plain
    ExactNumber yy, xx, xy;              // centred
};

// Sums as a user gives them.
struct GivenMoments {
    std::int64_t n = 0;
    double y = 0, yy = 0, x = 0, xx = 0, xy = 0;
};

// What rows with these sums have; refuses sums that no rows can have, beyond rounding. `arm` names them in errors.
PairMoments checked_moments(const GivenMoments& given, const char* arm);

// Refuses a value that is not finite or beyond max_outcome; `name` is what errors call it.
void check_outcome(double value, const char* name);

// What the rows of a comparison are. The numbers mark the bytes of a state, and their order.
enum class Rows : std::uint32_t { outcomes = 0x434C4931, adjusted, ratios, weighted };

// The state of the aggregates: flat memory, the same bytes for the same rows in any order. Weighted rows have one arm,
// the treated.
struct Comparison {
    Rows rows = Rows::outcomes;
    std::uint32_t padding = 0;  // no byte is left to chance
    PairMoments control, treated;

    void add_outcome(double outcome, bool is_treated);
    void add_adjusted(double outcome, double covariate, bool is_treated);
    void add_ratio(double numerator, double denominator, bool is_treated);
    void add_weighted(double outcome, double propensity);

    // Refuses what cannot be a state: it may come from elsewhere.
    void check(Rows expected) const;
    void merge(const Comparison& other);

  private:
    PairMoments& arm(bool is_treated) { return is_treated ? treated : control; }
};

// What the shape of the outcomes of both arms follows from. Like a Comparison the state of an aggregate.
struct OutcomeSums {
    std::int64_t n = 0;
    std::int64_t nonzero_control = 0;
    ExactSum y, yy;
    ExactCubeSum yyy;

    void add(double outcome, bool is_treated);

    // Refuses what cannot be a state: it may come from elsewhere.
    void check() const;
    void merge(const OutcomeSums& more);
};

// The square of the skewness of the population of these rows; NaN where they do not vary.
double squared_skewness(const OutcomeSums& sums);

}  // namespace clientele
