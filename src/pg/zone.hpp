// Time zones by name, for the core: those of pg_timezone_names, and nothing else.
#pragma once

#include <cstddef>

#include "core/calendar.hpp"

namespace clientele {

// The zone of that name (any case; `zone.name` is as pg_timezone_names spells it, and lives as long as the session).
// Raises an ERROR for abbreviations, POSIX strings and unknown names. Call it where no C++ object is alive.
const Zone& find_zone(const char* name, std::size_t size);

}  // namespace clientele
