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
namespace {
constexpr int days_to_2000 = 730'425;  // from 0000-03-01, where the algorithm counts from
constexpr int days_an_era = 146'097;   // 400 years
}  // namespace

bool starts_day(Instant at, const Zone& zone) {
    constexpr std::int64_t longest_skip = 3 * microseconds_an_hour;
    const Instant local = zone.local(at);
    const Instant midnight = day_of(local) * microseconds_a_day;
    return local == midnight || (local - midnight <= longest_skip && zone.local(at - 1) < midnight);
}

CivilDate civil_date(Day day) {
    const int shifted = day + days_to_2000;
    const int era = (shifted >= 0 ? shifted : shifted - (days_an_era - 1)) / days_an_era;
    const int day_of_era = shifted - era * days_an_era;
    const int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int month_from_march = (5 * day_of_year + 2) / 153;
    const int month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return {year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

Day day_from_civil(CivilDate date) {
    const int year = date.year - (date.month <= 2);
    const int era = (year >= 0 ? year : year - 399) / 400;
    const int year_of_era = year - era * 400;
    const int month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;
    const int day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * days_an_era + day_of_era - days_to_2000;
}

}  // namespace clientele
