#include "pg/kit/zone.hpp"

#include <cstring>
#include <limits>

#include "pg/kit/postgres.hpp"

namespace clientele {
namespace {

constexpr pg_time_t unix_epoch_offset = static_cast<pg_time_t>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;

// A zone that was looked up, and the stretch of time (seconds since 1970) whose offset was needed last.
struct KnownZone {
    Zone zone;
    pg_tz* rules;
    pg_time_t from, until;
    std::int64_t offset;
    KnownZone* next;
    std::size_t size;
    char name[TZ_STRLEN_MAX + 1];
};

// Session cache: zones never change while a server runs; a session meets few.
constinit KnownZone* known_zones = nullptr;

// pg_next_dst_boundary and pg_localtime are plain computations: they neither allocate nor raise errors.
std::int64_t offset_at(void* context, Instant at) {
    auto& known = *static_cast<KnownZone*>(context);
    const std::int64_t second = at / microseconds_a_second - (at % microseconds_a_second < 0);
    const pg_time_t time = second + unix_epoch_offset;
    if (time >= known.from && time < known.until) return known.offset;
    long before = 0, after = 0;
    int before_is_dst = 0, after_is_dst = 0;
    pg_time_t boundary = 0;
    const int found =
        pg_next_dst_boundary(&time, &before, &before_is_dst, &boundary, &after, &after_is_dst, known.rules);
    known.from = time;
    known.until = found > 0 ? boundary : std::numeric_limits<pg_time_t>::max();
    known.offset = before * microseconds_a_second;
    return known.offset;
}

// Whether the zone is one that pg_timezone_names lists, rather than a POSIX string that PostgreSQL understands too. A
// POSIX string has an offset; reading all of the list takes long and is left to names with a digit.
bool is_listed(pg_tz* rules) {
    const char* canonical_name = pg_get_timezone_name(rules);
    if (!std::strpbrk(canonical_name, "0123456789")) return pg_tz_acceptable(rules);
    pg_tzenum* zones = pg_tzenumerate_start();
    bool listed = false;
    while (pg_tz* zone = pg_tzenumerate_next(zones)) {
        if (std::strcmp(pg_get_timezone_name(zone), canonical_name) == 0) {
            listed = true;
            break;
        }
    }
    pg_tzenumerate_end(zones);
    return listed;
}

[[noreturn]] void refuse(const char* name) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("time zone \"%s\" not recognized", name),
             errhint("Use a name from pg_timezone_names, such as 'Europe/Berlin'; abbreviations and POSIX strings "
                     "are not accepted.")));
    pg_unreachable();
}

const Zone& remember(const char* name) {
    pg_tz* rules = std::strlen(name) <= TZ_STRLEN_MAX ? pg_tzset(name) : nullptr;
    if (!rules || !is_listed(rules)) refuse(name);
    auto* known = static_cast<KnownZone*>(MemoryContextAllocZero(TopMemoryContext, sizeof(KnownZone)));
    strlcpy(known->name, pg_get_timezone_name(rules), sizeof known->name);
    known->size = std::strlen(known->name);
    known->rules = rules;
    known->zone = std::strcmp(known->name, "UTC") == 0 ? Zone{} : Zone{known->name, offset_at, known};
    known->next = known_zones;
    known_zones = known;
    return known->zone;
}

}  // namespace

const Zone& find_zone(const char* name, std::size_t size) {
    for (KnownZone* known = known_zones; known; known = known->next) {
        if (known->size == size && std::memcmp(known->name, name, size) == 0) return known->zone;
    }
    for (KnownZone* known = known_zones; known; known = known->next) {
        if (known->size == size && pg_strncasecmp(known->name, name, size) == 0) return known->zone;
    }
    return remember(pnstrdup(name, size));
}

Instant instant_of(Instant local, const Zone& zone) {
    if (zone.is_utc() || TIMESTAMP_NOT_FINITE(local)) return local;
    struct pg_tm parts;
    fsec_t fraction;
    TimestampTz result = 0;
    const bool split = timestamp2tm(local, nullptr, &parts, &fraction, nullptr, nullptr) == 0;
    int offset = split ? DetermineTimeZoneOffset(&parts, static_cast<KnownZone*>(zone.context)->rules) : 0;
    if (!split || tm2timestamp(&parts, fraction, &offset, &result) != 0) {
        ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
    }
    return result;
}

Instant day_start(Instant at, const Zone& zone) {
    if (TIMESTAMP_NOT_FINITE(at)) return at;
    return instant_of(day_of(zone.local(at)) * microseconds_a_day, zone);
}

}  // namespace clientele

namespace {

const clientele::Zone& zone_argument(FunctionCallInfo fcinfo) {
    const text* name = PG_GETARG_TEXT_PP(1);
    return clientele::find_zone(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

}  // namespace

CLIENTELE_FUNCTION(clientele_instant) {
    PG_RETURN_TIMESTAMPTZ(clientele::instant_of(PG_GETARG_TIMESTAMP(0), zone_argument(fcinfo)));
}

CLIENTELE_FUNCTION(clientele_day_start) {
    PG_RETURN_TIMESTAMPTZ(clientele::day_start(PG_GETARG_TIMESTAMPTZ(0), zone_argument(fcinfo)));
}
