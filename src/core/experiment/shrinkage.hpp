// Empirical Bayes: estimates of several arms, or segments, each drawn towards their common mean as far as their
// differences are noise.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace clientele {

// How much the true values differ; NaN of fewer than two estimates.
struct Spread {
    double tau = std::numeric_limits<double>::quiet_NaN();  // standard deviation of the true values
    double p_value =
        std::numeric_limits<double>::quiet_NaN();  // of what the estimates differ in, if the true values do not
    bool told_apart() const { return tau > 0 && p_value < 0.05; }
};

// tau^2 is the variance of the estimates less their mean squared standard error, at least 0; the p-value is that of
// Cochran's Q.
Spread spread_of(std::span<const double> means, std::span<const double> ses);

// The estimates, shrunken, with their standard errors; a single one stays as it is.
struct Shrunken {
    std::vector<double> means, ses;
};
Shrunken shrunken(std::span<const double> means, std::span<const double> ses);

// How many enrolments it takes to tell the best from the worst with 80 % power, all arms being equally large, if they
// are as different as they seem; 0 where they seem to be the same. enrolments: those that each estimate rests on.
std::int64_t enrolments_to_tell_apart(std::span<const double> means, std::span<const double> ses,
                                      std::span<const std::int64_t> enrolments);

}  // namespace clientele
