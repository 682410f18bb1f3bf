#include "core/response/response.hpp"

#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <numbers>

namespace clientele {
namespace {

constexpr double usual_rate = 0.05, usual_gap = 0.4;
constexpr double farthest = 8;  // standard deviations

double logistic(double t) { return 1 / (1 + std::exp(-t)); }

using Rule = boost::math::quadrature::gauss<double, OrdersBelow::nodes>;

// Node i of the rule on (0, 1), and its weight; Boost keeps the positive half of a symmetric rule.
struct Node {
    double place, weight;
};
Node node(int i) {
    const std::size_t half = OrdersBelow::nodes / 2, at = static_cast<std::size_t>(i);
    const bool upper = at >= half;
    const std::size_t kept = upper ? at - half : half - 1 - at;
    const double place = Rule::abscissa()[kept];
    return {0.5 + (upper ? 0.5 : -0.5) * place, 0.5 * Rule::weights()[kept]};
}

double steepness(double x, double min_spend) { return (min_spend - x) / x / usual_gap - 1; }

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
      d(parameters.begin() + parameter::first_d, parameters.end()) {}

double raise_log_odds(const Response& response, double alpha, double x, const OfferTerms& terms) {
    return alpha + response.c * std::log(terms.reward / terms.min_spend / usual_rate) -
           response.b * steepness(x, terms.min_spend);
}

double raise_probability(const Response& response, double alpha, double x, const OfferTerms& terms) {
    return response.A * logistic(raise_log_odds(response, alpha, x, terms));
}

OrdersBelow::OrdersBelow(const Response& response, int segment, const OrderValue& value, double min_spend)
    : response_(response), min_spend_(min_spend), natural_(natural_share(value, min_spend)) {
    const double alpha = response.alpha(segment);
    const double top = std::min((std::log(min_spend) - value.mu) / value.sigma, farthest);
    const double width = std::max(top + farthest, 0.0);
    for (int i = 0; i < nodes; ++i) {
        const auto [place, weight] = node(i);
        z_[i] = width * place - farthest;
        x_[i] = std::exp(value.mu + value.sigma * z_[i]);
        weight_[i] = width * weight * std::exp(-0.5 * z_[i] * z_[i]) / std::sqrt(2 * std::numbers::pi);
        steepness_[i] = steepness(x_[i], min_spend);
        against_[i] = std::exp(std::min(response.b * steepness_[i] - alpha, 700.0));
    }
}

OrdersBelow::Moments OrdersBelow::moments(double reward) const {
    const double against = reward_odds(reward);
    Moments moments{natural_, 0, 0};
    for (int i = 0; i < nodes; ++i) {
        const double raised = weight_[i] / (1 + against_[i] * against);
        moments.G += raised;
        moments.X += raised * x_[i];
    }
    moments.G *= response_.A;
    moments.X *= response_.A;
    return moments;
}

OrdersBelow::GradientOfG OrdersBelow::gradient(double reward) const {
    const double against = reward_odds(reward);
    GradientOfG g;
    for (int i = 0; i < nodes; ++i) {
        const double share = 1 / (1 + against_[i] * against);
        const double raised = response_.A * weight_[i] * share, slope = raised * (1 - share);
        g.G += raised;
        g.alpha += slope;
        g.lb -= slope * steepness_[i];
        g.delta += raised * z_[i];
        g.ltau += raised * (z_[i] * z_[i] - 1);
    }
    g.lb *= response_.b;
    g.c = g.alpha * std::log(reward / min_spend_ / usual_rate);
    g.lA = g.G * (1 - response_.A);
    return g;
}

double OrdersBelow::reward_odds(double reward) const {
    return std::pow(reward / min_spend_ / usual_rate, -response_.c);
}

}  // namespace clientele
