#include "pg/kit/zone.hpp"

#include <cstring>
#include <limits>
#include <string_view>

#include "core/base/zone_names.hpp"

#include "pg/kit/postgres.hpp"

namespace clientele {
namespace {

constexpr pg_time_t unix_epoch_offset = static_cast<pg_time_t>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;

// Digests of a zone's rules since first_year: the nth is of those before the year first_year + n, in UTC. What was
// before concerns no shop, and is corrected often.
constexpr int first_year = 1970;
constexpr int digest_count = 131;

// A zone that was looked up, and the stretch of time (seconds since 1970) whose offset was needed last.
struct KnownZone {
    Zone zone;
    pg_tz* rules;
    pg_time_t from, until;
    std::int64_t offset;
    KnownZone* next;
    std::size_t size;
    char name[TZ_STRLEN_MAX + 1];
    bool digested;
    std::int64_t digests[digest_count];
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
             may_be_zone_name(name)
                 ? errhint("Use a name from pg_timezone_names. A store whose time zone this server does not know gets "
                           "another by clientele.set_time_zone().")
                 : errhint("Use a name from pg_timezone_names, such as 'Europe/Berlin'; abbreviations and POSIX "
                           "strings are not accepted.")));
    pg_unreachable();
}

pg_tz* listed_rules(const char* name) {
    pg_tz* rules = std::strlen(name) <= TZ_STRLEN_MAX ? pg_tzset(name) : nullptr;
    return rules && is_listed(rules) ? rules : nullptr;
}

// The rules of a zone by another name that it has, or had.
pg_tz* rules_by_other_name(const char* name) {
    if (const char* present = present_zone_name(name)) return listed_rules(present);
    for (std::size_t nth = 0; const char* former = former_zone_name(name, nth); ++nth) {
        if (pg_tz* rules = listed_rules(former)) return rules;
    }
    return nullptr;
}

KnownZone* remember(const char* name, pg_tz* rules) {
    auto* known = static_cast<KnownZone*>(MemoryContextAllocZero(TopMemoryContext, sizeof(KnownZone)));
    strlcpy(known->name, name, sizeof known->name);
    known->size = std::strlen(known->name);
    known->rules = rules;
    known->zone = std::strcmp(known->name, "UTC") == 0 ? Zone{} : Zone{known->name, offset_at, known};
    known->next = known_zones;
    known_zones = known;
    return known;
}

KnownZone* look_up(const char* name) {
    if (pg_tz* rules = listed_rules(name)) return remember(pg_get_timezone_name(rules), rules);
    pg_tz* rules = rules_by_other_name(name);
    return rules ? remember(name, rules) : nullptr;
}

KnownZone* known_by(const char* name, std::size_t size) {
    for (KnownZone* known = known_zones; known; known = known->next) {
        if (known->size == size && std::memcmp(known->name, name, size) == 0) return known;
    }
    for (KnownZone* known = known_zones; known; known = known->next) {
        if (known->size == size && pg_strncasecmp(known->name, name, size) == 0) return known;
    }
    return nullptr;
}

KnownZone* known_or_looked_up(const char* name, std::size_t size) {
    KnownZone* known = known_by(name, size);
    return known ? known : look_up(pnstrdup(name, size));
}

KnownZone& found_zone(const char* name, std::size_t size) {
    KnownZone* known = known_or_looked_up(name, size);
    if (!known) refuse(pnstrdup(name, size));
    return *known;
}

// ---- Digests ----

pg_time_t start_of_year(int nth) {
    const Day day = day_from_civil(std::chrono::year{first_year + nth} / 1 / 1);
    return day * static_cast<pg_time_t>(SECS_PER_DAY) + unix_epoch_offset;
}

std::uint64_t digest_of(std::uint64_t digest, std::int64_t value) {
    return (digest ^ static_cast<std::uint64_t>(value)) * 0x100000001B3U;  // FNV-1a, by words
}

// What changes the offset counts, however the zone's file writes it down.
void digest(KnownZone& known) {
    pg_time_t time = start_of_year(0);
    std::uint64_t digest = 0xCBF29CE484222325U;
    for (int year = 0; year < digest_count;) {
        long before = 0, after = 0;
        int before_is_dst = 0, after_is_dst = 0;
        pg_time_t boundary = 0;
        const int found =
            pg_next_dst_boundary(&time, &before, &before_is_dst, &boundary, &after, &after_is_dst, known.rules);
        if (year == 0) digest = digest_of(digest, before);
        while (year < digest_count && (found <= 0 || start_of_year(year) <= boundary)) {
            known.digests[year++] = static_cast<std::int64_t>(digest);
        }
        if (found > 0 && after != before) digest = digest_of(digest_of(digest, boundary), after);
        time = boundary;
    }
    known.digested = true;
}

const std::int64_t* digests_of(KnownZone& known) {
    if (!known.digested) digest(known);
    return known.digests;
}

bool same_rules(KnownZone& a, KnownZone& b) { return std::memcmp(digests_of(a), digests_of(b), sizeof a.digests) == 0; }

