// I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy and A. Ramdas, "Time-uniform central limit theory and asymptotic
// confidence sequences", Annals of Statistics 52 (2024): equation (13), with rho tuned for a sample size as in their
// appendix. GrowthBook uses this form, with N* = 5000.
#include "core/experiment/sequential.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

#include "core/base/error.hpp"
#include "core/base/format.hpp"

namespace clientele {
namespace {

void check_settings(double alpha, double tuning) {
    if (!(alpha > 0 && alpha < 1)) {
        throw Error(ErrorKind::invalid_parameter, "alpha out of range", "It is " + shown(alpha) + ".",
                    "alpha is the probability to miss: above 0 and below 1; 0.05 is customary.");
    }
    if (!(tuning >= 1 && tuning <= 1e15)) {
        throw Error(ErrorKind::invalid_parameter, "tuning out of range", "It is " + shown(tuning) + ".",
                    "tuning is the number of rows at which the interval shall be narrowest: from 1 to 1e15.");
    }
}

// How many standard errors the boundary is wide after n rows, of which each has the average variance.
double boundary(double n, double alpha, double tuning) {
    const double log_alpha = -2 * std::log(alpha);
    const double rho_squared = (log_alpha + std::log(log_alpha + 1)) / tuning;
    const double n_rho = n * rho_squared;
    return std::sqrt(2 * (n_rho + 1) / n_rho * (0.5 * std::log1p(n_rho) - std::log(alpha)));
}

// Infinity rather than an exception, where a quantile is beyond doubles.
using Limitless =
    boost::math::policies::policy<boost::math::policies::overflow_error<boost::math::policies::ignore_error>>;

// As far out in Student's t as z is in the normal: at a few rows a standard error is itself a guess.
double as_student(double z, double df) {
    const double tail = cdf(complement(boost::math::normal(), z));
    // Beyond any double's tail nothing is known.
    return tail > 0 ? quantile(complement(boost::math::students_t_distribution<double, Limitless>(df), tail)) : unknown;
}

// Found by `make simulate`.
constexpr std::int64_t fewest_rows = 100, fewest_nonzero = 30;

}  // namespace

SequentialInterval sequential_interval(const Lift& lift, double alpha, double tuning,
                                       std::optional<std::int64_t> nonzero_control) {
    check_settings(alpha, tuning);
    check_lift(lift);
    if (nonzero_control && *nonzero_control < 0) {
        throw Error(ErrorKind::invalid_parameter, "nonzero_control is negative",
                    fmt::format("It is {}.", *nonzero_control),
                    "It is the number of control rows whose outcome is not zero, or NULL where that is not known.");
    }
    if (!(lift.se > 0) || std::min(lift.n_control, lift.n_treated) < fewest_rows) return {};
    if (nonzero_control && *nonzero_control < fewest_nonzero) return {};
    const double n = static_cast<double>(lift.n_control) + static_cast<double>(lift.n_treated);
    const double half = lift.se * as_student(boundary(n, alpha, tuning), lift.df);
    return {lift.effect - half, lift.effect + half};
}

}  // namespace clientele
