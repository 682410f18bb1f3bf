// What to add to a basket: products that go with what is in it, and what this customer buys; where a gap is to be
// filled, those that fill it with little to spare.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace clientele {

// Money in 1/10,000 of the currency, as in orders.
constexpr int price_decimals = 4;

// One thing that speaks for a product, or, of a product in the basket, what it is called.
struct Reason {
    std::string_view product, name;
    std::int64_t price;  // 0 where it has none
    bool available;
    std::string_view companion;  // the product in the basket that it goes with; empty where it is about something else
    double affinity;             // how well
    std::optional<std::int32_t> day;  // on which the customer bought it
    std::int64_t orders;              // of all customers with it; 0 where it is none of the most popular
    bool by_price = false;            // that these are the most of what is priced so is all there is to say
};

// A product that could be added, and all that speaks for it.
struct Candidate {
    struct Companion {
        std::string_view name;
        double affinity;
    };

    std::string_view product, name;
    std::int64_t price;
    std::vector<Companion> companions;
    std::vector<std::int32_t> days;  // in any order, perhaps repeated
    std::int64_t orders;
    bool by_price = false;
};

// The products that can be had, have a price, and are not in the basket. A product without a name is called by its key.
std::vector<Candidate> candidates_among(std::span<const Reason> reasons, std::span<const std::string_view> basket);

struct SuggestionQuestion {
    std::optional<std::int64_t> gap;  // above 0
    std::size_t most;                 // suggestions
    int decimals;                     // of the currency
    std::int32_t today;
    std::int64_t purchase_days;   // of the customer, with whatever product
    std::int64_t counted_orders;  // of all customers
};

struct Suggestion {
    std::vector<std::size_t> candidates;  // one, or two that fill the gap together
    std::int64_t price;
    double score;
};

// How much speaks for a candidate: the sum of its affinities to what is in the basket; the share of the customer's
// purchase days that have it, less while it is early for the next; and of the most popular products a thousandth of
// their share of all orders, which tells apart what nothing else speaks for.
double relevance(const Candidate& candidate, const SuggestionQuestion& question);

// The best first. With a gap they are products that close it, their relevance multiplied by the square of the share of
// the price that the gap asks for; where there are too few, pairs of products that close it only together come behind
// them, and then those for which only their price speaks.
std::vector<Suggestion> suggest(std::span<const Candidate> candidates, const SuggestionQuestion& question);

// Why, in words: what it goes with, how often the customer buys it, what the gap leaves.
std::vector<std::string> reasons(const Suggestion& suggestion, std::span<const Candidate> candidates,
                                 const SuggestionQuestion& question);

}  // namespace clientele