// From when on the rules differ from those of these digests; DT_NOEND: never.
TimestampTz differs_from(KnownZone& known, ArrayType* array) {
    const bool comparable = ARR_NDIM(array) == 1 && ARR_DIMS(array)[0] == digest_count && !ARR_HASNULL(array);
    if (!comparable) return DT_NOBEGIN;
    const std::int64_t* now = digests_of(known);
    const auto* then = reinterpret_cast<const std::int64_t*>(ARR_DATA_PTR(array));
    for (int year = 0; year < digest_count; ++year) {
        if (now[year] == then[year]) continue;
        return year == 0 ? DT_NOBEGIN : (start_of_year(year - 1) - unix_epoch_offset) * microseconds_a_second;
    }
    return DT_NOEND;
}

Day local_day(TimestampTz at, const Zone& zone) {
    if (!IS_VALID_TIMESTAMP(at)) {
        ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("an infinite time has no calendar day")));
    }
    return day_of(zone.local(at));
}

KnownZone& zone_argument(Datum datum) {
    const text* name = DatumGetTextPP(datum);
    return found_zone(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

}  // namespace

const Zone& find_zone(const char* name, std::size_t size) { return found_zone(name, size).zone; }

const Zone* known_zone(const char* name, std::size_t size) {
    const KnownZone* known = known_or_looked_up(name, size);
    return known ? &known->zone : nullptr;
}

bool has_other_rules(const char* name, std::size_t size, ArrayType* digests) {
    return differs_from(found_zone(name, size), digests) != DT_NOEND;
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

using namespace clientele;

// Beyond the range of profiles it is an infinity, which nobody counts: an error would stop the count of all others.
CLIENTELE_FUNCTION(clientele_instant) {
    const Timestamp local = PG_GETARG_TIMESTAMP(0);
    const Zone& zone = zone_argument(PG_GETARG_DATUM(1)).zone;
    if (local < first_supported_instant) PG_RETURN_TIMESTAMPTZ(DT_NOBEGIN);
    if (local > last_supported_instant) PG_RETURN_TIMESTAMPTZ(DT_NOEND);
    PG_RETURN_TIMESTAMPTZ(instant_of(local, zone));
}

CLIENTELE_FUNCTION(clientele_local_day) {
    return Int32GetDatum(local_day(PG_GETARG_TIMESTAMPTZ(0), zone_argument(PG_GETARG_DATUM(1)).zone));
}

// Of the last instant before the one at which something ends.
CLIENTELE_FUNCTION(clientele_last_day) {
    return Int32GetDatum(local_day(PG_GETARG_TIMESTAMPTZ(0) - 1, zone_argument(PG_GETARG_DATUM(1)).zone));
}

CLIENTELE_FUNCTION(clientele_day_start) {
    PG_RETURN_TIMESTAMPTZ(day_start(PG_GETARG_TIMESTAMPTZ(0), zone_argument(PG_GETARG_DATUM(1)).zone));
}

// A former name becomes the present one where that has the same rules here.
CLIENTELE_FUNCTION(clientele_check_time_zone) {
    KnownZone& known = zone_argument(PG_GETARG_DATUM(0));
    const char* name = pg_get_timezone_name(known.rules);
    // Not names of zones: the same files once more, and whatever this machine is set to.
    constexpr std::string_view copies = "posix/";
    if (std::string_view(name).substr(0, copies.size()) == copies) name += copies.size();
    if (std::strcmp(name, "localtime") == 0 || std::strcmp(name, "posixrules") == 0 ||
        std::strncmp(name, "right/", 6) == 0) {
        refuse(name);
    }
    if (const char* present = present_zone_name(name)) {
        KnownZone* renamed = known_or_looked_up(present, std::strlen(present));
        if (renamed && same_rules(known, *renamed)) name = pg_get_timezone_name(renamed->rules);
    }
    PG_RETURN_TEXT_P(cstring_to_text(name));
}

CLIENTELE_FUNCTION(clientele_is_time_zone) {
    const text* name = PG_GETARG_TEXT_PP(0);
    PG_RETURN_BOOL(known_zone(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) != nullptr);
}

CLIENTELE_FUNCTION(clientele_zone_digests) {
    const std::int64_t* digests = digests_of(zone_argument(PG_GETARG_DATUM(0)));
    Datum elements[digest_count];
    for (int year = 0; year < digest_count; ++year) elements[year] = Int64GetDatum(digests[year]);
    PG_RETURN_ARRAYTYPE_P(construct_array(elements, digest_count, INT8OID, sizeof(int64), true, TYPALIGN_DOUBLE));
}

CLIENTELE_FUNCTION(clientele_zone_differs_from) {
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    KnownZone& known = zone_argument(PG_GETARG_DATUM(0));
    const TimestampTz since = PG_ARGISNULL(1) ? DT_NOBEGIN : differs_from(known, PG_GETARG_ARRAYTYPE_P(1));
    if (since == DT_NOEND) PG_RETURN_NULL();
    PG_RETURN_TIMESTAMPTZ(since);
}
