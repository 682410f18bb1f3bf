// The price of a budget: which of each customer's offers to make where all of the best cost more than there is. The
// linear relaxation of the multiple-choice knapsack (Sinha and Zoltners 1979), whose solution splits one customer at
// most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace clientele {

// An offer that could be made to a customer: what issuing it reserves, in the smallest units of the currency, and what
// it is expected to earn.
struct PricedOffer {
    std::int64_t customer = 0;
    std::int64_t cost = 0;
    double profit = 0;
};

// What the last unit of the budget earns: 0 where the budget suffices for everybody's best. Offers of one customer
// follow one another.
double budget_price(std::span<const PricedOffer> offers, std::int64_t budget);

// The one of a customer's offers that earns most beyond its cost at the price, the cheapest of equals; none where none
// earns more than nothing.
std::optional<std::size_t> choose_at_price(std::span<const PricedOffer> offers, double price);

}  // namespace clientele
