#include "core/base/calendar.hpp"

#include <gtest/gtest.h>

namespace clientele {
namespace {

using namespace std::chrono_literals;

struct Expected {
    int year;
    unsigned month, day;
};

bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

unsigned month_length(int year, unsigned month) {
    static constexpr unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return lengths[month - 1] + (month == 2 && is_leap(year));
}

TEST(Calendar, CountsEveryDayOfTheSupportedRangeForthAndBack) {
    Expected expected{1, 1, 1};
    for (Day day = first_supported_day; day <= last_supported_day; ++day) {
        const std::chrono::year_month_day date = civil_date(day);
        ASSERT_TRUE(date == std::chrono::year{expected.year} / std::chrono::month{expected.month} /
                                std::chrono::day{expected.day})
            << day;
        ASSERT_EQ(day_from_civil(date), day);
        if (++expected.day > month_length(expected.year, expected.month)) {
            expected.day = 1;
            if (++expected.month > 12) expected = {expected.year + 1, 1, 1};
        }
    }
    EXPECT_EQ(expected.year, 10'000);
}

TEST(Calendar, GoesADayBeyondTheRangeOnEitherSide) {
    // A local day may lie beside the day in UTC.
    const std::chrono::year_month_day before = civil_date(first_supported_day - 1);
    EXPECT_EQ(before, 0y / 12 / 31);
    const std::chrono::year_month_day after = civil_date(last_supported_day + 1);
    EXPECT_EQ(after, 10'000y / 1 / 1);
    EXPECT_EQ(day_from_civil(before), first_supported_day - 1);
    EXPECT_EQ(day_from_civil(after), last_supported_day + 1);
}

TEST(Calendar, ADayBeginsAtMidnight) {
    for (const Day day : {first_supported_day, -365, -1, 0, 1, 9'861, last_supported_day}) {
        const Instant midnight = day * microseconds_a_day;
        EXPECT_EQ(day_of(midnight - 1), day - 1);
        EXPECT_EQ(day_of(midnight), day);
        EXPECT_EQ(day_of(midnight + microseconds_a_day - 1), day);
    }
}

TEST(Calendar, TwoDaysOfEverySevenAreAWeekend) {
    EXPECT_TRUE(is_weekend(day_from_civil(2000y / 1 / 1)));   // Saturday
    EXPECT_TRUE(is_weekend(day_from_civil(2000y / 1 / 2)));   // Sunday
    EXPECT_FALSE(is_weekend(day_from_civil(2000y / 1 / 3)));  // Monday
    EXPECT_FALSE(is_weekend(day_from_civil(1999y / 12 / 31)));
    EXPECT_FALSE(is_weekend(day_from_civil(1969y / 7 / 21)));  // Monday
    EXPECT_TRUE(is_weekend(day_from_civil(1969y / 7 / 20)));
    for (Day day = first_supported_day; day < last_supported_day - 7; day += 1'001) {
        int weekend = 0;
        for (Day next = day; next < day + 7; ++next) weekend += is_weekend(next);
        ASSERT_EQ(weekend, 2) << day;
        ASSERT_EQ(is_weekend(day), is_weekend(day + 7)) << day;
    }
}

// A zone whose clocks change by so many hours at an instant.
struct Change {
    Instant at;
    std::int64_t before, after;  // hours ahead of UTC
};
std::int64_t changed_offset(void* context, Instant at) {
    const auto& change = *static_cast<const Change*>(context);
    return (at < change.at ? change.before : change.after) * microseconds_an_hour;
}

TEST(Calendar, ADayBeginsWithItsFirstInstantHoweverClocksAreChanged) {
    constexpr Day day = 9'000;
    constexpr Instant midnight = day * microseconds_a_day;
    const auto first = [](Change change) { return first_instant_of(day, {"Test/Change", changed_offset, &change}); };
    const Instant five = 5 * microseconds_an_hour;
    EXPECT_EQ(first_instant_of(day, {}), midnight);
    EXPECT_EQ(first({0, -5, -5}), midnight + five);
    EXPECT_EQ(first({midnight + five, -5, -4}), midnight + five);                         // 0:00 becomes 1:00
    EXPECT_EQ(first({midnight + five + microseconds_an_hour, -5, -6}), midnight + five);  // 1:00 becomes 0:00 again
    EXPECT_EQ(first({midnight + five, -5, -6}), midnight + five + microseconds_an_hour);  // 0:00 becomes 23:00 again
    EXPECT_EQ(first({midnight + 10 * microseconds_an_hour, -10, 14}), midnight + 10 * microseconds_an_hour);  // skipped
    EXPECT_EQ(day_of(midnight + 24 * microseconds_an_hour), day + 1);
}

TEST(Calendar, AZoneWithoutRulesIsUtc) {
    const Zone utc;
    EXPECT_TRUE(utc.is_utc());
    EXPECT_EQ(utc.local(-1), -1);
    std::int64_t hours = -5;
    const Zone behind{
        "Test/Behind",
        [](void* context, Instant) { return *static_cast<std::int64_t*>(context) * microseconds_an_hour; }, &hours};
    EXPECT_FALSE(behind.is_utc());
    EXPECT_EQ(behind.local(0), -5 * microseconds_an_hour);
}

// A zone that is three hours behind UTC, and two from a time on.
std::int64_t two_hours_from(void* since, Instant at) {
    return (at < *static_cast<const Instant*>(since) ? -3 : -2) * microseconds_an_hour;
}

TEST(Calendar, DaysStartAtMidnightOrAfterWhatIsSkipped) {
    EXPECT_TRUE(starts_day(0, Zone{}));
    EXPECT_TRUE(starts_day(-microseconds_a_day, Zone{}));
    for (const Instant at : {Instant{1}, Instant{-1}, microseconds_an_hour, 12 * microseconds_an_hour}) {
        EXPECT_FALSE(starts_day(at, Zone{})) << at;
    }
    Instant midnight = 3 * microseconds_an_hour;  // by the winter's time, when clocks go forward
    const Zone zone{"America/Sao_Paulo", two_hours_from, &midnight};
    EXPECT_TRUE(starts_day(midnight - microseconds_a_day, zone));
    EXPECT_TRUE(starts_day(midnight, zone));  // one o'clock
    EXPECT_FALSE(starts_day(midnight + 1, zone));
    EXPECT_FALSE(starts_day(midnight + microseconds_an_hour, zone));
    EXPECT_TRUE(starts_day(midnight + 23 * microseconds_an_hour, zone));
}

}  // namespace
}  // namespace clientele
