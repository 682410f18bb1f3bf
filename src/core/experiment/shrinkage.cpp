// B. Efron and C. Morris, "Stein's estimation rule and its competitors: an empirical Bayes approach", JASA 68 (1973);
// the uncertainty of the mean and of tau as in C. N. Morris, "Parametric empirical Bayes inference", JASA 78 (1983). W.
// G. Cochran, "The combination of estimates from different experiments", Biometrics 10 (1954).
#include "core/experiment/shrinkage.hpp"

#include <algorithm>
#include <cmath>

#include <boost/math/distributions/chi_squared.hpp>

#include "core/experiment/arm_value.hpp"
#include "core/experiment/experiment.hpp"

namespace clientele {
namespace {

double mean_of(std::span<const double> values) {
    double sum = 0;
    for (const double value : values) sum += value / static_cast<double>(values.size());
    return sum;
}

double variance_of(std::span<const double> values) {
    const double mean = mean_of(values);
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return squares / static_cast<double>(values.size() - 1);
}

double mean_square(std::span<const double> values) {
    double sum = 0;
    for (const double value : values) sum += value * value / static_cast<double>(values.size());
    return sum;
}

double tau_squared(std::span<const double> means, std::span<const double> ses) {
    return std::max(0.0, variance_of(means) - mean_square(ses));
}

// The mean weighted by precision, and its variance. Means that are known outweigh all others.
struct Centre {
    double mean = 0, variance = 0;
};

Centre centre_of(std::span<const double> means, std::span<const double> ses, double tau2) {
    const bool any_known = std::any_of(ses.begin(), ses.end(), [&](double se) { return tau2 + se * se == 0; });
    double weights = 0;
    Centre centre;
    for (std::size_t i = 0; i < means.size(); ++i) {
        const double variance = tau2 + ses[i] * ses[i];
        const double weight = any_known ? (variance == 0 ? 1 : 0) : 1 / variance;
        weights += weight;
        centre.mean += weight * means[i];
    }
    centre.mean /= weights;
    centre.variance = any_known ? 0 : 1 / weights;
    return centre;
}

// The probability of differences like these between estimates of the same value.
double homogeneity(std::span<const double> means, std::span<const double> ses) {
    if (*std::min_element(ses.begin(), ses.end()) == 0) return variance_of(means) > 0 ? 0 : 1;
    const Centre centre = centre_of(means, ses, 0);
    double q = 0;
    for (std::size_t i = 0; i < means.size(); ++i) q += std::pow((means[i] - centre.mean) / ses[i], 2);
    const boost::math::chi_squared distribution(static_cast<double>(means.size() - 1));
    return cdf(complement(distribution, q));
}

}  // namespace

Spread spread_of(std::span<const double> means, std::span<const double> ses) {
    check_estimates(means, ses);
    if (means.size() < 2) return {};
    return {std::sqrt(tau_squared(means, ses)), homogeneity(means, ses)};
}

Shrunken shrunken(std::span<const double> means, std::span<const double> ses) {
    check_estimates(means, ses);
    Shrunken result{{means.begin(), means.end()}, {ses.begin(), ses.end()}};
    if (means.size() < 2) return result;
    const double tau2 = tau_squared(means, ses);
    const Centre centre = centre_of(means, ses, tau2);
    // tau is estimated, too: what was taken off may have been true.
    const double unsure = 2 / std::max(static_cast<double>(means.size()) - 3, 1.0);
    for (std::size_t i = 0; i < means.size(); ++i) {
        const double variance = ses[i] * ses[i];
        const double kept = variance == 0 ? 1 : tau2 / (tau2 + variance);
        result.means[i] = centre.mean + kept * (means[i] - centre.mean);
        const double drawn = (1 - kept) * (1 - kept), distance = means[i] - centre.mean;
        result.ses[i] = std::sqrt(kept * variance + drawn * (centre.variance + unsure * distance * distance));
    }
    return result;
}

std::int64_t enrolments_to_tell_apart(std::span<const double> means, std::span<const double> ses,
                                      std::span<const std::int64_t> enrolments) {
    check_estimates(means, ses);
    const auto place = [&](auto found) { return static_cast<std::size_t>(found - means.begin()); };
    const std::size_t worst = place(std::min_element(means.begin(), means.end()));
    const std::size_t best = place(std::max_element(means.begin(), means.end()));
    const double difference = means[best] - means[worst];
    const auto deviation = [&](std::size_t arm) { return ses[arm] * std::sqrt(static_cast<double>(enrolments[arm])); };
    constexpr double next_to_nothing = 1e-6;  // of how much enrolments differ: it would take 10^13 of them
    if (difference <= next_to_nothing * std::max(deviation(worst), deviation(best))) return 0;
    const std::int64_t of_two = lift_sample_size(difference, deviation(worst), deviation(best), 0.5, {});
    return of_two * static_cast<std::int64_t>(means.size()) / 2;
}

}  // namespace clientele
