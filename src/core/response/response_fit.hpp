// Fitting the response to offers to a log of orders: penalised maximum likelihood, and how sure it is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/poll.hpp"
#include "core/response/response.hpp"
#include "core/response/symmetric.hpp"

namespace clientele {

// An order placed within the horizon of an exposure.
struct ResponseOrder {
    OrderValue known;  // of the customer, at the exposure
    OfferTerms terms;  // of an offer that was open: no earlier order of the exposure had redeemed it
    double value = 0;  // of the order
    std::int64_t customer = 0;
    std::int32_t segment = -1;  // from 0; -1: none of its own
    std::int32_t arm = -1;      // the combination of stretch and rate that was drawn; -1: none was
    bool open = false;
    bool redeemed = false;
    double extra = 0;  // the share of such orders that come only because of the offer, as far as that is known
};

// A parameter's prior is normal.
struct NormalPrior {
    double mean, sd;
};
NormalPrior prior_of(std::size_t which);

// The log likelihood of the orders, with the log prior where wanted.
class ResponseLikelihood {
  public:
    ResponseLikelihood(std::span<const ResponseOrder> orders, std::size_t segments, bool q_known,
                       Poll poll = never_give_up);

    std::size_t dimensions() const { return parameter::first_d + segments_; }
    Vector prior_means() const;
    double log_likelihood(std::span<const double> parameters) const;
    double log_prior(std::span<const double> parameters) const;

    std::size_t orders() const { return orders_.size(); }
    // The log posterior, and its gradient where there is room for one.
    double log_posterior(std::span<const double> parameters, std::span<double> gradient) const;
    // Minus its second derivatives, by central differences of the gradient.
    Matrix curvature(std::span<const double> parameters) const;
    // What the gradient varies by: the sum of the squares of orders' gradients, or of customers', and the prior's
    // precision.
    Matrix variation(std::span<const double> parameters, bool by_customer) const;

  private:
    double sum_up(std::span<const double> parameters, std::span<double> gradient) const;

    std::vector<ResponseOrder> orders_;  // by customer
    std::size_t segments_;
    bool q_known_;
    Poll poll_;
};

// The log likelihood of one order; adds its derivatives to a gradient where there is one.
double log_likelihood_of(const ResponseOrder& order, const Response& response, std::span<double> gradient);

struct ResponseFit {
    Vector mode;
    Matrix covariance;  // the sandwich: customers recur
    Matrix posterior;   // the inverse of the curvature at the mode, as if each order were another customer's
    double log_likelihood = 0;
    double log_posterior = 0;
    int evaluations = 0;
    bool converged = false;
    bool q_known = false;

    Response response() const { return {mode, q_known}; }
    double standard_error(std::size_t which) const;
    double posterior_error(std::size_t which) const;
};

// From the priors' means, or from where to start, to the mode. Where it has not converged there is no covariance.
// Neither the orders' order nor the customers' numbers matter. Throws what poll throws.
ResponseFit fit_response(std::span<const ResponseOrder> orders, std::size_t segments, bool q_known,
                         Poll poll = never_give_up, const Vector& start = {});

// Of an order that redeemed: ln of how much likelier it is where it came only because of the offer.
double extra_log_odds(const ResponseOrder& order, const Response& response);

// Whether redemptions come as the fit predicts them.
struct ReachCheck {
    struct Arm {
        std::int32_t arm = 0;
        std::int64_t open_orders = 0, redemptions = 0;
        double predicted = 0;
    };
    std::vector<Arm> arms;
    double chi_square = 0;
    double p_value = 1;
};
// `fitted`: how many parameters these very counts have set.
ReachCheck reach_check(std::span<const ResponseOrder> orders, const Response& response, int fitted = 3);

}  // namespace clientele
