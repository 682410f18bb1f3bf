// Sources: DLMF 15.2.1 (Gauss' series), 15.6.1 (Euler's integral), 15.8.1 (Pfaff's and Euler's transformations);
// the substitution is that of Takahasi and Mori (1974), Publ. RIMS 9, with one exponential less.
#include "core/score/hypergeometric.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace clientele {
namespace {

constexpr int most_terms = 600;           // of the series; beyond, the integral is cheaper
constexpr double most_cancellation = 64;  // largest term by result
constexpr int first_nodes = 64;
constexpr int most_nodes = 1024;    // bounds the time where the parameters are extreme
constexpr double agreement = 1e-9;  // of the integral with half of its nodes: twice the nodes, the error squared
constexpr double tail = 45;         // e^-45 is nothing beside 1

// The sum of (a)_n (b)_n / (c)_n z^n / n!; NaN where that is slow or where its terms cancel.
double series(double a, double b, double c, double z, double complement) {
    double term = 1;
    double sum = 1;
    double largest = 1;
    const double enough = 0.25 * std::numeric_limits<double>::epsilon() * complement;
    for (int n = 0; n < most_terms; ++n) {
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z;
        sum += term;
        largest = std::max(largest, std::fabs(term));
        if (std::fabs(term) <= enough * std::fabs(sum)) {
            if (largest > most_cancellation * std::fabs(sum)) break;
            return sum;
        }
    }
    return std::numeric_limits<double>::quiet_NaN();
}

double softplus(double y) { return std::max(y, 0.0) + std::log1p(std::exp(-std::fabs(y))); }

// Euler's integral over t = 1 / (1 + e^-y), y = middle + sinh v, as the mean of (1 - z t)^-a under t's Beta(b, c - b)
// distribution. Both sums, of the weights and of the weighted values, have the same nodes, so no Gamma function and
// no constant factor is needed.
class EulerIntegral {
  public:
    EulerIntegral(double a, double b, double c, double complement)
        : a_(a), b_(b), c_(c), complement_(complement), middle_(std::log(b / (c - b))) {
        peak_ = log_weight(middle_);
        // Where 1 - z t stops to follow 1 - t, and where the bulk of the weights ends; beyond, they fall exponentially.
        const double kink = std::fabs(std::log(complement));
        const double bulk = std::sqrt(2 * tail * (1 / b + 1 / (c - b)));
        const double reach = kink + std::fabs(middle_) + bulk;
        from_ = -std::asinh(reach + tail / b);
        to_ = std::asinh(reach + tail / (c - b));
    }

    // The trapezoidal rule converges exponentially here; its nodes are doubled until two sums agree.
    double value() {
        double step = (to_ - from_) / first_nodes;
        add_nodes(from_, step, first_nodes + 1);
        double mean = values_ / weights_;
        for (int nodes = first_nodes; nodes < most_nodes; nodes *= 2, step /= 2) {
            add_nodes(from_ + step / 2, step, nodes);
            const double before = std::exchange(mean, values_ / weights_);
            if (std::fabs(mean - before) <= agreement * std::fabs(mean)) break;
        }
        return mean;
    }

  private:
    double log_weight(double y) const { return b_ * y - c_ * softplus(y); }

    void add_nodes(double from, double step, int count) {
        for (int i = 0; i < count; ++i) {
            const double v = from + i * step;
            const double y = middle_ + std::sinh(v);
            const double width = std::cosh(v);
            const double weight = log_weight(y) - peak_;
            const double below = 1 / (1 + std::exp(y));  // 1 - t
            weights_ += width * std::exp(weight);
            values_ += width * std::exp(weight - a_ * std::log(below + (1 - below) * complement_));
        }
    }

    double a_, b_, c_, complement_;
    double middle_, peak_, from_, to_;
    double weights_ = 0, values_ = 0;
};

// Euler's transformation (DLMF 15.8.1) keeps what is integrated from having its bulk at t = 1.
double integral(double a, double b, double c, double complement) {
    if (a <= c - b) return EulerIntegral(a, b, c, complement).value();
    return std::pow(complement, c - a - b) * EulerIntegral(c - a, c - b, c, complement).value();
}

bool between(double b, double c) { return b > 0 && b < c; }

// Pfaff's transformation, which keeps the smaller parameter, leads to an argument from 0 to 1; what overflows there
// is a mean of numbers below 1 in Euler's integral.
double at_negative(double a, double b, double c, double z, double complement) {
    const double kept = std::min(a, b);
    const double other = c - std::max(a, b);
    const double value = std::pow(complement, -kept) * series(kept, other, c, -z / complement, 1 / complement);
    return std::isfinite(value) ? value : EulerIntegral(a, b, c, complement).value();
}

}  // namespace

double hypergeometric_2f1(double a, double b, double c, double z, double complement) {
    if (!between(b, c)) std::swap(a, b);
    if (z < 0) return at_negative(a, b, c, z, complement);
    const double sum = series(a, b, c, z, complement);
    return std::isnan(sum) ? integral(a, b, c, complement) : sum;
}

}  // namespace clientele
