#include "core/response/budget_price.hpp"

#include <algorithm>
#include <vector>

namespace clientele {
namespace {

// A step from one offer of a customer to a better one, or from none to the first.
struct Increment {
    std::int64_t cost;
    double profit;

    double yield() const { return profit / static_cast<double>(cost); }
};

// Appends the steps along the upper hull of a customer's offers, from (0, 0), steepest first.
void add_increments(std::span<const PricedOffer> offers, std::vector<Increment>& increments) {
    std::vector<PricedOffer> sorted(offers.begin(), offers.end());
    std::sort(sorted.begin(), sorted.end(), [](const auto& one, const auto& other) {
        return one.cost != other.cost ? one.cost < other.cost : one.profit > other.profit;
    });
    const std::size_t first = increments.size();
    std::int64_t cost = 0;
    double profit = 0;
    for (const PricedOffer& offer : sorted) {
        if (!(offer.profit > profit) || offer.cost <= cost) continue;
        Increment step{offer.cost - cost, offer.profit - profit};
        // What stands below the line to this offer is no corner of the hull.
        while (increments.size() > first && increments.back().yield() <= step.yield()) {
            step.cost += increments.back().cost;
            step.profit += increments.back().profit;
            increments.pop_back();
        }
        increments.push_back(step);
        cost = offer.cost;
        profit = offer.profit;
    }
}

}  // namespace

double budget_price(std::span<const PricedOffer> offers, std::int64_t budget) {
    std::vector<Increment> increments;
    for (std::size_t from = 0, to = 0; from < offers.size(); from = to) {
        while (to < offers.size() && offers[to].customer == offers[from].customer) ++to;
        add_increments(offers.subspan(from, to - from), increments);
    }
    std::sort(increments.begin(), increments.end(),
              [](const auto& one, const auto& other) { return one.yield() > other.yield(); });
    for (const Increment& step : increments) {
        if (step.cost > budget) return step.yield();
        budget -= step.cost;
    }
    return 0;
}

std::optional<std::size_t> choose_at_price(std::span<const PricedOffer> offers, double price) {
    std::optional<std::size_t> chosen;
    double best = 0;
    for (std::size_t i = 0; i < offers.size(); ++i) {
        const double earns = offers[i].profit - price * static_cast<double>(offers[i].cost);
        const bool cheaper = chosen && earns == best && offers[i].cost < offers[*chosen].cost;
        if (earns > best || cheaper) {
            chosen = i;
            best = earns;
        }
    }
    return chosen;
}

}  // namespace clientele
