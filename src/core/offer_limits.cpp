#include "offer_limits.hpp"

#include "core/ladder.hpp"

namespace clientele {

void add_exposure(Standing& standing, const PastExposure& exposure) {
    if (exposure.min_spend > 0 && exposure.issued_at >= standing.last_asked_at) {
        standing.last_asked_at = exposure.issued_at;
        standing.last_asked = exposure.min_spend;
    }
    if (exposure.is_void) return;
    ++standing.exposures;
    if (exposure.issued_at > standing.last_issued_at) standing.last_issued_at = exposure.issued_at;
}

std::int64_t limiting_threshold(const Standing& standing, Instant as_of) {
    return standing.last_asked_at >= as_of - step_days * microseconds_a_day ? standing.last_asked : 0;
}

std::int64_t highest_threshold(const Standing& standing, Instant as_of) {
    const std::int64_t last = limiting_threshold(standing, as_of);
    return last > 0 ? rung_above(last) : highest_rung;
}

}  // namespace clientele
