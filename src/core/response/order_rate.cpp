#include "core/response/order_rate.hpp"

#include <algorithm>

namespace clientele {

OrderRate order_rate(double mean, double variance, double days) {
    const double excess = std::max(variance - mean, 1e-9 * mean);
    return {mean * mean / excess, mean / days, days};
}

}  // namespace clientele
