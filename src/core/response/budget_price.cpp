#include "core/response/budget_price.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace clientele {
namespace {

// A step from one offer of a customer to a better one, or from none to the first.
struct Increment {
    std::int64_t cost;
    double profit;
    double yield;
    bool first;
};

Increment step_between(const PricedOffer& from, const PricedOffer& to) {
    const std::int64_t cost = to.cost - from.cost;
    const double profit = to.profit - from.profit;
    return {cost, profit, profit / static_cast<double>(cost), from.cost == 0};
}

double yield_between(const PricedOffer& from, const PricedOffer& to) { return step_between(from, to).yield; }

// Appends the steps along the upper hull of a customer's offers, steepest first.
void add_increments(std::span<const PricedOffer> offers, std::vector<Increment>& increments) {
    PricedOffer before;
    for (const std::size_t corner : upper_hull(offers)) {
        increments.push_back(step_between(before, offers[corner]));
        before = offers[corner];
    }
}

}  // namespace

std::vector<std::size_t> upper_hull(std::span<const PricedOffer> offers) {
    std::vector<std::size_t> by_cost(offers.size());
    std::iota(by_cost.begin(), by_cost.end(), std::size_t{0});
    std::sort(by_cost.begin(), by_cost.end(), [offers](std::size_t one, std::size_t other) {
        return std::tie(offers[one].cost, offers[other].profit) < std::tie(offers[other].cost, offers[one].profit);
    });
    std::vector<std::size_t> hull;
    const auto corner = [&](std::size_t back) {  // the last one is 1; before the first there is nothing
        return back > hull.size() ? PricedOffer{} : offers[hull[hull.size() - back]];
    };
    for (const std::size_t i : by_cost) {
        if (!(offers[i].profit > corner(1).profit) || offers[i].cost <= corner(1).cost) continue;
        // What stands below the line to this offer is no corner.
        while (!hull.empty() && yield_between(corner(2), corner(1)) <= yield_between(corner(1), offers[i])) {
            hull.pop_back();
        }
        hull.push_back(i);
    }
    return hull;
}

BudgetPlan plan_budget(std::span<const PricedOffer> offers, std::int64_t budget) {
    std::vector<Increment> increments;
    for (std::size_t from = 0, to = 0; from < offers.size(); from = to) {
        while (to < offers.size() && offers[to].customer == offers[from].customer) ++to;
        add_increments(offers.subspan(from, to - from), increments);
    }
    std::sort(increments.begin(), increments.end(), [](const auto& one, const auto& other) {
        return std::tie(other.yield, one.cost, other.first) < std::tie(one.yield, other.cost, one.first);
    });
    BudgetPlan plan;
    for (const Increment& step : increments) {
        if (step.cost > budget - plan.cost) {
            plan.price = step.yield;
            break;
        }
        plan.cost += step.cost;
        plan.profit += step.profit;
        plan.customers += step.first ? 1 : 0;
    }
    return plan;
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
