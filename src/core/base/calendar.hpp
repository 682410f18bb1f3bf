// Instants, local calendar days and time zones.
#pragma once

#include <chrono>
#include <cstdint>

namespace clientele {

using Instant = std::int64_t;  // microseconds since 2000-01-01 00:00 UTC, as PostgreSQL's timestamptz
using Day = std::int32_t;      // days since 2000-01-01, as PostgreSQL's date

constexpr std::int64_t microseconds_a_second = 1'000'000;
constexpr std::int64_t microseconds_an_hour = 3'600 * microseconds_a_second;
constexpr std::int64_t microseconds_a_day = 24 * microseconds_an_hour;

// What a profile accepts: 0001-01-01 to 9999-12-31, both included, in UTC.
constexpr Day first_supported_day = -730'119;
constexpr Day last_supported_day = 2'921'939;
constexpr Instant first_supported_instant = first_supported_day * microseconds_a_day;
constexpr Instant last_supported_instant = (last_supported_day + 1) * microseconds_a_day - 1;

// A time zone: its name, and how many microseconds it is ahead of UTC at an instant. The core cannot look zones up;
// whoever calls it brings the function. No function: UTC.
struct Zone {
    const char* name = "UTC";
    std::int64_t (*offset_at)(void* context, Instant at) = nullptr;
    void* context = nullptr;

    Instant local(Instant at) const { return offset_at ? at + offset_at(context, at) : at; }
    bool is_utc() const { return offset_at == nullptr; }
};

constexpr Day day_of(Instant local) {
    const std::int64_t day = local / microseconds_a_day;
    return static_cast<Day>(local % microseconds_a_day < 0 ? day - 1 : day);
}

// Whether a calendar day of the zone starts at an instant: its midnight, or, where daylight saving skips that, what
// follows it.
bool starts_day(Instant at, const Zone& zone);

// 2000-01-01 was a Saturday.
constexpr bool is_weekend(Day day) {
    const Day since_saturday = day % 7 < 0 ? day % 7 + 7 : day % 7;
    return since_saturday < 2;
}

// When the local calendar day begins: the first instant whose local day is this one, or a later one where the zone
// skipped the day. That need not be a midnight: clocks may be put forward over it, or back over it, so that it comes
// twice.
Instant first_instant_of(Day day, const Zone& zone);

// The proleptic Gregorian calendar.
constexpr std::chrono::sys_days day_zero = std::chrono::year{2000} / 1 / 1;
constexpr std::chrono::year_month_day civil_date(Day day) { return day_zero + std::chrono::days(day); }
constexpr Day day_from_civil(std::chrono::year_month_day date) {
    return static_cast<Day>((std::chrono::sys_days(date) - day_zero).count());
}

}  // namespace clientele
