// Terms by what was learnt of what offers earn: of the rungs and rates within what was tried, those that earn most.
#pragma once

#include <cstdint>
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

// The share of redeemers whom the decision's terms must raise to break even; NaN without a response.
double learned_break_even_share(const Book& book, const Customer& customer, const Decision& decision);

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
