#include "core/base/calendar.hpp"

namespace clientele {

Instant first_instant_of(Day day, const Zone& zone) {
    // No zone is as far as that from UTC, and none shows a day again once it has shown the next.
    constexpr std::int64_t farthest = 2 * microseconds_a_day;
    Instant before = day * microseconds_a_day - farthest;
    Instant reached = day * microseconds_a_day + farthest;
    while (reached - before > 1) {
        const Instant middle = before + (reached - before) / 2;
        (day_of(zone.local(middle)) < day ? before : reached) = middle;
    }
    return reached;
}

bool starts_day(Instant at, const Zone& zone) {
    constexpr std::int64_t longest_skip = 3 * microseconds_an_hour;
    const Instant local = zone.local(at);
    const Instant midnight = day_of(local) * microseconds_a_day;
    return local == midnight || (local - midnight <= longest_skip && zone.local(at - 1) < midnight);
}

}  // namespace clientele
