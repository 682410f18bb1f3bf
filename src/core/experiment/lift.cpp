// B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
// Biometrika 34 (1947). CUPED: A. Deng, Y. Xu, R. Kohavi and T. Walker, "Improving the sensitivity of online controlled
// experiments by utilizing pre-experiment data", WSDM 2013; theta is that of both arms stacked, as GrowthBook's.
// Ratios: A. Deng, U. Knoblich and J. Lu, "Applying the delta method in metric analytics", KDD 2018.
#include "core/experiment/lift.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <boost/math/distributions/students_t.hpp>

#include "core/base/error.hpp"

namespace clientele {
namespace {

constexpr double coverage = 0.95;

// An arm's mean, and what its mean or ratio adds to the variance of an effect.
struct Arm {
    std::int64_t n = 0;
    double mean = unknown;
    double variance = unknown;   // of the rows: adjusted, or linearised
    double plain = unknown;      // of the rows, unadjusted
    double with_mean = unknown;  // covariance of adjusted and plain rows

    double of_mean(double row_variance) const { return row_variance / static_cast<double>(n); }
};

// A variance, or 0 where it is no more than what doubles of this mean square round away: such rows do not vary.
double beyond_rounding(double variance, double mean_square) {
    return variance > 0x1p-100 * mean_square || std::isinf(variance) ? variance : 0;
}

// theta as a fraction, so that what it adjusts stays exact.
struct Fraction {
    ExactNumber above{0}, below{1};
};

Fraction theta_of(const Comparison& comparison) {
    PairMoments both = comparison.control;
    both.merge(comparison.treated);
    const CentredMoments m(both);
    if (m.xx.sign() == 0) return {};
    return {m.xy, m.xx};
}

Arm arm_of(const CentredMoments& m, const Fraction& theta) {
    Arm arm{.n = m.n};
    if (m.n < 1) return arm;
    arm.mean = quotient(m.sum_y, m.count);
    if (m.n < 2) return arm;
    const ExactNumber pairs = m.count * ExactNumber(m.n - 1), &p = theta.above, &q = theta.below;
    const ExactNumber crossed = p * q * m.xy;
    const double mean_square = quotient(m.sum_yy, m.count);
    arm.variance =
        beyond_rounding(quotient(q * q * m.yy - crossed - crossed + p * p * m.xx, q * q * pairs), mean_square);
    arm.plain = beyond_rounding(quotient(m.yy, pairs), mean_square);
    arm.with_mean = quotient(q * m.yy - p * m.xy, q * pairs);
    return arm;
}

// The ratio of the sums, and the rows that ratio_variance() is of.
Arm ratio_arm_of(const CentredMoments& m) {
    Arm arm{.n = m.n};
    if (m.sum_x.sign() <= 0) return arm;
    arm.mean = quotient(m.sum_y, m.sum_x);
    if (m.n < 2) return arm;
    arm.variance = ratio_variance(m) * static_cast<double>(m.n);
    arm.plain = arm.with_mean = arm.variance;
    return arm;
}

ExactNumber times(const ExactNumber& left, const CentredMoments& right) { return left * right.count; }

// mean_treated - mean_control - theta x the same of the covariate; both arms have rows.
double effect_of(const CentredMoments& control, const CentredMoments& treated, const Fraction& theta) {
    const ExactNumber outcome = times(treated.sum_y, control) - times(control.sum_y, treated);
    const ExactNumber covariate = times(treated.sum_x, control) - times(control.sum_x, treated);
    return quotient(theta.below * outcome - theta.above * covariate, theta.below * control.count * treated.count);
}

// Welch's degrees of freedom, from the variances of the two means, of which one is not zero.
double welch_df(double control, double n_control, double treated, double n_treated) {
    const double share = control / (control + treated), rest = 1 - share;
    return 1 / (share * share / (n_control - 1) + rest * rest / (n_treated - 1));
}

double two_sided_p(double t, double df) {
    return std::min(1.0, 2 * cdf(complement(boost::math::students_t(df), std::abs(t))));
}

bool has_error(const Lift& lift) { return lift.se > 0 && std::isfinite(lift.se) && std::isfinite(lift.df); }

// Interval and test of the effect, where se and df are known.
void set_inference(Lift& lift) {
    if (!has_error(lift)) return;
    const double half = lift.se * student_quantile(coverage, lift.df);
    lift.ci_low = lift.effect - half;
    lift.ci_high = lift.effect + half;
    lift.p_value = two_sided_p(lift.effect / lift.se, lift.df);
}

// The relative effect; `variance` is that of the effect's mean after the delta method, times mean_control^2.
void set_relative(Lift& lift, double variance) {
    if (lift.mean_control == 0) return;
    lift.relative_effect = lift.effect / lift.mean_control;
    if (!has_error(lift)) return;
    const double se = std::sqrt(std::max(0.0, variance)) / std::abs(lift.mean_control);
    const double half = se * student_quantile(coverage, lift.df);
    lift.relative_ci_low = lift.relative_effect - half;
    lift.relative_ci_high = lift.relative_effect + half;
}

void set_arms(Lift& lift, const Arm& control, const Arm& treated) {
    lift.n_control = control.n;
    lift.n_treated = treated.n;
    lift.mean_control = control.mean;
    lift.mean_treated = treated.mean;
    lift.sd_control = std::sqrt(control.variance);
    lift.sd_treated = std::sqrt(treated.variance);
}

// Standard error, intervals and test, where both arms have two rows.
void set_errors(Lift& lift, const Arm& control, const Arm& treated) {
    const double of_control = control.of_mean(control.variance), of_treated = treated.of_mean(treated.variance);
    lift.se = std::sqrt(of_control + of_treated);
    if (lift.se > 0) {
        lift.df = welch_df(of_control, static_cast<double>(control.n), of_treated, static_cast<double>(treated.n));
    }
    set_inference(lift);
    // effect / mean_control, differentiated in all raw means: the control rows are (adjusted + g plain). As GrowthBook
    // does, at equal covariate means, which randomisation makes.
    const double g = (lift.mean_treated - lift.mean_control) / lift.mean_control;
    const double slopes = control.variance + 2 * g * control.with_mean + g * g * control.plain;
    set_relative(lift, of_treated + control.of_mean(slopes));
}

Lift lift_of_ratios(const CentredMoments& m_control, const CentredMoments& m_treated) {
    const Arm control = ratio_arm_of(m_control), treated = ratio_arm_of(m_treated);
    Lift lift;
    set_arms(lift, control, treated);
    if (!std::isnan(control.mean) && !std::isnan(treated.mean)) {
        lift.effect = quotient(m_treated.sum_y * m_control.sum_x - m_control.sum_y * m_treated.sum_x,
                               m_control.sum_x * m_treated.sum_x);
    }
    set_errors(lift, control, treated);
    return lift;
}

// How much the adjustment took off the variance of the effect.
double reduction(const Arm& control, const Arm& treated) {
    const double plain = control.of_mean(control.plain) + treated.of_mean(treated.plain);
    const double adjusted = control.of_mean(control.variance) + treated.of_mean(treated.variance);
    return plain > 0 ? 1 - adjusted / plain : unknown;
}

// ---- Strata ----

// Sums over strata, each weighted by its share of the rows.
struct Strata {
    double rows = 0;
    double variance = 0, plain_variance = 0;  // of the effect
    double welch = 0;                         // sum of variance^2 / df
    double of_control = 0;                    // variance of the control means
    double plain_of_control = 0;
    bool adjusted = false;
};

bool is_usable(const Lift& lift) { return lift.n_control >= 2 && lift.n_treated >= 2 && std::isfinite(lift.se); }

double rows_of(const Lift& lift) { return static_cast<double>(lift.n_control) + static_cast<double>(lift.n_treated); }

void add_stratum(Strata& sums, Lift& total, const Lift& stratum) {
    const double weight = rows_of(stratum) / sums.rows;
    const double kept = std::isnan(stratum.variance_reduction) ? 1 : 1 - stratum.variance_reduction;
    const double variance = weight * weight * stratum.se * stratum.se;
    const double of_control =
        weight * weight * stratum.sd_control * stratum.sd_control / static_cast<double>(stratum.n_control);
    total.effect += weight * stratum.effect;
    total.mean_control += weight * stratum.mean_control;
    total.mean_treated += weight * stratum.mean_treated;
    sums.variance += variance;
    if (variance > 0) sums.welch += variance * variance / stratum.df;
    sums.plain_variance += variance > 0 ? variance / kept : 0;
    sums.of_control += of_control;
    sums.plain_of_control += of_control > 0 ? of_control / kept : 0;
    sums.adjusted |= !std::isnan(stratum.variance_reduction);
}

double pooled_sd(std::span<const Lift> strata, std::int64_t Lift::*n, double Lift::*sd) {
    double squares = 0, freedom = 0;
    for (const Lift& stratum : strata) {
        if (!is_usable(stratum)) continue;
        const double own = static_cast<double>(stratum.*n - 1);
        freedom += own;
        squares += own * stratum.*sd * stratum.*sd;
    }
    return std::sqrt(squares / freedom);
}

// theta where all strata have the same.
double common_theta(std::span<const Lift> strata) {
    const Lift* first = nullptr;
    for (const Lift& stratum : strata) {
        if (!is_usable(stratum)) continue;
        if (!first) first = &stratum;
        if (stratum.theta != first->theta) return unknown;
    }
    return first->theta;
}

void count_rows(std::int64_t& count, std::int64_t more) {
    if (more > std::numeric_limits<std::int64_t>::max() - count) {
        throw Error(ErrorKind::numeric_range, "the rows of all strata are too many", "Their sum exceeds bigint.",
                    "Strata are disjoint sets of rows.");
    }
    count += more;
}

[[noreturn]] void refuse_lift(const std::string& detail) {
    throw Error(ErrorKind::invalid_parameter, "this is no result of lift()", detail,
                "Pass results of lift(), lift_ratio(), lift_from_moments() or combine_lift() as they are.");
}

}  // namespace

double ratio_variance(const CentredMoments& m) {
    const ExactNumber crossed = m.sum_y * m.sum_x * m.sum_xy, square = m.sum_x * m.sum_x;
    const ExactNumber residual = m.sum_yy * square - crossed - crossed + m.sum_y * m.sum_y * m.sum_xx;
    const double variance = quotient(residual * m.count, square * square * ExactNumber(m.n - 1));
    return beyond_rounding(variance, quotient(m.sum_yy, square));
}

Lift lift_of(const Comparison& comparison) {
    comparison.check(comparison.rows);
    const CentredMoments m_control(comparison.control), m_treated(comparison.treated);
    if (comparison.rows == Rows::ratios) return lift_of_ratios(m_control, m_treated);
    const bool adjusts = comparison.rows == Rows::adjusted;
    const Fraction theta = adjusts ? theta_of(comparison) : Fraction{};
    const Arm control = arm_of(m_control, theta), treated = arm_of(m_treated, theta);
    Lift lift;
    set_arms(lift, control, treated);
    if (control.n > 0 && treated.n > 0) lift.effect = effect_of(m_control, m_treated, theta);
    set_errors(lift, control, treated);
    if (adjusts && control.n + treated.n > 0) {
        lift.theta = quotient(theta.above, theta.below);
        lift.variance_reduction = reduction(control, treated);
    }
    return lift;
}

Lift combined_lift(std::span<const Lift> strata) {
    for (const Lift& stratum : strata) check_lift(stratum);
    if (strata.size() == 1) return strata.front();
    Lift total;
    Strata sums;
    for (const Lift& stratum : strata) {
        if (!is_usable(stratum)) continue;
        sums.rows += rows_of(stratum);
        count_rows(total.n_control, stratum.n_control);
        count_rows(total.n_treated, stratum.n_treated);
    }
    if (sums.rows == 0) return total;
    total.effect = total.mean_control = total.mean_treated = 0;
    for (const Lift& stratum : strata) {
        if (is_usable(stratum)) add_stratum(sums, total, stratum);
    }
    total.sd_control = pooled_sd(strata, &Lift::n_control, &Lift::sd_control);
    total.sd_treated = pooled_sd(strata, &Lift::n_treated, &Lift::sd_treated);
    total.se = std::sqrt(sums.variance);
    if (total.se > 0) total.df = sums.variance * sums.variance / sums.welch;
    set_inference(total);
    const double g = (total.mean_treated - total.mean_control) / total.mean_control;
    set_relative(total, sums.variance + 2 * g * sums.of_control + g * g * sums.plain_of_control);
    total.theta = common_theta(strata);
    if (sums.adjusted && sums.variance > 0) total.variance_reduction = 1 - sums.variance / sums.plain_variance;
    return total;
}

double relative_se(const Lift& lift) {
    check_lift(lift);
    const double width = lift.relative_ci_high - lift.relative_ci_low;
    if (!std::isfinite(width) || !std::isfinite(lift.df)) return unknown;
    if (width < 0) refuse_lift("Its relative interval ends before it starts.");
    return width / 2 / student_quantile(coverage, lift.df);
}

double relative_p_value(const Lift& lift) {
    const double se = relative_se(lift);
    if (!(se > 0) || !std::isfinite(lift.relative_effect)) return unknown;
    return two_sided_p(lift.relative_effect / se, lift.df);
}

IncrementalShare incremental_share(const Lift& turned) {
    check_lift(turned);
    return {-turned.relative_effect, -turned.relative_ci_high, std::min(-turned.relative_ci_low, 1.0)};
}

void check_lift(const Lift& lift) {
    if (lift.n_control < 0 || lift.n_treated < 0) refuse_lift("A number of rows is negative.");
    if (lift.se < 0 || lift.sd_control < 0 || lift.sd_treated < 0) refuse_lift("A standard deviation is negative.");
    if (lift.df < 0.99) refuse_lift("Its degrees of freedom are below 1.");
    if (lift.variance_reduction > 1) refuse_lift("Its variance_reduction is above 1.");
    if (std::isnan(lift.se)) return;
    for (const double value :
         {lift.se, lift.effect, lift.mean_control, lift.mean_treated, lift.sd_control, lift.sd_treated}) {
        if (!std::isfinite(value)) refuse_lift("It has a standard error, but no finite effect, means and deviations.");
    }
    if (lift.se > 0 && !std::isfinite(lift.df)) refuse_lift("It has a standard error, but no degrees of freedom.");
}

double student_quantile(double coverage, double df) {
    return quantile(complement(boost::math::students_t(df), (1 - coverage) / 2));
}

}  // namespace clientele
