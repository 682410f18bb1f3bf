// J. Hajek (1971), the ratio estimator; A. Swaminathan and T. Joachims, "The self-normalized estimator for
// counterfactual learning", NIPS 2015. W. R. Thompson, "On the likelihood that one unknown probability exceeds
// another", Biometrika 25 (1933).
#include "core/experiment/arm_value.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>

#include <boost/math/distributions/normal.hpp>
#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/special_functions/erf.hpp>

#include "core/base/error.hpp"
#include "core/base/format.hpp"

namespace clientele {
namespace {

[[noreturn]] void refuse(const std::string& message, const std::string& detail, const char* hint) {
    throw Error(ErrorKind::invalid_parameter, message, detail, hint);
}

// The interval of a mean whose standard error has this many degrees of freedom; none where no outcome varies.
void set_interval(ArmEstimate& estimate, double df) {
    if (!(estimate.se > 0)) return;
    const double half = estimate.se * student_quantile(0.95, df);
    estimate.ci_low = estimate.mean - half;
    estimate.ci_high = estimate.mean + half;
}

void check_strata(std::span<const ArmEstimate> strata, std::span<const std::int64_t> sizes) {
    if (strata.size() != sizes.size()) {
        refuse("estimates and sizes must have the same length",
               fmt::format("There are {} estimates and {} sizes.", strata.size(), sizes.size()),
               "Give the estimate of each stratum and the number of its customers, in the same order.");
    }
    for (std::size_t at = 0; at < strata.size(); ++at) {
        const ArmEstimate& stratum = strata[at];
        if (sizes[at] < stratum.customers || stratum.customers < 0) {
            refuse("size of a stratum out of range",
                   fmt::format("Size {} is {}, of which {} are in the arm.", at + 1, sizes[at], stratum.customers),
                   "A size is the number of all customers of the stratum, whatever their arm.");
        }
        const bool known = stratum.customers >= 2 && std::abs(stratum.mean) <= max_outcome && stratum.se >= 0;
        if (!std::isnan(stratum.se) && !(known && stratum.se <= max_outcome)) {
            refuse("this is no result of arm_value()", fmt::format("Estimate {} is out of range.", at + 1),
                   "Pass results of arm_value() as they are.");
        }
    }
}

double normal_cdf(double z) { return 0.5 * boost::math::erfc(-z / std::sqrt(2.0)); }
double normal_pdf(double z) { return std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi); }

// The arms whose means are not known exactly, and the integral of each one's density times all others' distributions.
class UncertainArms {
  public:
    UncertainArms(std::span<const double> means, std::span<const double> ses) {
        for (std::size_t arm = 0; arm < means.size(); ++arm) {
            if (ses[arm] > 0) arms_.push_back({means[arm], ses[arm]});
        }
        best_.resize(arms_.size());
        below_.resize(arms_.size());
        above_.resize(arms_.size() + 1);
    }

    // The probability that all are below this.
    double all_below(double level) const {
        double product = 1;
        for (const Normal& arm : arms_) product *= normal_cdf(arm.z(level));
        return product;
    }

    // The probability of each to be the highest, and above this.
    const std::vector<double>& best_above(double level) {
        const std::vector<double> cuts = cuts_above(level);
        for (std::size_t cut = 1; cut < cuts.size(); ++cut) add_interval(cuts[cut - 1], cuts[cut]);
        return best_;
    }

  private:
    struct Normal {
        double mean, se;
        double z(double level) const { return (level - mean) / se; }
    };

    // Between these places every density is smooth.
    std::vector<double> cuts_above(double level) const {
        std::vector<double> cuts;
        for (const Normal& arm : arms_) {
            for (int half = -16; half <= 16; half += 2) cuts.push_back(std::max(level, arm.mean + 0.5 * half * arm.se));
        }
        std::sort(cuts.begin(), cuts.end());
        return cuts;
    }

