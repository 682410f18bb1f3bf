#include "core/profile/order_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace clientele {
namespace {

std::vector<std::uint8_t> logged(const std::vector<Order>& orders) {
    std::vector<std::uint8_t> log;
    Instant previous = 0;
    for (const Order& order : orders) {
        std::uint8_t entry[max_logged_size];
        const std::size_t size = log_order(entry, previous, order);
        EXPECT_LE(size, max_logged_size);
        log.insert(log.end(), entry, entry + size);
        previous = order.at;
    }
    return log;
}

void expect_round_trip(const std::vector<Order>& orders) {
    const Orders read = read_log(logged(orders));
    ASSERT_EQ(read.size(), orders.size());
    EXPECT_TRUE(std::equal(read.begin(), read.end(), orders.begin()));
}

TEST(OrderLog, EmptyIsEmpty) { EXPECT_TRUE(read_log({}).empty()); }

TEST(OrderLog, KeepsExtremesInTheOrderTheyCame) {
    expect_round_trip({{first_supported_instant, max_amount - 1},
                       {last_supported_instant, 1 - max_amount},
                       {first_supported_instant, 0},
                       {0, -1},
                       {-1, 1},
                       {-1, 1, 0},
                       {0, max_amount - 1, std::numeric_limits<Tie>::max()},
                       {0, 1 - max_amount, -std::numeric_limits<Tie>::max()},
                       {-1, 1}});
}

TEST(OrderLog, KeepsRandomOrders) {
    std::mt19937_64 random(20261121);
    std::uniform_int_distribution<Instant> at(first_supported_instant, last_supported_instant);
    std::uniform_int_distribution<Money> amount(1 - max_amount, max_amount - 1);
    std::uniform_int_distribution<Tie> tie;
    for (int round = 0; round < 200; ++round) {
        std::vector<Order> orders(static_cast<std::size_t>(round));
        std::generate(orders.begin(), orders.end(), [&] {
            return Order{at(random), amount(random), round % 2 ? tie(random) : no_tie};
        });
        expect_round_trip(orders);
    }
}

TEST(OrderLog, TakesAboutNineBytesForAnOrdinaryOrder) {
    std::vector<Order> orders;
    for (int i = 0; i < 100; ++i)
        orders.push_back({i * 10 * microseconds_a_day + i * 123'457'891LL, 499'900 + i * 100});
    EXPECT_LE(logged(orders).size(), 900u);
}

}  // namespace
}  // namespace clientele
