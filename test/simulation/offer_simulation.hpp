// What ways of setting terms earn in a simulated shop, as shares of what an oracle would.
#pragma once

#include <cstdint>
#include <vector>

#include "core/response/extra_orders.hpp"
#include "simulated_shop.hpp"

namespace clientele {

struct OfferTrial {
    int customers = 20'000;
    int judged = 3'000;  // of them
    std::vector<int> exposures = {2'000, 10'000, 50'000};
    double explored = 1;  // the share of enrolments that gets explored terms; the others 'spread'
    double holdout = 0.1;
    double displaced = 0;  // the share that is assumed, as fit_response() is told it
};

// What was learned from a log.
struct Learned {
    int exposures = 0;
    std::int64_t redemptions = 0;  // of explored terms
    double profit = 0;             // true, a customer, of what is chosen
    double alone = 0;              // that while exploring goes on
    double offered = 0;            // share of customers
    bool converged = false, passes_gate = false;
    double reach_p = 0;
    ProfitInterval predicted;  // of what is chosen
    ResponseFit fit;
    ExtraRate extra;             // as redemptions have it
    double mean_reward = 0;      // as a share of the median order
    ExtraOrders measured_extra;  // a customer and horizon, at the mean reward
};

struct OfferOutcome {
    double contribution = 0, oracle = 0, stretch = 0, spread = 0, explored = 0;  // a customer and horizon
    std::vector<Learned> learned;
};

// Offers by what was learned, round after round, and whose orders become part of what is known of the customers.
struct Round {
    double asked = 0;     // the mean threshold, of those who get an offer
    double expected = 0;  // the mean logarithm of the next order, as it is known
    double offered = 0;   // the share of customers
    double profit = 0;    // true, a customer
};
std::vector<Round> recur(const ShopKind& kind, const OfferTrial& trial, int rounds, bool with_offers,
                         std::uint64_t seed);

OfferOutcome try_offers(const ShopKind& kind, const OfferTrial& trial, std::uint64_t seed);

}  // namespace clientele
