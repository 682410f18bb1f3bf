// G. K. Smyth, "Linear models and empirical Bayes methods" (2004), for the variances; moments for the means. Symbols
// are the paper's: d degrees of freedom, e = ln(s^2) - digamma(d / 2) + ln(d / 2).
#include "core/response/order_value.hpp"

#include <algorithm>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/polygamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "core/base/error.hpp"

namespace clientele {
namespace {

using boost::math::digamma;
using boost::math::trigamma;

// Below this customers' variances do not differ by more than chance, and d0 stands for infinity.
constexpr double least_excess = 1e-3;
constexpr double largest_d0 = 1'000;
constexpr double least_tau2 = 0.01;

double inverse_trigamma(double y) {
    double x = 0.5 + 1 / y;
    for (int i = 0; i < 60; ++i) {
        const double value = trigamma(x);
        const double step = value * (1 - value / y) / boost::math::polygamma(2, x);
        x += step;
        if (std::abs(step) < 1e-14 * x) break;
    }
    return x;
}

double mean(const ExactSum& sum, std::int64_t n) { return quotient(sum.value(), ExactNumber(n)); }

// The sample variance of n numbers of these sums.
double variance(const ExactSum& sum, const ExactSum& squares, std::int64_t n) {
    const ExactNumber count(n), total = sum.value();
    return quotient(count * squares.value() - total * total, count * ExactNumber(n - 1));
}

[[noreturn]] void refuse_state(const std::string& detail) {
    throw Error(ErrorKind::invalid_parameter, "invalid state of an aggregate", detail,
                "States are made by the aggregate itself.");
}

void check_member(const char* name, double value, bool fits, const char* accepted) {
    if (fits) return;
    throw Error(ErrorKind::invalid_parameter, std::string("invalid ") + name + " of a value_prior",
                "It is " + shown(value) + ".", std::string(accepted) + " fit_value_prior() makes one from profiles.");
}

// Of customers who differ by all that amounts can s0 is close to nothing.
constexpr double least = 1e-200, most = 1e12;

bool is_moderate(double value) { return value >= least && value <= most; }

}  // namespace

// Deviations are taken from the first value, so that equal values have none.
LogValues log_values(const Summary& profile) {
    LogValues values;
    double first = 0, sum = 0, squares = 0;
    for (const Order& order : std::span(profile.recent, profile.recent_count)) {
        if (order.amount <= 0) continue;
        const double log = std::log(static_cast<double>(order.amount));
        if (values.count++ == 0) first = log;
        sum += log - first;
        squares += (log - first) * (log - first);
    }
    if (values.count == 0) return values;
    values.mean = first - std::log(money_units) + sum / values.count;
    values.squares = std::max(0.0, squares - sum * sum / values.count);
    return values;
}

void check(const ValuePrior& prior) {
    constexpr const char* positive = "It is a number above 0, and at most 1e12.";
    check_member("d0", prior.d0, is_moderate(prior.d0), positive);
    check_member("s0", prior.s0, is_moderate(prior.s0), positive);
    check_member("m0", prior.m0, std::abs(prior.m0) <= 100, "It is a number from -100 to 100, a logarithm.");
    check_member("tau2", prior.tau2, is_moderate(prior.tau2), positive);
}

OrderValue order_value(const LogValues& values, const ValuePrior& prior) {
    const double n = values.count;
    const double s2 = (prior.d0 * prior.s0 + values.squares) / (prior.d0 + std::max(n - 1, 0.0));
    const double v = 1 / (1 / prior.tau2 + n / s2);
    return {v * (prior.m0 / prior.tau2 + n * values.mean / s2), std::sqrt(s2 + v)};
}

double natural_share(const OrderValue& value, double amount) {
    if (amount <= 0) return 1;
    return 0.5 * std::erfc((std::log(amount) - value.mu) / (value.sigma * std::sqrt(2.0)));
}

double mean_below(const OrderValue& value, double amount) {
    const double variance = value.sigma * value.sigma;
    const double less = 1 - natural_share(value, amount);
    if (!(less > 1e-9)) return std::numeric_limits<double>::quiet_NaN();
    return std::exp(value.mu + variance / 2) * (1 - natural_share({value.mu + variance, value.sigma}, amount)) / less;
}

void ValueSums::add(const LogValues& values) {
    if (values.count < least_count || !(values.squares > 0)) return;
    const double d = values.count - 1;
    const double e = std::log(values.squares / d) - digamma(d / 2) + std::log(d / 2);
    ++counts_[values.count];
    squares_[values.count].add(values.squares);
    e_.add(e);
    ee_.add_product(e, e);
    y_.add(values.mean);
    yy_.add_product(values.mean, values.mean);
}

void ValueSums::merge(const ValueSums& more) {
    for (int n = 0; n <= recent_capacity; ++n) {
        if (more.counts_[n] > std::numeric_limits<std::int64_t>::max() / 16 - counts_[n]) {
            refuse_state("The numbers of customers sum beyond bigint.");
        }
        counts_[n] += more.counts_[n];
        squares_[n].merge(more.squares_[n]);
    }
    e_.merge(more.e_);
    ee_.merge(more.ee_);
    y_.merge(more.y_);
    yy_.merge(more.yy_);
}

void ValueSums::check() const {
    constexpr double largest = 1e4;  // of a logarithm of an amount, of that of its variance, and of their squares
    for (int n = 0; n <= recent_capacity; ++n) {
        const std::int64_t limit = n < least_count ? 0 : std::numeric_limits<std::int64_t>::max() / 16;
        if (counts_[n] < 0 || counts_[n] > limit) refuse_state("A number of customers is out of range.");
        const double sum = quotient(squares_[n].value(), ExactNumber(1));
        if (!(sum >= 0 && sum <= largest * static_cast<double>(counts_[n]))) refuse_state("A sum is out of range.");
    }
    const double n = static_cast<double>(customers());
    for (const ExactSum* sum : {&e_, &ee_, &y_, &yy_}) {
        const double value = quotient(sum->value(), ExactNumber(1));
        if (!(std::abs(value) <= largest * n)) refuse_state("A sum is out of range.");
    }
}

std::optional<ValuePrior> ValueSums::prior() const {
    const std::int64_t n = customers();
    if (n < 2) return std::nullopt;
    ValuePrior prior;
    const double mean_e = mean(e_, n), excess = variance(e_, ee_, n) - mean_trigamma();
    if (excess < least_excess) {
        prior.d0 = largest_d0;
        prior.s0 = std::exp(mean_e);
    } else {
        prior.d0 = 2 * inverse_trigamma(excess);
        prior.s0 = std::exp(mean_e + digamma(prior.d0 / 2) - std::log(prior.d0 / 2));
    }
    prior.m0 = mean(y_, n);
    prior.tau2 = std::max(variance(y_, yy_, n) - mean_variance_of_means(prior.d0, prior.s0), least_tau2);
    return prior;
}

std::int64_t ValueSums::customers() const {
    std::int64_t n = 0;
    for (const std::int64_t count : counts_) n += count;
    return n;
}

double ValueSums::mean_trigamma() const {
    double sum = 0;
    for (int n = least_count; n <= recent_capacity; ++n) {
        sum += static_cast<double>(counts_[n]) * trigamma((n - 1) / 2.0);
    }
    return sum / static_cast<double>(customers());
}

// The mean of s2 / n: linear in each customer's sum of squares, so that the sums suffice.
double ValueSums::mean_variance_of_means(double d0, double s0) const {
    double sum = 0;
    for (int n = least_count; n <= recent_capacity; ++n) {
        const double squares = quotient(squares_[n].value(), ExactNumber(1));
        sum += (static_cast<double>(counts_[n]) * d0 * s0 + squares) / (d0 + n - 1) / n;
    }
    return sum / static_cast<double>(customers());
}

}  // namespace clientele
