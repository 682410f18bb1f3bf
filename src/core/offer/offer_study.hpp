// What ways of setting terms would earn, by a response, and how sure that is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/poll.hpp"
#include "core/offer/offer.hpp"
#include "core/response/response_profit.hpp"

namespace clientele {

// In millionths, ascending.
struct TriedTerms {
    std::vector<std::int64_t> stretches, rates;
};

struct StudiedCustomer {
    Prospect prospect;
    Reference reference;
    OfferTerms in_use;  // no reward: nothing is offered
};

// Rungs and rates within what was tried, those for one rung after one another.
std::vector<OfferTerms> terms_within(const TriedTerms& tried, const StudiedCustomer& customer, int decimals);

// A customer, over the horizon.
struct OfferStudy {
    ProfitInterval in_use, spread, learned;
    ProfitInterval uniform;  // of the best pair of those that were tried
    std::int64_t uniform_stretch = 0, uniform_rate = 0;
    ProfitInterval exploring_cost;  // what terms drawn at random earn less than learned ones
    double offered = 0;             // the share of customers who get learned terms
};
OfferStudy study_offers(const ResponseFit& fit, const Economics& economics, std::span<const StudiedCustomer> customers,
                        const TriedTerms& tried, int decimals, Poll poll = never_give_up);

}  // namespace clientele
