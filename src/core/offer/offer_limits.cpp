#include "core/offer/offer_limits.hpp"

#include "core/offer/ladder.hpp"

namespace clientele {

void add_exposure(Standing& standing, const PastExposure& exposure) {
    if (exposure.is_void) return;
    ++standing.exposures;
    if (exposure.issued_at > standing.last_issued_at) standing.last_issued_at = exposure.issued_at;
}

void add_exposure(LastThreshold& last, const PastExposure& exposure) {
    if (exposure.min_spend == 0 || exposure.issued_at < last.issued_at) return;
    last = {exposure.issued_at, exposure.min_spend};
}

std::int64_t limiting_threshold(const LastThreshold& last, Instant as_of) {
    return last.issued_at >= as_of - step_days * microseconds_a_day ? last.min_spend : 0;
}

std::int64_t highest_threshold(const LastThreshold& last, Instant as_of) {
    const std::int64_t limiting = limiting_threshold(last, as_of);
    return limiting > 0 ? rung_above(limiting) : highest_rung;
}

}  // namespace clientele
