// What an offer is expected to earn beyond no offer, and which of several to choose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/response/response.hpp"
#include "core/response/response_fit.hpp"

namespace clientele {

// What is known of a customer without an offer.
struct Prospect {
    OrderValue value;
    double orders = 0;  // to expect within the horizon
    std::int32_t segment = -1;
    double margin = 0;  // a share of the spend
};

// What an offer costs and brings besides the response.
struct Economics {
    double contact_cost = 0;  // of making the offer
    double displaced = 0;     // the share of added spend that the next order lacks
    // Orders that come only because of the offer, per reward as a share of the median order, and how sure that is: as
    // it is believed, shrunk towards 0, and as it was measured.
    double extra_orders = 0, extra_orders_error = 0;
    double measured_extra_orders = 0, measured_extra_orders_error = 0;
};

// Which of both draws are made of. What is believed decides, since what chance brings must not be paid for. An interval
// is of what was measured: it would promise more than is known if it held only what is thought likely beforehand.
enum class ExtraDraws { believed, measured };

// The expected profit of the horizon, of one customer by one response, from which offers for one threshold follow.
class OfferProfit {
  public:
    OfferProfit(const Response& response, const Prospect& prospect, const Economics& economics, double min_spend);

    // `extra_orders`: as Economics has it.
    double at(double reward, double extra_orders) const;

    // The share of redeemers that the offer must raise to break even on an open order, and the share that it does.
    double break_even_share(double reward) const;
    double raised_share(double reward) const;
    double natural_share() const { return below_.moments(0).S; }

  private:
    double gain_of_raised(const OrdersBelow::Moments& moments) const;

    const Response& response_;
    const Economics& economics_;
    const OrderValue value_;
    const double margin_, median_, orders_, min_spend_;
    const OrdersBelow below_;
};

// A response with what is not sure about it: the mode, and draws from around it.
class ResponseBelief {
  public:
    static constexpr int guard_draws = 24;

    // Each draw's parameters are from N(mode, covariance), its extra orders from N(mean, error), never below 0. The
    // mode counts on extra orders no more than on what is sure of them, their 5 % quantile as they are believed: where
    // there are none, all that is paid for them is lost.
    ResponseBelief(const ResponseFit& fit, const Economics& economics, int draws = guard_draws, std::uint64_t seed = 7,
                   ExtraDraws extra = ExtraDraws::believed);

    struct Draw {
        Response response;
        double extra_orders;
    };
    const Response& mode() const { return mode_; }
    const Economics& economics() const { return economics_; }
    double sure_extra_orders() const { return sure_extra_orders_; }
    std::span<const Draw> draws() const { return draws_; }

    double profit(const Prospect& prospect, const OfferTerms& terms) const;
    // By each draw.
    std::vector<double> profits(const Prospect& prospect, const OfferTerms& terms) const;

  private:
    Response mode_;
    Economics economics_;
    double sure_extra_orders_;
    std::vector<Draw> draws_;
};

// The smallest value that at least a share of the numbers do not exceed, interpolated as percentile_cont() does.
double quantile_of(std::vector<double> numbers, double share);

// Below these an offer is not worth making.
struct Floors {
    double min_profit = 0, min_reward = 0;
};

struct Choice {
    std::size_t index = 0;  // among the candidates
    double profit = 0;      // at the mode
    double low = 0;         // its 20 % quantile over the draws
};

// The candidate of the greatest profit, the first of equals; none where it is not worth it: its profit or its reward is
// below a floor, or its 20 % quantile is not positive. Candidates for one threshold should follow one another.
std::optional<Choice> choose(const ResponseBelief& belief, const Prospect& prospect,
                             std::span<const OfferTerms> candidates, const Floors& floors = {});

// The candidate that would be chosen without a guard; none where there is no candidate.
std::optional<Choice> best_candidate(const ResponseBelief& belief, const Prospect& prospect,
                                     std::span<const OfferTerms> candidates);

// What offers earn together, by each draw; and the 90 % interval of that, which goes on to the mode where this, that
// counts on next to no extra orders, is outside of it.
struct ProfitInterval {
    double mode = 0, low = 0, high = 0;
};
ProfitInterval profit_interval(double at_mode, const std::vector<double>& by_draw);
class TotalProfit {
  public:
    explicit TotalProfit(const ResponseBelief& belief) : belief_(belief), by_draw_(belief.draws().size()) {}
    // No reward: nothing.
    void add(const Prospect& prospect, const OfferTerms& terms, double weight = 1);
    // Per customer, of so many.
    ProfitInterval per_customer(double customers) const;

  private:
    const ResponseBelief& belief_;
    double at_mode_ = 0;
    std::vector<double> by_draw_;
};

}  // namespace clientele
