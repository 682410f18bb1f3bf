#include "core/offer/progress.hpp"

namespace clientele {

std::int64_t gap_between(__int128 min_spend, __int128 basket, int currency_decimals) {
    if (basket >= min_spend) return 0;
    const std::int64_t unit = power_of_ten(money_decimals - currency_decimals);
    return static_cast<std::int64_t>((min_spend - basket + unit - 1) / unit);
}

}  // namespace clientele
