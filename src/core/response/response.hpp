// What an offer (spend T or more, get r off) does to an order that would have been worth x without it.
//
// An order below T is raised to T (1 + e), e exponential with mean omega, with probability
//   p(x; T, r) = A lambda(alpha + c ln(rho / 0.05) - b (h / 0.4 - 1)),   h = (T - x) / x,  rho = r / T,
// where lambda is the logistic function. One of T or more redeems with probability q. Orders of the horizon are
// ln x ~ N(mu + delta, (tau sigma)^2), given what was known of the customer before.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/response/order_value.hpp"

namespace clientele {

// Where a parameter stands in a vector of all; after these come the segments' d. All are unconstrained: lx is the
// logarithm of x, or of its odds where it is a share.
namespace parameter {
enum : std::size_t { a, lb, c, delta, ltau, lomega, lA, lq, first_d };
}

// The parameters as they are used.
struct Response {
    // `q_known`: that who reaches a threshold always redeems.
    Response(std::span<const double> parameters, bool q_known);

    // At a gap of 40 % and a reward of 5 % of the threshold; of a segment that is none (-1) the store's.
    double alpha(int segment) const { return segment < 0 ? a : a + d[static_cast<std::size_t>(segment)]; }
    OrderValue shifted(const OrderValue& value) const { return {value.mu + delta, tau * value.sigma}; }

    // Of orders whose logarithm's standard deviation is sigma, as multiples of it: from where on they are raised by
    // more than a 1e-14th of those next to the threshold.
    double least_that_counts(double threshold, double sigma) const;

    double a, b, c, delta, tau, omega, A, q;
    std::vector<double> d;

  private:
    double reach, reach_per_log_odds;  // how far below the threshold, in logarithms
};

struct OfferTerms {
    double min_spend = 0, reward = 0;
};

// Log odds, of those who pay attention, that an order of x below the threshold is raised.
double raise_log_odds(const Response& response, double alpha, double x, const OfferTerms& terms);
double raise_probability(const Response& response, double alpha, double x, const OfferTerms& terms);

// 32 nodes of Gauss and Legendre over z = (ln x - mu) / sigma from -8 to where x reaches a threshold, without the
// lowest ones where next to nobody would be raised. The nodes serve all rewards for it.
class OrdersBelow {
  public:
    static constexpr int nodes = 32;

    // `value` is what the orders are, shifted already.
    OrdersBelow(const Response& response, int segment, const OrderValue& value, double min_spend);

    struct Moments {
        double S = 0;  // P(x >= T)
        double G = 0;  // P(raised)
        double X = 0;  // E[x; raised]
    };
    Moments moments(double reward) const;

    // dG by alpha, ln b, c, delta, ln tau and the log odds of A: of the parameters that stand there.
    struct GradientOfG {
        double G = 0, alpha = 0, lb = 0, c = 0, delta = 0, ltau = 0, lA = 0;
    };
    GradientOfG gradient(double reward) const;

    // What there is at each node, from the first that counts, a multiple of `lanes`.
    static constexpr int lanes = 4;
    struct Nodes {
        int first;
        alignas(32) double z[nodes], x[nodes];
        alignas(32) double weight[nodes];     // times the density
        alignas(32) double against[nodes];    // odds against raising at a reward of 5 %
        alignas(32) double steepness[nodes];  // h / 0.4 - 1
    };

  private:
    double reward_odds(double reward) const;

    const Response& response_;
    const double min_spend_;
    const double natural_;
    Nodes nodes_;
};

}  // namespace clientele
