// Time zones by name, for the core: those of pg_timezone_names, and those of them by names that they had or will have
// on another server; nothing else.
#pragma once

#include <cstddef>

#include "core/base/calendar.hpp"

#include "pg/kit/postgres.hpp"

namespace clientele {

// The zone of that name (any case; `zone.name` is as pg_timezone_names spells it, and lives as long as the session).
// Raises an ERROR for abbreviations, POSIX strings and unknown names. Call it where no C++ object is alive.
const Zone& find_zone(const char* name, std::size_t size);

// The same; nullptr where there is none.
const Zone* known_zone(const char* name, std::size_t size);

// Whether its rules are others here, at any time since 1970, than those of these digests: clientele._zone_digests().
bool has_other_rules(const char* name, std::size_t size, ArrayType* digests);

// A local time of the zone as an instant. A time that daylight saving skips moves forward; one that comes twice is the
// later. AT TIME ZONE does the same, but takes names such as CET for abbreviations, which know no summer.
Instant instant_of(Instant local, const Zone& zone);

// What stands for the zone's calendar day of an instant: its midnight, as instant_of() gives it.
Instant day_start(Instant at, const Zone& zone);

}  // namespace clientele
