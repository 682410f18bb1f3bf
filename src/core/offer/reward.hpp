// What an offer gives: an amount, a share of the order, or something that costs the shop an amount; and more of it
// where an order reaches a higher tier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace clientele {

enum class RewardKind : std::uint8_t { amount_off, percent_off, free_shipping, gift };
inline constexpr RewardKind reward_kinds[] = {RewardKind::amount_off, RewardKind::percent_off,
                                              RewardKind::free_shipping, RewardKind::gift};

inline constexpr std::size_t most_tiers = 3;

// A tier as a program defines it.
struct Step {
    std::int64_t stretch = 0;      // millionths
    std::int64_t reward_rate = 0;  // millionths
};

// The same for a customer: from which order value on, and what it gives.
struct Tier {
    std::int64_t min_spend = 0;  // whole units of the currency
    std::int64_t reward = 0;     // smallest units of the currency; of a share: what it gives at the threshold
    std::int64_t share = 0;      // of the order, in millionths; 0: the reward is an amount
    std::int64_t rate = 0;       // what the program would give, in millionths
    bool capped = false;         // by the margin
    bool at_max_reward = false;  // by the program
};

// What a share of an order of this value gives, at most `cap`: in smallest units of the currency, rounded down.
// The value has money_decimals.
std::int64_t share_of(std::int64_t share, __int128 value, std::int64_t cap, int currency_decimals);

// How many of the tiers, which ascend, an order of this value (with money_decimals) reaches.
std::size_t tiers_reached(std::span<const Tier> tiers, __int128 value);

// What is given in the place of an amount. Without data: an amount, or a share.
std::string_view reward_name(RewardKind kind, std::string_view gift);

std::string_view code_of(RewardKind kind);

}  // namespace clientele
