// A run of orders in few bytes, in the order they came: what an aggregate keeps of each group until it is worth
// folding. Each order is two zigzag varints, its time since the one before and its amount: about nine bytes. The last
// bit of the amount says whether a third follows, the tie.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>

#include "core/base/zigzag.hpp"
#include "core/profile/profile.hpp"

namespace clientele {

constexpr std::size_t max_logged_size = 30;  // three numbers of 64 bits

using Orders = boost::container::small_vector<Order, 128>;

inline std::uint8_t* log_number(std::uint8_t* end, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) *end++ = static_cast<std::uint8_t>(value | 0x80);
    *end++ = static_cast<std::uint8_t>(value);
    return end;
}

// Writes an order behind one that was placed at `previous` (0 for the first); returns how many bytes it took.
inline std::size_t log_order(std::uint8_t* out, Instant previous, const Order& order) {
    const bool has_tie = order.tie != no_tie;
    std::uint8_t* end = log_number(out, zigzag(order.at - previous));
    end = log_number(end, zigzag(order.amount) << 1 | has_tie);
    if (has_tie) end = log_number(end, zigzag(order.tie));
    return static_cast<std::size_t>(end - out);
}

// All orders of a log.
Orders read_log(Bytes log);

}  // namespace clientele
