// A run of orders in few bytes, in the order they came: what an aggregate keeps of each group until it is worth
// folding. Each order is two zigzag varints, its time since the one before and its amount: about nine bytes.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>

#include "core/profile/profile.hpp"

namespace clientele {

constexpr std::size_t max_logged_size = 20;  // two numbers of 64 bits

using Orders = boost::container::small_vector<Order, 128>;

// Writes an order behind one that was placed at `previous` (0 for the first); returns how many bytes it took.
inline std::size_t log_order(std::uint8_t* out, Instant previous, const Order& order) {
    std::uint8_t* end = out;
    for (const std::int64_t value : {order.at - previous, order.amount}) {
        auto rest = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
        for (; rest >= 0x80; rest >>= 7) *end++ = static_cast<std::uint8_t>(rest | 0x80);
        *end++ = static_cast<std::uint8_t>(rest);
    }
    return static_cast<std::size_t>(end - out);
}

// All orders of a log.
Orders read_log(Bytes log);

}  // namespace clientele
