#include "core/offer/reward.hpp"

#include <algorithm>

#include "core/profile/profile.hpp"

namespace clientele {
namespace {

constexpr __int128 power(int exponent) {
    __int128 power = 1;
    while (exponent-- > 0) power *= 10;
    return power;
}

}  // namespace

std::int64_t share_of(std::int64_t share, __int128 value, std::int64_t cap, int currency_decimals) {
    constexpr int share_decimals = 6;
    const __int128 reward = share * value / power(share_decimals + money_decimals - currency_decimals);
    return static_cast<std::int64_t>(std::min<__int128>(reward, cap));
}

std::size_t tiers_reached(std::span<const Tier> tiers, __int128 value) {
    std::size_t reached = 0;
    while (reached < tiers.size() && value >= tiers[reached].min_spend * power(money_decimals)) ++reached;
    return reached;
}

std::string_view reward_name(RewardKind kind, std::string_view gift) {
    switch (kind) {
        case RewardKind::free_shipping:
            return "free delivery";
        case RewardKind::gift:
            return gift;
        default:
            return {};
    }
}

std::string_view code_of(RewardKind kind) {
    constexpr std::string_view codes[] = {"amount_off", "percent_off", "free_shipping", "gift"};
    return codes[static_cast<int>(kind)];
}

}  // namespace clientele
