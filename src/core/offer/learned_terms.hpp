// Terms by what was learnt of what offers earn: of the rungs and rates within what was tried, those that earn most.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "core/offer/offer.hpp"

namespace clientele {

struct LearnedTerms {
    Terms terms;  // none where nothing that was tried can be asked for
    std::int64_t reward_rate = 0;
    Expectation expected;
    std::optional<Reason> against;
};

// Of the decision's program, for its reference and margin, where the book has a response; `highest`: the threshold.
LearnedTerms learned_terms(const Book& book, const Customer& customer, std::int64_t highest, const Decision& decision);

// Those of them that are chosen at one price of the program's budget or the other, and are worth making.
std::vector<PricedOffer> worthwhile_offers(const Book& book, const Customer& customer, std::int64_t highest,
                                           const Decision& decision);

// What a program's offer of these terms is expected to earn with the customer, by the book's response, and by each of
// the draws around it; nothing where the book has none, or nothing is known of the customer's spending.
std::vector<double> offer_profits(const Book& book, const Customer& customer, const Program& program,
                                  std::int64_t min_spend, std::int64_t reward);

// The share of redeemers who must spend more only because of the offer for it to break even. Without a response it is
// known only from below: who tops up had less to top up than others below the threshold.
struct BreakEven {
    double share = std::numeric_limits<double>::quiet_NaN();  // without a reward, or where nothing is known of orders
    bool at_least = false;
    bool known() const { return std::isfinite(share); }
};
BreakEven break_even(const Book& book, const Customer& customer, const Decision& decision);

// What each of the terms that could be chosen does, and which are.
struct CurvePoint {
    Terms terms;
    double natural_share = 0, raised_share = 0;  // of orders, and of redeemers
    double profit = 0, low = 0, high = 0;        // the 20 % and 80 % quantiles
    bool chosen = false;
};
// Of the first program by learned terms that serves the customer, without one of a program that limits nothing; where
// the book has a response. Nothing where the customer's reference value or spread is not known.
std::vector<CurvePoint> response_curve(const Book& book, const Customer& customer);

}  // namespace clientele
