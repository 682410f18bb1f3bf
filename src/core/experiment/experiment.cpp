// K. Pearson (1900), chi-square goodness of fit; J. Cohen, "Statistical Power Analysis for the Behavioral Sciences"
// (1988), normal approximation; S. Holm, "A simple sequentially rejective multiple test procedure" (1979); R. Kohavi,
// A. Deng, R. Longbotham and Y. Xu, "Seven rules of thumb for web site experimenters" (2014), rule 7.
#include "core/experiment/experiment.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>

#include "core/base/error.hpp"
#include "core/base/format.hpp"
#include "core/experiment/moments.hpp"

namespace clientele {
namespace {

[[noreturn]] void refuse(const std::string& message, const std::string& detail, const char* hint) {
    throw Error(ErrorKind::invalid_parameter, message, detail, hint);
}

void check_arms(std::span<const std::int64_t> observed, std::span<const double> expected) {
    if (observed.size() != expected.size()) {
        refuse("observed and expected must have the same length",
               fmt::format("There are {} counts and {} weights.", observed.size(), expected.size()),
               "Give one count and one weight for each arm, in the same order.");
    }
    for (std::size_t arm = 0; arm < observed.size(); ++arm) {
        if (observed[arm] < 0) {
            refuse("count of an arm is negative", fmt::format("Count {} is {}.", arm + 1, observed[arm]),
                   "Counts are numbers of units, 0 or more.");
        }
        if (!(expected[arm] >= 0 && std::isfinite(expected[arm]))) {
            refuse("weight of an arm is not a weight", fmt::format("Weight {} is {}.", arm + 1, shown(expected[arm])),
                   "Weights are finite numbers of 0 or more; they need not sum to 1.");
        }
    }
}

void check_sd(double sd) {
    if (sd >= 0 && sd <= max_outcome) return;
    refuse("standard deviation out of range", "It is " + shown(sd) + ".",
           "Standard deviations are from 0 to 1e100, such as sd_control of lift().");
}

void check_share(double value, const char* name) {
    if (value > 0 && value < 1) return;
    refuse(std::string(name) + " out of range", "It is " + shown(value) + ".", "It is above 0 and below 1.");
}

// What the effect must be in standard errors: z(1 - alpha/2) + z(power).
double standard_errors(const Power& asked) {
    check_share(asked.power, "power");
    check_share(asked.alpha, "alpha");
    constexpr double least_alpha = 1e-300;  // half of it is a number yet
    if (asked.alpha < least_alpha) {
        refuse("alpha out of range", "It is " + shown(asked.alpha) + ".", "It is at least 1e-300; 0.05 is customary.");
    }
    if (!(asked.power > asked.alpha / 2)) {
        refuse("power is not above alpha / 2",
               "Power is " + shown(asked.power) + ", and alpha " + shown(asked.alpha) + ".",
               "Chance alone has that power; 0.8 and 0.05 are customary.");
    }
    const boost::math::normal z;
    return quantile(complement(z, asked.alpha / 2)) + quantile(z, asked.power);
}

}  // namespace

double srm_pvalue(std::span<const std::int64_t> observed, std::span<const double> expected) {
    check_arms(observed, expected);
    double units = 0, greatest = 0, weights = 0;
    int arms = 0;
    for (const double weight : expected) greatest = std::max(greatest, weight);
    for (std::size_t arm = 0; arm < observed.size(); ++arm) {
        if (expected[arm] == 0) continue;
        ++arms;
        units += static_cast<double>(observed[arm]);
        weights += expected[arm] / greatest;
    }
    if (arms < 2 || units == 0) return 1;
    double statistic = 0;
    for (std::size_t arm = 0; arm < observed.size(); ++arm) {
        if (expected[arm] == 0) continue;
        const double mean = units * (expected[arm] / greatest / weights);
        const double miss = static_cast<double>(observed[arm]) - mean;
        if (miss != 0) statistic += miss * (miss / mean);
    }
    if (!std::isfinite(statistic)) return 0;
    return cdf(complement(boost::math::chi_squared(arms - 1), statistic));
}

double minimum_detectable_effect(const ArmSpread& control, const ArmSpread& treated, const Power& asked) {
    const double needed = standard_errors(asked);
    for (const ArmSpread* arm : {&control, &treated}) {
        check_sd(arm->sd);
        if (arm->n < 0) {
            refuse("number of rows is negative", fmt::format("It is {}.", arm->n), "It is 0 or more.");
        }
    }
    if (control.n == 0 || treated.n == 0) return std::numeric_limits<double>::quiet_NaN();
    return needed * std::hypot(control.sd / std::sqrt(control.n), treated.sd / std::sqrt(treated.n));
}

std::int64_t lift_sample_size(double effect, double sd_control, double sd_treated, double share_treated,
                              const Power& asked) {
    constexpr double largest = 9'007'199'254'740'992;  // doubles count no further one by one
    if (!(std::abs(effect) > 0 && std::isfinite(effect))) {
        refuse("effect out of range", "It is " + shown(effect) + ".",
               "Name the smallest effect that would matter: a finite number, not 0.");
    }
    check_sd(sd_control);
    check_sd(sd_treated);
    check_share(share_treated, "share_treated");
    const double ratio = standard_errors(asked) / std::abs(effect);
    const double spread = std::hypot(sd_treated / std::sqrt(share_treated), sd_control / std::sqrt(1 - share_treated));
    // Two in the smaller arm have a spread at all.
    const double fewest = 2 / std::min(share_treated, 1 - share_treated);
    constexpr double rounding = 1 - 1e-12;  // 2 / (1 - 0.9) is 20, and not 21
    const double size = std::ceil(rounding * std::max(ratio * spread * (ratio * spread), fewest));
    if (!(size <= largest)) {
        throw Error(ErrorKind::numeric_range, "no sample is large enough",
                    "An effect of " + shown(effect) + " would need " + shown(size) + " units.",
                    "Name an effect that is larger against the standard deviations.");
    }
    return static_cast<std::int64_t>(size);
}

std::int64_t normal_from(double squared_skewness) {
    constexpr double fewest = 100, most = 9e18;
    const double needed = std::ceil(355 * squared_skewness);
    return static_cast<std::int64_t>(std::min(most, std::max(fewest, std::isnan(needed) ? 0 : needed)));
}

void adjust_holm(std::span<double> p) {
    std::vector<std::size_t> order;
    for (std::size_t test = 0; test < p.size(); ++test) {
        if (std::isnan(p[test])) continue;
        if (!(p[test] >= 0 && p[test] <= 1)) {
            refuse("p-value out of range", fmt::format("Element {} is {}.", test + 1, shown(p[test])),
                   "A p-value is from 0 to 1, or NULL where there was no test.");
        }
        order.push_back(test);
    }
    std::sort(order.begin(), order.end(), [&](auto left, auto right) { return p[left] < p[right]; });
    double adjusted = 0;
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
        adjusted = std::max(adjusted, std::min(1.0, p[order[rank]] * static_cast<double>(order.size() - rank)));
        p[order[rank]] = adjusted;
    }
}

}  // namespace clientele
