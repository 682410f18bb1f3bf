// The price of a budget: which of each customer's offers to make where all of the best cost more than there is. The
// linear relaxation of the multiple-choice knapsack (Sinha and Zoltners 1979), whose solution splits one customer at
// most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace clientele {

// An offer that could be made to a customer: what issuing it reserves, in the smallest units of the currency, and what
// it is expected to earn.
struct PricedOffer {
    std::int64_t customer = 0;
    std::int64_t cost = 0;
    double profit = 0;
};

// Which of a customer's offers are made at one price or the other: the corners of the upper hull of profit over cost,
// from nothing to the best, cheapest first.
std::vector<std::size_t> upper_hull(std::span<const PricedOffer> offers);

// What is made of a budget.
struct BudgetPlan {
    double price = 0;            // what its last unit earns; 0 where it suffices for everybody's best
    std::int64_t cost = 0;       // of the offers that are made whole
    double profit = 0;           // theirs
    std::int64_t customers = 0;  // who get one
};
// Offers of one customer follow one another.
BudgetPlan plan_budget(std::span<const PricedOffer> offers, std::int64_t budget);

// The one of a customer's offers that earns most beyond its cost at the price, the cheapest of equals; none where none
// earns more than nothing.
std::optional<std::size_t> choose_at_price(std::span<const PricedOffer> offers, double price);

}  // namespace clientele