    void add_interval(double from, double to) {
        using Rule = boost::math::quadrature::gauss<double, 20>;
        const double middle = 0.5 * from + 0.5 * to, half = 0.5 * to - 0.5 * from;
        if (!(half > 0)) return;
        for (std::size_t node = 0; node < Rule::abscissa().size(); ++node) {
            add_point(middle - half * Rule::abscissa()[node], half * Rule::weights()[node]);
            add_point(middle + half * Rule::abscissa()[node], half * Rule::weights()[node]);
        }
    }

    // The product over the others is that of those before and of those after: no division by what may be 0.
    void add_point(double level, double weight) {
        const std::size_t n = arms_.size();
        above_[n] = 1;
        for (std::size_t arm = n; arm-- > 0;) {
            below_[arm] = normal_cdf(arms_[arm].z(level));
            above_[arm] = above_[arm + 1] * below_[arm];
        }
        double before = 1;
        for (std::size_t arm = 0; arm < n; ++arm) {
            const double density = normal_pdf(arms_[arm].z(level)) / arms_[arm].se;
            best_[arm] += weight * density * before * above_[arm + 1];
            before *= below_[arm];
        }
    }

    std::vector<Normal> arms_;
    std::vector<double> best_, below_, above_;
};

constexpr int weight_units = 10'000;

// Probabilities with the floor under them: those above it give up, in proportion, what the others need.
std::vector<double> floored(std::span<const double> probabilities, double floor) {
    std::vector<double> weights(probabilities.begin(), probabilities.end());
    std::vector<bool> is_low(weights.size(), false);
    for (bool changed = true; changed;) {
        double free = 1, rest = 0;
        for (std::size_t arm = 0; arm < weights.size(); ++arm) {
            if (is_low[arm]) {
                free -= floor;
            } else {
                rest += probabilities[arm];
            }
        }
        changed = false;
        for (std::size_t arm = 0; arm < weights.size(); ++arm) {
            weights[arm] = is_low[arm] ? floor : probabilities[arm] / rest * free;
            if (is_low[arm] || weights[arm] >= floor) continue;
            is_low[arm] = changed = true;
        }
    }
    return weights;
}

// Shares in whole units that sum to all of them: the largest remainders are rounded up.
std::vector<int> rounded_shares(std::span<const double> shares) {
    std::vector<int> units(shares.size());
    std::vector<std::size_t> order(shares.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    int left = weight_units;
    const auto whole = [&](std::size_t arm) { return std::floor(shares[arm] * weight_units + 1e-6); };
    for (std::size_t arm = 0; arm < shares.size(); ++arm) left -= units[arm] = static_cast<int>(whole(arm));
    std::stable_sort(order.begin(), order.end(), [&](auto one, auto other) {
        return shares[one] * weight_units - whole(one) > shares[other] * weight_units - whole(other);
    });
    for (std::size_t at = 0; left > 0; at = (at + 1) % order.size(), --left) ++units[order[at]];
    return units;
}

}  // namespace

ArmEstimate arm_value(const Comparison& comparison) {
    comparison.check(Rows::weighted);
    const CentredMoments m(comparison.treated);
    ArmEstimate estimate{.customers = m.n};
    if (m.sum_x.sign() <= 0) return estimate;
    estimate.mean = quotient(m.sum_y, m.sum_x);
    if (m.n < 2) return estimate;
    estimate.se = std::sqrt(ratio_variance(m));
    set_interval(estimate, static_cast<double>(m.n - 1));
    return estimate;
}

ArmEstimate combined_arm(std::span<const ArmEstimate> strata, std::span<const std::int64_t> sizes) {
    check_strata(strata, sizes);
    if (strata.size() == 1) return strata.front();
    double size = 0, variance = 0, welch = 0;
    for (std::size_t at = 0; at < strata.size(); ++at) {
        if (!std::isnan(strata[at].se)) size += static_cast<double>(sizes[at]);
    }
    ArmEstimate total;
    if (size == 0) return total;
    total.mean = 0;
    for (std::size_t at = 0; at < strata.size(); ++at) {
        const ArmEstimate& stratum = strata[at];
        if (std::isnan(stratum.se)) continue;
        const double weight = static_cast<double>(sizes[at]) / size;
        const double own = weight * weight * stratum.se * stratum.se;
        total.customers += stratum.customers;
        total.mean += weight * stratum.mean;
        variance += own;
        welch += own * own / static_cast<double>(stratum.customers - 1);
    }
    total.se = std::sqrt(variance);
    set_interval(total, variance * variance / welch);
    return total;
}

double normal_se(double ci_low, double ci_high) {
    return (ci_high - ci_low) / 2 / quantile(boost::math::normal(), 0.975);
}

ArmDifference difference_of_replaced(const ArmEstimate& replaced, const ArmEstimate& arm, double difference,
                                     double se) {
    ArmEstimate other{.mean = arm.mean - difference};
    other.se = std::sqrt(std::max(0.0, se * se - arm.se * arm.se));
    return arm_difference(replaced, other);
}

ArmDifference arm_difference(const ArmEstimate& arm, const ArmEstimate& other) {
    const double se = std::hypot(arm.se, other.se), half = quantile(boost::math::normal(), 0.975) * se;
    const double mean = arm.mean - other.mean;
    return {mean, mean - half, mean + half, se};
}

void check_estimates(std::span<const double> means, std::span<const double> ses) {
    if (means.size() != ses.size()) {
        refuse("means and ses must have the same length",
               fmt::format("There are {} means and {} standard errors.", means.size(), ses.size()),
               "Give the mean and the standard error of each arm, in the same order.");
    }
    if (means.empty()) refuse("there are no estimates", "means is empty.", "Give at least one.");
    for (std::size_t arm = 0; arm < means.size(); ++arm) {
        const bool known = ses[arm] == 0 || (ses[arm] >= 1 / max_outcome && ses[arm] <= max_outcome);
        if (std::abs(means[arm]) <= max_outcome && known) continue;
        refuse("estimate of an arm out of range",
               fmt::format("Mean {} is {}, with the standard error {}.", arm + 1, shown(means[arm]), shown(ses[arm])),
               "Means are finite numbers up to 1e100 in magnitude, standard errors 0, or from 1e-100 to 1e100.");
    }
}

std::vector<double> best_arm_probabilities(std::span<const double> means, std::span<const double> ses) {
    if (means.empty() || means.size() > max_arms) {
        refuse("number of arms out of range", fmt::format("It is {}.", means.size()), "1 to 100 can be compared.");
    }
    check_estimates(means, ses);
    double known = -std::numeric_limits<double>::infinity();
    int equals = 0;
    for (std::size_t arm = 0; arm < means.size(); ++arm) {
        if (ses[arm] > 0 || means[arm] < known) continue;
        equals = means[arm] > known ? 1 : equals + 1;
        known = means[arm];
    }
    UncertainArms uncertain(means, ses);
    const double all_below = uncertain.all_below(known);
    const std::vector<double>& best = uncertain.best_above(known);
    std::vector<double> probabilities(means.size(), 0);
    auto next = best.begin();
    for (std::size_t arm = 0; arm < means.size(); ++arm) {
        if (ses[arm] > 0) {
            probabilities[arm] = *next++;
        } else if (means[arm] == known) {
            probabilities[arm] = all_below / equals;
        }
    }
    const double sum = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
    for (double& probability : probabilities) probability /= sum;
    return probabilities;
}

double least_weight(std::int64_t arms) { return std::min(0.05, 0.5 / static_cast<double>(arms)); }

std::vector<double> propose_weights(std::span<const double> means, std::span<const double> ses, double floor) {
    const std::vector<double> probabilities = best_arm_probabilities(means, ses);
    const double lowest = std::floor(floor * weight_units + 1e-6) / weight_units;
    if (!(floor >= 0 && floor * static_cast<double>(means.size()) <= 1 + 1e-9)) {
        refuse("floor out of range", fmt::format("It is {}, of {} arms.", shown(floor), means.size()),
               "The floor is from 0 to 1 / number of arms.");
    }
    const std::vector<int> units = rounded_shares(floored(probabilities, lowest));
    std::vector<double> weights(units.size());
    std::transform(units.begin(), units.end(), weights.begin(),
                   [](int share) { return static_cast<double>(share) / weight_units; });
    return weights;
}

}  // namespace clientele
