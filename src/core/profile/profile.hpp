// The order profile: a mergeable, exact summary of one customer's orders.
//
// Everything in it is an integer, a set or a maximum, so that profiles of disjoint sets of orders merge in any order
// and grouping to the profile of their union, bit for bit.
#pragma once

#include <boost/container/small_vector.hpp>
#include <boost/multiprecision/cpp_int.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "core/base/calendar.hpp"

namespace clientele {

using Money = std::int64_t;                        // 1/10,000 of the currency
using MoneySum = __int128;                         // the same unit
using Squares = boost::multiprecision::uint256_t;  // 1/100,000,000 of the currency squared
using Bytes = std::span<const std::uint8_t>;
using WritableBytes = std::span<std::uint8_t>;

constexpr int money_decimals = 4;
constexpr Money max_amount = 100'000'000'000'000'000;  // exclusive: 10^13
constexpr std::int64_t max_count = 1'000'000'000'000;  // orders and refunds in one profile
constexpr int recent_capacity = 8;

// What ranks orders of one time: a number that grows as their ids do. An order may have none.
using Tie = std::int64_t;
constexpr Tie no_tie = std::numeric_limits<Tie>::min();

// What a store counts of that range, the end excluded: clients write 0001-01-01 and 9999-12-31 for "no time", in
// whatever zone, and those days are left out with what lies beyond them.
constexpr Instant first_countable_instant = first_supported_instant + microseconds_a_day;
constexpr Instant countable_end = last_supported_instant + 1 - 2 * microseconds_a_day;
constexpr bool is_countable(Instant at) { return at >= first_countable_instant && at < countable_end; }

struct Order {
    Instant at;
    Money amount;
    Tie tie = no_tie;

    bool operator==(const Order&) const = default;
    // Orders of one time are ranked by their ties, and without by amount, so that "the last order" does not depend on
    // row order.
    std::strong_ordering operator<=>(const Order& other) const {
        if (at != other.at) return at <=> other.at;
        if (tie != other.tie) return tie <=> other.tie;
        return amount <=> other.amount;
    }
};

// All of a profile but its purchase days. Trivially destructible: the boundary keeps it across backend calls.
struct Summary {
    int scale = 0;  // decimals that the amounts show
    std::int64_t orders = 0;
    std::int64_t refunds = 0;
    std::int64_t evening_orders = 0;
    std::int64_t weekend_orders = 0;
    MoneySum gross = 0;
    MoneySum refunded = 0;
    Squares squares = 0;  // sum of the squared order values
    MoneySum first_day_total = 0;
    Instant first_at = 0;
    Order recent[recent_capacity] = {};  // the last orders, oldest first
    int recent_count = 0;
    std::int64_t purchase_days = 0;
    Day first_day = 0;
    Day last_day = 0;

    const Order& last() const { return recent[recent_count - 1]; }
    bool has_ties() const;
};

// NOLINT: moving a small_vector allocates only where the allocators differ.
struct Profile : Summary {                         // NOLINT(bugprone-exception-escape)
    boost::container::small_vector<Day, 64> days;  // ascending
};

// The profile of these orders (an amount below zero is a refund). Sorts them in place.
Profile profile_of(std::span<Order> orders, int scale, const Zone& zone);
// Makes `profile` the profile of both sets of orders, which must be disjoint.
void merge(Profile& profile, const Profile& other);

// The binary form: version 2 where the last orders have ties, else version 1. Layout: profile_codec.cpp.
std::size_t encode(const Profile& profile, const char* zone_name, WritableBytes buffer);
// More than encode() ever needs for these many purchase days.
std::size_t encoded_bound(std::size_t purchase_days);
Summary decode_summary(Bytes encoded);
Profile decode(Bytes encoded);
struct ZoneName {
    const char* data;  // not terminated
    std::size_t size;
};
ZoneName zone_name(Bytes encoded);
// Refuses what profile_of() and merge() could not have produced by any rules of a time zone; UTC has but one set of
// them. Whether they could have produced it by these. nullptr: the zone is not known here.
bool validate(const Profile& profile, const Zone* zone);
// Refuses a second encoding of a profile: one value has one binary form.
void require_canonical(const Profile& profile, const char* zone_name, Bytes encoded);

// The JSON form; from JSON the boundary reads with PostgreSQL's own parser.
std::size_t to_json(const Profile& profile, const char* zone_name, std::span<char> buffer);
std::size_t json_bound(std::size_t purchase_days);
// Exact readings of JSON's parts; what names the key in errors.
boost::multiprecision::int512_t parse_decimal(const char* text, int decimals, const char* what);
int decimals_of(const char* text);
Instant parse_instant(const char* text, const char* what);
Day parse_date(const char* text, const char* what);

// What the customer usually spends now: the median of the last 8 orders, in 1/100,000. Needs an order.
std::int64_t typical_value(const Summary& profile);
// Coefficients of variation (sample standard deviation by mean); NaN below 2 orders or where all are zero.
double typical_cv(const Summary& profile);
double order_value_cv(const Summary& profile);
// Days between neighbouring purchase days; NaN below 2.
double mean_gap(const Summary& profile);
double median_gap(const Profile& profile);
// Purchase days among the last so many, of which `today` is the last one; those after it are left out.
std::int64_t purchase_days_within(const Profile& profile, std::int64_t days, Day today);

}  // namespace clientele
