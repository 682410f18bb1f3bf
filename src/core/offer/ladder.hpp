// The ladder: the round amounts that a minimum spend is chosen from.
#pragma once

#include <cstdint>

namespace clientele {

// The highest rung, and the largest amount that the ladder answers for.
inline constexpr std::int64_t highest_rung = 1'000'000'000'000'000;

// The smallest rung at or above the amount, which is from 0 to highest_rung; amounts outside throw.
std::int64_t ladder_rung(std::int64_t amount);

// The greatest rung at or below the amount, 0 of 0; amounts outside throw.
std::int64_t rung_at_or_below(std::int64_t amount);

// One rung above the smallest that is at or above the amount; of the highest rung, itself.
std::int64_t rung_above(std::int64_t amount);

}  // namespace clientele
