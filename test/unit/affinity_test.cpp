#include "core/basket/affinity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace clientele {
namespace {

using Order = std::vector<std::string>;
using Found = std::tuple<std::string, std::uint32_t, double>;
using Neighbours = std::map<std::string, std::vector<Found>>;

struct Counted {
    Neighbours neighbours;
    std::map<std::string, std::uint32_t> baskets;
    std::uint64_t counted, left_out, pairs;
};

Counted count(const std::vector<Order>& orders, double shrinkage, std::size_t most, std::size_t cells,
              std::uint32_t most_products = 100) {
    Baskets baskets(most_products);
    std::vector<std::uint32_t> file;
    for (const Order& order : orders) {
        for (const std::string& product : order) baskets.add_line(product);
        baskets.end_order();
        file.insert(file.end(), baskets.written().begin(), baskets.written().end());
        baskets.forget_written();
    }
    NeighbourSearch search(baskets.totals(), baskets.names(), {shrinkage, most, cells});
    Counted result{{}, {}, baskets.counted(), baskets.left_out(), 0};
    while (search.next_block()) {
        search.add_baskets(file);
        for (std::uint32_t p = search.block_begin(); p < search.block_end(); ++p) {
            const std::string name(baskets.names()[p]);
            result.baskets[name] = baskets.totals()[p].baskets;
            for (const Neighbour& n : search.neighbours_of(p)) {
                result.neighbours[name].emplace_back(baskets.names()[n.product], n.together, n.affinity);
            }
        }
    }
    result.pairs = search.pairs();
    return result;
}

// Everything against everything.
Counted expected(const std::vector<Order>& orders, double shrinkage, std::size_t most) {
    Counted result{};
    std::map<std::string, std::map<std::string, std::uint32_t>> together;
    for (const Order& order : orders) {
        const std::set<std::string> products(order.begin(), order.end());
        result.counted += !products.empty();
        for (const auto& a : products) {
            ++result.baskets[a];
            for (const auto& b : products) {
                if (a != b) ++together[a][b];
            }
        }
    }
    for (const auto& [a, others] : together) {
        auto& found = result.neighbours[a];
        for (const auto& [b, n] : others) {
            found.emplace_back(b, n, affinity(n, result.baskets[a], result.baskets[b], shrinkage));
        }
        std::stable_sort(found.begin(), found.end(), [](auto& x, auto& y) { return std::get<2>(x) > std::get<2>(y); });
        result.pairs += found.size();
        if (found.size() > most) found.resize(most);
    }
    return result;
}

std::vector<Order> random_orders(int count, int products) {
    std::mt19937 random(7);
    std::vector<Order> orders(count);
    for (Order& order : orders) {
        const auto lines = 1 + random() % 9;
        for (unsigned i = 0; i < lines; ++i)
            order.push_back("p" + std::to_string(random() % products * (random() % 3) / 2));
    }
    return orders;
}

TEST(Affinity, IsTheCosineShrunkByTheSupport) {
    EXPECT_DOUBLE_EQ(affinity(6, 9, 16, 0), 0.5);
    EXPECT_DOUBLE_EQ(affinity(6, 9, 16, 6), 0.25);
    EXPECT_EQ(affinity(6, 9, 16, 6), affinity(6, 16, 9, 6));
    EXPECT_DOUBLE_EQ(affinity(5, 5, 5, 0), 1);
}

TEST(NeighbourSearch, FindsWhatCountingEveryPairFinds) {
    const std::vector<Order> orders = random_orders(500, 40);
    const Counted all = expected(orders, 10, 50);
    for (const std::size_t cells : {1, 100, 1'000, 1'000'000}) {
        const Counted found = count(orders, 10, 50, cells);
        EXPECT_EQ(found.neighbours, all.neighbours) << cells;
        EXPECT_EQ(found.baskets, all.baskets);
        EXPECT_EQ(found.pairs, all.pairs);
        EXPECT_EQ(found.counted, 500u);
    }
}

TEST(NeighbourSearch, KeepsTheBestOnly) {
    const std::vector<Order> orders = random_orders(300, 30);
    EXPECT_EQ(count(orders, 3, 5, 200).neighbours, expected(orders, 3, 5).neighbours);
}

TEST(NeighbourSearch, DoesNotDependOnTheOrderOfOrdersOrLines) {
    std::vector<Order> orders = random_orders(300, 30);
    const Counted before = count(orders, 10, 7, 500);
    std::mt19937 random(3);
    std::shuffle(orders.begin(), orders.end(), random);
    for (Order& order : orders) std::shuffle(order.begin(), order.end(), random);
    EXPECT_EQ(count(orders, 10, 7, 333).neighbours, before.neighbours);
}

TEST(NeighbourSearch, BreaksTiesByName) {
    const Counted found = count({{"m", "z", "a", "k"}, {"m", "k", "z", "a"}}, 0, 2, 1'000);
    EXPECT_EQ(found.neighbours.at("m"), (std::vector<Found>{{"a", 2, 1.0}, {"k", 2, 1.0}}));
}

TEST(NeighbourSearch, IsSymmetric) {
    const Counted found = count(random_orders(400, 25), 10, 100, 1'000);
    for (const auto& [a, list] : found.neighbours) {
        for (const auto& [b, n, score] : list) {
            const auto& back = found.neighbours.at(b);
            EXPECT_NE(std::find(back.begin(), back.end(), Found{a, n, score}), back.end());
        }
    }
}

TEST(Baskets, CountAProductOnceAnOrder) {
    const Counted found = count({Order(1'000'000, "a"), {"a", "b", "a"}, {}}, 0, 10, 100);
    EXPECT_EQ(found.baskets.at("a"), 2u);
    EXPECT_EQ(found.counted, 2u);
    EXPECT_EQ(found.neighbours.at("b"), (std::vector<Found>{{"a", 1, 1 / std::sqrt(2.0)}}));
}

TEST(Baskets, LeaveOutWhatHasTooManyProducts) {
    const Counted found = count({{"a", "b", "c", "d"}, {"a", "b", "c"}, {"d"}}, 0, 10, 100, 3);
    EXPECT_EQ(found.left_out, 1u);
    EXPECT_EQ(found.counted, 2u);
    EXPECT_EQ(found.baskets.at("d"), 1u);
    EXPECT_EQ(found.neighbours.count("d"), 0u);
}

TEST(Baskets, NothingIsNoError) {
    const Counted found = count({}, 10, 50, 100);
    EXPECT_TRUE(found.neighbours.empty());
    EXPECT_EQ(found.pairs, 0u);
}

}  // namespace
}  // namespace clientele
