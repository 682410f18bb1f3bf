// The limits of the offers to one customer: how many of a program, how soon, how much is left, and how far each may go.
#pragma once

#include <cstdint>
#include <limits>

#include "core/base/calendar.hpp"

namespace clientele {

// An offer that was issued to a customer, or that they were held out of.
struct PastExposure {
    Instant issued_at = 0;
    std::int64_t min_spend = 0;  // whole units of the currency; 0: unknown
    bool is_void = false;
};

inline constexpr Instant never = std::numeric_limits<Instant>::min();
inline constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

// The last exposure, of whatever program, limits the next threshold for so long.
inline constexpr std::int64_t step_days = 180;

// How a customer and a program stand to each other.
struct Standing {
    std::int64_t exposures = 0;          // that are not void
    Instant last_issued_at = never;      // of those
    Instant cools_until = never;         // that is, how long after it nothing is offered again
    std::int64_t remaining = unlimited;  // of the program's budget, in the currency's smallest units
};

void add_exposure(Standing& standing, const PastExposure& exposure);

// What a customer was last asked for: by the last exposure of all programs, also a void one, whose min_spend is known.
struct LastThreshold {
    Instant issued_at = never;
    std::int64_t min_spend = 0;
};

void add_exposure(LastThreshold& last, const PastExposure& exposure);

// What the last exposure limits the threshold by; 0 where it does not.
std::int64_t limiting_threshold(const LastThreshold& last, Instant as_of);

// The highest threshold that may be asked for: one rung above the limiting one.
std::int64_t highest_threshold(const LastThreshold& last, Instant as_of);

}  // namespace clientele
