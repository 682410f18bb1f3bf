// An interval for an effect that may be looked at as often as one likes.
#pragma once

#include "core/experiment/lift.hpp"

namespace clientele {

struct SequentialInterval {
    double low = unknown, high = unknown;
};

// Misses at any look with probability alpha at most, asymptotically; narrowest, for its sample, at about `tuning` rows.
// Unknown where the lift has no interval.
SequentialInterval sequential_interval(const Lift& lift, double alpha, double tuning);

}  // namespace clientele
