#include "core/response/budget_price.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace clientele {
namespace {

using Offers = std::vector<PricedOffer>;

Offers random_shop(int customers, unsigned seed) {
    std::mt19937_64 random(seed);
    Offers offers;
    for (int customer = 0; customer < customers; ++customer) {
        const auto count = random() % 5;  // also none
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto cost = static_cast<std::int64_t>(1 + random() % 60);
            offers.push_back({customer, cost, static_cast<double>(random() % 2'000) / 100 - 4});
        }
    }
    return offers;
}

std::span<const PricedOffer> offers_of(const Offers& offers, std::int64_t customer) {
    const auto is_before = [](const PricedOffer& offer, std::int64_t number) { return offer.customer < number; };
    const auto from = std::lower_bound(offers.begin(), offers.end(), customer, is_before);
    const auto to = std::lower_bound(offers.begin(), offers.end(), customer + 1, is_before);
    return {from, to};
}

// The most that any choice earns within the budget: a dynamic program over units of the budget.
double best_profit(const Offers& offers, int customers, int budget) {
    std::vector<double> best(static_cast<std::size_t>(budget) + 1, 0.0);
    for (int customer = 0; customer < customers; ++customer) {
        const std::vector<double> before = best;
        for (const PricedOffer& offer : offers_of(offers, customer)) {
            for (auto left = static_cast<std::size_t>(offer.cost); left < best.size(); ++left) {
                best[left] = std::max(best[left], before[left - static_cast<std::size_t>(offer.cost)] + offer.profit);
            }
        }
    }
    return best.back();
}

struct Spent {
    std::int64_t cost = 0;
    double profit = 0;
};

Spent spent_at(const Offers& offers, int customers, double price) {
    Spent spent;
    for (int customer = 0; customer < customers; ++customer) {
        const auto own = offers_of(offers, customer);
        const auto chosen = choose_at_price(own, price);
        if (!chosen) continue;
        spent.cost += own[*chosen].cost;
        spent.profit += own[*chosen].profit;
    }
    return spent;
}

// At most one customer's increment is lost.
TEST(BudgetPrice, IsNearTheExactProgram) {
    constexpr int customers = 25;
    for (unsigned seed = 1; seed <= 40; ++seed) {
        const Offers offers = random_shop(customers, seed);
        double greatest = 0;
        for (const PricedOffer& offer : offers) greatest = std::max(greatest, offer.profit);
        for (const int budget : {0, 20, 60, 150, 400, 5'000}) {
            const double price = plan_budget(offers, budget).price;
            // A shade above the price: what is worth exactly nothing at it may cost too much.
            const Spent spent = spent_at(offers, customers, price * (1 + 1e-9) + 1e-12);
            const double best = best_profit(offers, customers, budget);
            EXPECT_LE(spent.cost, budget) << seed << ' ' << budget;
            EXPECT_LE(spent.profit, best + 1e-9);
            EXPECT_GE(spent.profit, best - greatest - 1e-9) << seed << ' ' << budget;
            const BudgetPlan plan = plan_budget(offers, budget);
            EXPECT_LE(plan.cost, budget);
            EXPECT_GE(plan.cost, spent.cost);  // of those who earn just the price, who fit in
            EXPECT_GE(plan.profit, spent.profit - 1e-9);
            EXPECT_LE(plan.profit, best + 1e-9);
        }
    }
}

// Everybody's best, until nothing is left for the next one.
double profit_by_key(const Offers& offers, int customers, std::int64_t budget) {
    double profit = 0;
    for (int customer = 0; customer < customers; ++customer) {
        const auto own = offers_of(offers, customer);
        const auto best = choose_at_price(own, 0);
        if (!best || own[*best].cost > budget) continue;
        budget -= own[*best].cost;
        profit += own[*best].profit;
    }
    return profit;
}

TEST(BudgetPrice, EarnsMoreThanWhoeverComesFirst) {
    constexpr int customers = 2'000;
    for (unsigned seed = 1; seed <= 10; ++seed) {
        const Offers offers = random_shop(customers, seed);
        for (const int budget : {1'000, 5'000, 20'000}) {
            EXPECT_GT(plan_budget(offers, budget).profit, 1.2 * profit_by_key(offers, customers, budget));
        }
    }
}

TEST(BudgetPrice, OfABudgetThatSufficesIsNothing) {
    const Offers offers = random_shop(25, 1);
    EXPECT_EQ(plan_budget(offers, 1'000'000).price, 0);
    EXPECT_EQ(plan_budget({}, 0).price, 0);
    EXPECT_GT(plan_budget(offers, 0).price, 0);
}

// 4 for 20, then 4 more for 30: on the hull; the middle one is not.
TEST(BudgetPrice, FollowsTheUpperHull) {
    const Offers offers = {{1, 20, 4}, {1, 30, 4.5}, {1, 50, 8}};
    EXPECT_DOUBLE_EQ(plan_budget(offers, 10).price, 0.2);
    EXPECT_DOUBLE_EQ(plan_budget(offers, 20).price, 4.0 / 30);
    EXPECT_DOUBLE_EQ(plan_budget(offers, 49).price, 4.0 / 30);
    EXPECT_EQ(plan_budget(offers, 50).price, 0);
    EXPECT_EQ(choose_at_price(offers, 0.15), 0u);
    EXPECT_EQ(choose_at_price(offers, 0.1), 2u);
    EXPECT_FALSE(choose_at_price(offers, 0.3));
}

}  // namespace
}  // namespace clientele
