#include "core/response/response.hpp"

#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <numbers>

#include "core/base/vectors.hpp"

namespace clientele {
namespace {

constexpr double usual_rate = 0.05, usual_gap = 0.4;
constexpr double farthest = 8;  // standard deviations

double logistic(double t) { return 1 / (1 + std::exp(-t)); }

using Nodes = OrdersBelow::Nodes;
constexpr int nodes = OrdersBelow::nodes, lanes = OrdersBelow::lanes;

// Gauss and Legendre's on (0, 1); Boost keeps the positive half of a symmetric rule.
struct Rule {
    Rule() {
        using Half = boost::math::quadrature::gauss<double, nodes>;
        for (std::size_t i = 0, half = nodes / 2; i < half; ++i) {
            place[half + i] = 0.5 + 0.5 * Half::abscissa()[i];
            place[half - 1 - i] = 0.5 - 0.5 * Half::abscissa()[i];
            weight[half + i] = weight[half - 1 - i] = 0.5 * Half::weights()[i];
        }
    }
    double place[nodes], weight[nodes];
};
const Rule rule;

inline double steepness(double x, double min_spend) { return (min_spend - x) / x / usual_gap - 1; }

// The place of z on (0, 1), as a node that is a multiple of `lanes`.
int node_below(double place) {
    int node = 0;
    while (node + lanes < nodes && rule.place[node + lanes - 1] < place) node += lanes;
    return node;
}

struct Integrand {
    double min_spend, mu, sigma, b, alpha, width;
};

CLIENTELE_WIDE_VECTORS void fill_in(const Integrand& integrand, Nodes& __restrict at) {
    const auto [min_spend, mu, sigma, b, alpha, width] = integrand;
    const double density = width / std::sqrt(2 * std::numbers::pi);
    for (int from = at.first; from < nodes; from += lanes) {
        for (int lane = 0; lane < lanes; ++lane) {
            const int i = from + lane;
            const double z = width * rule.place[i] - farthest;
            at.z[i] = z;
            at.x[i] = exponential(mu + sigma * z);
            at.weight[i] = density * rule.weight[i] * exponential(-0.5 * z * z);
            at.steepness[i] = steepness(at.x[i], min_spend);
            at.against[i] = exponential(b * at.steepness[i] - alpha);
        }
    }
}

inline double total(const double (&sums)[lanes]) { return (sums[0] + sums[2]) + (sums[1] + sums[3]); }

CLIENTELE_WIDE_VECTORS OrdersBelow::Moments sum_up(const Nodes& at, double against) {
    double G[lanes] = {}, X[lanes] = {};
    for (int from = at.first; from < nodes; from += lanes) {
        for (int lane = 0; lane < lanes; ++lane) {
            const int i = from + lane;
            const double raised = at.weight[i] / (1 + at.against[i] * against);
            G[lane] += raised;
            X[lane] += raised * at.x[i];
        }
    }
    return {0, total(G), total(X)};
}

// dG for A = 1, by alpha, -b, delta and ln tau.
CLIENTELE_WIDE_VECTORS OrdersBelow::GradientOfG differentiate(const Nodes& at, double against) {
    double G[lanes] = {}, alpha[lanes] = {}, b[lanes] = {}, delta[lanes] = {}, ltau[lanes] = {};
    for (int from = at.first; from < nodes; from += lanes) {
        for (int lane = 0; lane < lanes; ++lane) {
            const int i = from + lane;
            const double share = 1 / (1 + at.against[i] * against), raised = at.weight[i] * share;
            const double slope = raised * (1 - share);
            G[lane] += raised;
            alpha[lane] += slope;
            b[lane] += slope * at.steepness[i];
            delta[lane] += raised * at.z[i];
            ltau[lane] += raised * (at.z[i] * at.z[i] - 1);
        }
    }
    return {total(G), total(alpha), total(b), 0, total(delta), total(ltau), 0};
}

}  // namespace

Response::Response(std::span<const double> parameters, bool q_known)
    : a(parameters[parameter::a]),
      b(std::exp(parameters[parameter::lb])),
      c(parameters[parameter::c]),
      delta(parameters[parameter::delta]),
      tau(std::exp(parameters[parameter::ltau])),
      omega(std::exp(parameters[parameter::lomega])),
      A(logistic(parameters[parameter::lA])),
      q(q_known ? 1 : logistic(parameters[parameter::lq])),
      d(parameters.begin() + parameter::first_d, parameters.end()) {
    constexpr double negligible = 32, by_any_reward = 3;  // log odds
    const double highest = a + (d.empty() ? 0 : std::max(*std::max_element(d.begin(), d.end()), 0.0));
    const double log_odds = negligible + std::max(highest + b, 0.0) + by_any_reward * std::abs(c);
    reach = std::log1p(usual_gap * log_odds / b);
    reach_per_log_odds = usual_gap / (b + usual_gap * log_odds);
}

// The density may rise from the threshold down by half the square of where that is; the logarithm is concave.
double Response::least_that_counts(double threshold, double sigma) const {
    const double rise = std::max(threshold, 0.0);
    return threshold - (reach + reach_per_log_odds * 0.5 * rise * rise) / sigma;
}

double raise_log_odds(const Response& response, double alpha, double x, const OfferTerms& terms) {
    return alpha + response.c * std::log(terms.reward / terms.min_spend / usual_rate) -
           response.b * steepness(x, terms.min_spend);
}

double raise_probability(const Response& response, double alpha, double x, const OfferTerms& terms) {
    return response.A * logistic(raise_log_odds(response, alpha, x, terms));
}

OrdersBelow::OrdersBelow(const Response& response, int segment, const OrderValue& value, double min_spend)
    : response_(response), min_spend_(min_spend), natural_(natural_share(value, min_spend)) {
    const double alpha = response.alpha(segment), threshold = (std::log(min_spend) - value.mu) / value.sigma;
    const double width = std::max(std::min(threshold, farthest) + farthest, 0.0);
    const double least = response.least_that_counts(threshold, value.sigma);
    nodes_.first = node_below((least + farthest) / width);
    fill_in({min_spend, value.mu, value.sigma, response.b, alpha, width}, nodes_);
}

OrdersBelow::Moments OrdersBelow::moments(double reward) const {
    const Moments moments = sum_up(nodes_, reward_odds(reward));
    return {natural_, response_.A * moments.G, response_.A * moments.X};
}

OrdersBelow::GradientOfG OrdersBelow::gradient(double reward) const {
    const GradientOfG unit = differentiate(nodes_, reward_odds(reward));
    const double A = response_.A;
    GradientOfG g;
    g.G = A * unit.G;
    g.alpha = A * unit.alpha;
    g.lb = -A * response_.b * unit.lb;
    g.c = g.alpha * std::log(reward / min_spend_ / usual_rate);
    g.delta = A * unit.delta;
    g.ltau = A * unit.ltau;
    g.lA = g.G * (1 - A);
    return g;
}

double OrdersBelow::reward_odds(double reward) const {
    return std::pow(reward / min_spend_ / usual_rate, -response_.c);
}

}  // namespace clientele
