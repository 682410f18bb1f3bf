#include "core/profile/order_log.hpp"

namespace clientele {
namespace {

std::uint64_t read_number(Bytes log, std::size_t& at) {
    std::uint64_t value = 0;
    unsigned shift = 0;
    for (; log[at] & 0x80; shift += 7) value |= static_cast<std::uint64_t>(log[at++] & 0x7F) << shift;
    value |= static_cast<std::uint64_t>(log[at++]) << shift;
    return value;
}

}  // namespace

Orders read_log(Bytes log) {
    Orders orders;
    Instant previous = 0;
    for (std::size_t at = 0; at < log.size();) {
        previous += unzigzag(read_number(log, at));
        const std::uint64_t amount = read_number(log, at);
        orders.push_back({previous, unzigzag(amount >> 1), amount & 1 ? unzigzag(read_number(log, at)) : no_tie});
    }
    return orders;
}

}  // namespace clientele
