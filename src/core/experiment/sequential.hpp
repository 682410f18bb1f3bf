// An interval for an effect that may be looked at as often as one likes.
#pragma once

#include <cstdint>
#include <optional>

#include "core/experiment/lift.hpp"

namespace clientele {

struct SequentialInterval {
    double low = unknown, high = unknown;
};

// Misses at any look with probability alpha at most, asymptotically; narrowest, for its sample, at about `tuning` rows.
// Unknown where the lift has no interval, and where "asymptotically" is not yet true: below 100 rows in the smaller
// arm, and below 30 whose outcome is not zero in the control arm, where their number is known. There, skewed outcomes
// would make it miss several times as often.
SequentialInterval sequential_interval(const Lift& lift, double alpha, double tuning,
                                       std::optional<std::int64_t> nonzero_control = {});

}  // namespace clientele
