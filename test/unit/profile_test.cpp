#include "core/profile/profile.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace clientele {
namespace {

using namespace std::chrono_literals;

using Orders = std::vector<Order>;
using Encoded = std::vector<std::uint8_t>;
using Random = std::mt19937_64;

// ---- Zones: summer time for half of each year, and an offset that is no whole hour. ----

struct Rules {
    std::int64_t winter, summer;  // seconds ahead of UTC
};
constexpr Day half_a_year = 182;

std::int64_t offset_of(void* context, Instant at) {
    const auto& rules = *static_cast<const Rules*>(context);
    return (day_of(at) / half_a_year % 2 == 0 ? rules.winter : rules.summer) * microseconds_a_second;
}

Rules new_york{-5 * 3'600, -4 * 3'600};
Rules chatham{12 * 3'600 + 2'700, 13 * 3'600 + 2'700};
Rules local_mean_time{-17'762, -17'762};

std::vector<Zone> zones() {
    return {Zone{}, Zone{"America/New_York", offset_of, &new_york}, Zone{"Pacific/Chatham", offset_of, &chatham},
            Zone{"America/Argentina/ComodRivadavia", offset_of, &local_mean_time}};
}

// ---- Random sets of orders, which share times, with ties and without, and days, and mix refunds in. ----

std::int64_t between(Random& random, std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

Money random_amount(Random& random, int scale) {
    static constexpr Money unit_of_scale[] = {10'000, 1'000, 100, 10, 1};
    const Money unit = unit_of_scale[scale];
    switch (between(random, 0, 9)) {
        case 0:
            return 0;
        case 1:
            return -unit * between(random, 1, 9'999);
        case 2:
            return unit * between(random, 1, 3);
        case 3:
            return (max_amount - 1) / unit * unit;
        default:
            return unit * between(random, 1, 99'999);
    }
}

// None, or few different ones, or any.
Tie random_tie(Random& random, std::int64_t kind) {
    if (kind == 0 || between(random, 0, 5) == 0) return no_tie;
    const Tie most = kind == 1 ? 3 : std::numeric_limits<Tie>::max();
    return between(random, -most, most);
}

Orders random_orders(Random& random, int scale) {
    Orders orders(static_cast<std::size_t>(between(random, 1, between(random, 1, 60))));
    const Instant start = between(random, 0, 9'000) * microseconds_a_day;
    const std::int64_t days = between(random, 1, 200);
    const std::int64_t grain = between(random, 0, 1) ? microseconds_an_hour : 1;
    const std::int64_t ties = between(random, 0, 2);
    for (Order& order : orders) {
        const std::int64_t within = between(random, 0, days * microseconds_a_day - 1);
        order = {start + within / grain * grain, random_amount(random, scale), random_tie(random, ties)};
        if (&order > orders.data() && between(random, 0, 4) == 0) order.at = (&order)[-1].at;
    }
    return orders;
}

Profile profile_of_copy(Orders orders, int scale, const Zone& zone) { return profile_of(orders, scale, zone); }

Encoded encoded(const Profile& profile, const char* zone) {
    Encoded bytes(encoded_bound(profile.days.size()));
    bytes.resize(encode(profile, zone, bytes));
    return bytes;
}

std::string json(const Profile& profile, const char* zone) {
    std::string text(json_bound(profile.days.size()), '\0');
    text.resize(to_json(profile, zone, text));
    return text;
}

// Runs a test for many random sets of orders in every zone.
template <class Test>
void for_random_orders(int rounds, Test test) {
    Random random(20260701);
    for (const Zone& zone : zones()) {
        for (int round = 0; round < rounds; ++round) {
            SCOPED_TRACE(testing::Message() << zone.name << ", round " << round);
            const int scale = static_cast<int>(between(random, 0, money_decimals));
            test(random, random_orders(random, scale), scale, zone);
            if (testing::Test::HasFatalFailure()) return;
        }
    }
}

// ---- Exactness ----

// The figures of a set of orders, the long way round.
struct Plain {
    std::int64_t orders = 0, refunds = 0, evening = 0, weekend = 0;
    __int128 gross = 0, refunded = 0;
    std::map<Day, __int128> days;
    Orders sorted;

    Plain(const Orders& all, const Zone& zone) {
        for (const Order& order : all) {
            if (order.amount < 0) {
                ++refunds;
                refunded += -order.amount;
                continue;
            }
            const Instant local = order.at + (zone.offset_at ? zone.offset_at(zone.context, order.at) : 0);
            const Day day = static_cast<Day>(std::floor(static_cast<long double>(local) / microseconds_a_day));
            ++orders;
            evening += (local - day * microseconds_a_day) / microseconds_an_hour >= 18;
            weekend += ((day % 7) + 7) % 7 < 2;
            gross += order.amount;
            days[day] += order.amount;
            sorted.push_back(order);
        }
        std::sort(sorted.begin(), sorted.end());
    }
    Orders recent() const { return {sorted.end() - std::min<std::ptrdiff_t>(8, std::ssize(sorted)), sorted.end()}; }
};

double plain_cv(const Orders& orders) {
    long double mean = 0, spread = 0;
    for (const Order& order : orders) mean += static_cast<long double>(order.amount) / orders.size();
    for (const Order& order : orders) spread += (order.amount - mean) * (order.amount - mean);
    if (orders.size() < 2 || mean == 0) return NAN;
    return static_cast<double>(std::sqrt(spread / (orders.size() - 1)) / mean);
}

void expect_close(double value, double expected) {
    EXPECT_EQ(std::isnan(value), std::isnan(expected));
    if (!std::isnan(expected)) {
        EXPECT_NEAR(value, expected, 1e-9 * std::max(1.0, std::abs(expected)));
    }
}

TEST(Profile, FiguresAreThoseOfTheOrders) {
    for_random_orders(400, [](Random&, const Orders& orders, int scale, const Zone& zone) {
        const Profile profile = profile_of_copy(orders, scale, zone);
        const Plain plain(orders, zone);
        ASSERT_EQ(profile.orders, plain.orders);
        ASSERT_EQ(profile.refunds, plain.refunds);
        ASSERT_TRUE(profile.gross == plain.gross && profile.refunded == plain.refunded);
        ASSERT_EQ(profile.evening_orders, plain.evening);
        ASSERT_EQ(profile.weekend_orders, plain.weekend);
        ASSERT_EQ(profile.purchase_days, std::ssize(plain.days));
        const Orders recent = plain.recent();
        ASSERT_EQ(profile.recent_count, std::ssize(recent));
        for (std::size_t i = 0; i < recent.size(); ++i) ASSERT_EQ(profile.recent[i], recent[i]);
        if (plain.orders == 0) return;
        ASSERT_EQ(profile.first_at, plain.sorted.front().at);
        ASSERT_EQ(profile.last(), plain.sorted.back());
        ASSERT_TRUE(profile.first_day_total == plain.days.begin()->second);
        ASSERT_EQ(profile.first_day, plain.days.begin()->first);
        ASSERT_EQ(profile.last_day, plain.days.rbegin()->first);
        std::size_t index = 0;
        for (const auto& [day, total] : plain.days) ASSERT_EQ(profile.days[index++], day);
        expect_close(typical_cv(profile), plain_cv(recent));
        expect_close(order_value_cv(profile), plain_cv(plain.sorted));
    });
}

TEST(Profile, TypicalValueIsTheMedianOfTheLastEight) {
    for_random_orders(300, [](Random&, const Orders& orders, int scale, const Zone& zone) {
        const Profile profile = profile_of_copy(orders, scale, zone);
        if (profile.orders == 0) return;
        std::vector<Money> values;
        for (const Order& order : Plain(orders, zone).recent()) values.push_back(order.amount);
        std::sort(values.begin(), values.end());
        const std::size_t n = values.size();
        ASSERT_EQ(typical_value(profile), n % 2 ? values[n / 2] * 10 : (values[n / 2 - 1] + values[n / 2]) * 5);
    });
}

TEST(Profile, GapsAreBetweenPurchaseDays) {
    for_random_orders(300, [](Random&, const Orders& orders, int scale, const Zone& zone) {
        const Profile profile = profile_of_copy(orders, scale, zone);
        std::vector<double> gaps;
        for (std::size_t i = 1; i < profile.days.size(); ++i) gaps.push_back(profile.days[i] - profile.days[i - 1]);
        if (gaps.empty()) {
            ASSERT_TRUE(std::isnan(mean_gap(profile)) && std::isnan(median_gap(profile)));
            return;
        }
        std::sort(gaps.begin(), gaps.end());
        const std::size_t n = gaps.size();
        ASSERT_EQ(median_gap(profile), n % 2 ? gaps[n / 2] : (gaps[n / 2 - 1] + gaps[n / 2]) / 2);
        double sum = 0;
        for (const double gap : gaps) sum += gap;
        ASSERT_DOUBLE_EQ(mean_gap(profile), sum / static_cast<double>(n));
    });
}

TEST(Profile, PurchaseDaysWithinAreThoseOfTheLastDays) {
    for_random_orders(300, [](Random& random, const Orders& orders, int scale, const Zone& zone) {
        const Profile profile = profile_of_copy(orders, scale, zone);
        const Day from = profile.days.empty() ? 0 : profile.days.front() - 2;
        const Day upto = profile.days.empty() ? 0 : profile.days.back() + 2;
        const auto today = static_cast<Day>(between(random, from, upto));
        const std::int64_t days = between(random, 0, upto - from + 2);
        const auto counts = [&](Day day) { return day <= today && day > today - days; };
        ASSERT_EQ(purchase_days_within(profile, days, today),
                  std::count_if(profile.days.begin(), profile.days.end(), counts));
        ASSERT_EQ(purchase_days_within(profile, std::numeric_limits<std::int32_t>::max(), upto), profile.purchase_days);
    });
    EXPECT_THROW(purchase_days_within(Profile(), -1, 0), Error);
}

TEST(Profile, AConstantValueVariesNotAtAll) {
    for (const Money amount : {Money{1}, Money{333'333}, max_amount - 1}) {
        Orders orders;
        for (int day = 0; day < 50; ++day) orders.push_back({day * microseconds_a_day, amount});
        const Profile profile = profile_of(orders, 4, Zone{});
        EXPECT_EQ(typical_cv(profile), 0);
        EXPECT_EQ(order_value_cv(profile), 0);
        EXPECT_EQ(typical_value(profile), amount * 10);
    }
}

TEST(Profile, SumsOfTheLargestAmountsAreExact) {
    constexpr int count = 25'000;  // more than one batch of squares
    Orders orders;
    for (int i = 0; i < count; ++i) orders.push_back({i, max_amount - 1});
    const Profile profile = profile_of(orders, 4, Zone{});
    EXPECT_TRUE(profile.gross == static_cast<MoneySum>(max_amount - 1) * count);
    EXPECT_EQ(profile.squares, Squares(max_amount - 1) * Squares(max_amount - 1) * Squares(count));
    EXPECT_EQ(order_value_cv(profile), 0);
    EXPECT_EQ(profile.purchase_days, 1);
}

TEST(Profile, RefundsMoveNothingElse) {
    for_random_orders(100, [](Random& random, const Orders& orders, int scale, const Zone& zone) {
        Orders without = orders;
        std::erase_if(without, [](const Order& order) { return order.amount < 0; });
        if (without.empty()) return;
        Orders with = without;
        for (int i = 0; i < 5; ++i) with.push_back({between(random, -5'000, 5'000) * microseconds_a_day, -10'000});
        Profile refunded = profile_of(with, scale, zone);
        ASSERT_EQ(refunded.refunds, 5);
        ASSERT_TRUE(refunded.refunded == 50'000);
        refunded.refunds = 0;
        refunded.refunded = 0;
        ASSERT_EQ(encoded(refunded, zone.name), encoded(profile_of(without, scale, zone), zone.name));
    });
}

// ---- Merging ----

TEST(Profile, DoesNotDependOnRowOrder) {
    for_random_orders(100, [](Random& random, Orders orders, int scale, const Zone& zone) {
        const Encoded expected = encoded(profile_of_copy(orders, scale, zone), zone.name);
        for (int i = 0; i < 3; ++i) {
            std::shuffle(orders.begin(), orders.end(), random);
            ASSERT_EQ(encoded(profile_of_copy(orders, scale, zone), zone.name), expected);
        }
    });
}

TEST(Profile, MergingInAnyOrderAndGroupingGivesTheUnion) {
    for_random_orders(300, [](Random& random, Orders orders, int scale, const Zone& zone) {
        const Encoded expected = encoded(profile_of_copy(orders, scale, zone), zone.name);
        std::shuffle(orders.begin(), orders.end(), random);
        std::vector<Profile> parts;
        for (auto left = orders.begin(); left != orders.end();) {
            const auto right = left + between(random, 1, orders.end() - left);
            parts.push_back(profile_of_copy({left, right}, scale, zone));
            left = right;
        }
        while (parts.size() > 1) {
            const auto into = static_cast<std::size_t>(between(random, 0, std::ssize(parts) - 1));
            auto from = static_cast<std::size_t>(between(random, 0, std::ssize(parts) - 2));
            if (from >= into) ++from;
            merge(parts[into], decode(encoded(parts[from], zone.name)));
            parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(from));
        }
        ASSERT_EQ(encoded(parts.front(), zone.name), expected);
    });
}

TEST(Profile, TheFinerScaleWinsAMerge) {
    Orders whole = {{0, 50'000}}, cents = {{1, 12'300}};
    Profile profile = profile_of(whole, 0, Zone{});
    merge(profile, profile_of(cents, 2, Zone{}));
    EXPECT_EQ(profile.scale, 2);
    Profile other = profile_of(cents, 2, Zone{});
    merge(other, profile_of(whole, 0, Zone{}));
    EXPECT_EQ(encoded(profile, "UTC"), encoded(other, "UTC"));
}

TEST(Profile, OrdersOfOneTimeAreRankedByTieAndThenByAmount) {
    Orders orders = {{0, 90'000, 1}, {0, 10'000, 2}, {0, 20'000, 2}, {0, 80'000}, {-1, 70'000, 9}};
    const Profile profile = profile_of(orders, 2, Zone{});
    const Orders expected = {{-1, 70'000, 9}, {0, 80'000}, {0, 90'000, 1}, {0, 10'000, 2}, {0, 20'000, 2}};
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), profile.recent, profile.recent + profile.recent_count));
}

TEST(Profile, TooManyOrdersAreRefused) {
    Orders one = {{0, 10'000}};
    Profile profile = profile_of(one, 2, Zone{});
    profile.orders = max_count;
    EXPECT_THROW(merge(profile, profile_of(one, 2, Zone{})), Error);
    Orders refund = {{0, -10'000}};
    Profile refunds = profile_of(refund, 2, Zone{});
    refunds.refunds = max_count;
    EXPECT_THROW(merge(refunds, profile_of(refund, 2, Zone{})), Error);
}

// ---- The binary form ----

TEST(Profile, BinaryFormGoesRoundAndIsValid) {
    for_random_orders(300, [](Random&, const Orders& orders, int scale, const Zone& zone) {
        const Profile profile = profile_of_copy(orders, scale, zone);
        const Encoded bytes = encoded(profile, zone.name);
        const Profile again = decode(bytes);
        ASSERT_NO_THROW(validate(again, &zone));
        ASSERT_EQ(encoded(again, zone.name), bytes);
        const Summary summary = decode_summary(bytes);
        ASSERT_EQ(summary.orders, profile.orders);
        ASSERT_EQ(summary.purchase_days, profile.purchase_days);
        ASSERT_EQ(summary.last_day, profile.last_day);
        const ZoneName name = zone_name(bytes);
        ASSERT_EQ(std::string(name.data, name.size), zone.name);
    });
}

TEST(Profile, WithoutTiesTheBinaryFormIsThatOfVersionOne) {
    Orders orders = {{0, 10'000}, {microseconds_a_day, 20'000}};
    EXPECT_EQ(encoded(profile_of(orders, 2, Zone{}), "UTC")[0], 1);
    orders[1].tie = 7;
    EXPECT_EQ(encoded(profile_of(orders, 2, Zone{}), "UTC")[0], 2);
}

TEST(Profile, TimesAndAmountsAtTheEndsOfTheRangeGoRound) {
    for (const Zone& zone : zones()) {
        Orders orders = {{first_supported_instant, max_amount - 1},
                         {last_supported_instant, 0},
                         {last_supported_instant, 1},
                         {last_supported_instant, 1, std::numeric_limits<Tie>::max()},
                         {last_supported_instant, 1, -std::numeric_limits<Tie>::max()},
                         {first_supported_instant, 1 - max_amount}};
        const Profile profile = profile_of(orders, 4, zone);
        const Encoded bytes = encoded(profile, zone.name);
        const Profile again = decode(bytes);
        EXPECT_NO_THROW(validate(again, &zone)) << zone.name;
        EXPECT_EQ(encoded(again, zone.name), bytes);
    }
}

// What outside bytes may do: be refused, or be the one encoding of a valid profile.
bool refused_or_canonical(const Encoded& bytes, const Zone& zone) {
    try {
        const ZoneName found = zone_name(bytes);
        const std::string name(found.data, found.size);
        // Whoever calls the core refuses names that it does not know.
        if (name != zone.name) return true;
        const Profile profile = decode(bytes);
        validate(profile, &zone);
        return encoded(profile, name.c_str()) == bytes;
    } catch (const Error& error) {
        return error.kind == ErrorKind::invalid_binary;
    }
}

TEST(Profile, MutatedBytesAreRefusedOrValid) {
    for_random_orders(15, [](Random& random, const Orders& orders, int scale, const Zone& zone) {
        const Encoded bytes = encoded(profile_of_copy(orders, scale, zone), zone.name);
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            for (const int change : {0x01, 0x02, 0x08, 0x40, 0x80, 0xFF, static_cast<int>(between(random, 1, 255))}) {
                Encoded mutated = bytes;
                mutated[at] ^= static_cast<std::uint8_t>(change);
                ASSERT_TRUE(refused_or_canonical(mutated, zone)) << "byte " << at << " xor " << change;
            }
        }
    });
}

TEST(Profile, ShorterAndLongerBytesAreRefused) {
    for_random_orders(15, [](Random&, const Orders& orders, int scale, const Zone& zone) {
        const Encoded bytes = encoded(profile_of_copy(orders, scale, zone), zone.name);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            ASSERT_THROW(validate(decode(Bytes(bytes.data(), size)), &zone), Error) << size;
        }
        for (const std::uint8_t extra : {0x00, 0x01, 0x7F, 0x80}) {
            Encoded longer = bytes;
            longer.push_back(extra);
            ASSERT_THROW(validate(decode(longer), &zone), Error);
        }
    });
}

TEST(Profile, RandomBytesAreRefused) {
    Random random(7);
    for (int round = 0; round < 20'000; ++round) {
        Encoded bytes(static_cast<std::size_t>(between(random, 0, 80)));
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(between(random, 0, between(random, 0, 1) ? 255 : 9));
        if (bytes.size() > 2)
            bytes[0] = static_cast<std::uint8_t>(between(random, 1, 2)),
            bytes[1] = static_cast<std::uint8_t>(between(random, 0, 4));
        ASSERT_TRUE(refused_or_canonical(bytes, Zone{}));
    }
}

TEST(Profile, ForgedFiguresAreRefused) {
    Orders orders;
    for (int i = 0; i < 12; ++i) orders.push_back({i * 3 * microseconds_a_day, 10'000 * (i + 1)});
    const Zone utc;
    const Profile good = profile_of(orders, 2, Zone{});
    ASSERT_NO_THROW(validate(good, &utc));
    const auto expect_refused = [&](const char* what, auto change) {
        Profile forged = good;
        change(forged);
        EXPECT_THROW(validate(decode(encoded(forged, "UTC")), &utc), Error) << what;
    };
    expect_refused("more evening orders than orders", [](Profile& p) { p.evening_orders = 13; });
    expect_refused("more weekend orders than orders", [](Profile& p) { p.weekend_orders = 13; });
    expect_refused("a sum below that of the last eight", [](Profile& p) { p.gross = 10'000; });
    expect_refused("a sum beyond what so few orders can have", [](Profile& p) { p.gross = MoneySum(max_amount) * 13; });
    expect_refused("squares below the least possible", [](Profile& p) { p.squares = 0; });
    expect_refused("squares beyond the squared sum", [](Profile& p) { p.squares = p.squares * 100; });
    expect_refused("a first day that cost more than everything", [](Profile& p) { p.first_day_total = p.gross + 100; });
    expect_refused("refunds without money", [](Profile& p) { p.refunds = 3; });
    expect_refused("money without refunds", [](Profile& p) { p.refunded = 300; });
    expect_refused("more decimals than the scale", [](Profile& p) { p.gross += 1; });
    expect_refused("a purchase day too few", [](Profile& p) {
        p.days.erase(p.days.begin() + 8);
        --p.purchase_days;
    });
    expect_refused("days that begin early", [](Profile& p) { p.first_day = --p.days.front(); });
    expect_refused("a first order after the last eight began", [](Profile& p) { p.first_at = p.recent[1].at; });
    expect_refused("no orders and no refunds", [](Profile& p) { p = Profile{}; });
    expect_refused("ties that are not in order", [](Profile& p) {
        p.recent[6].at = p.recent[7].at;
        p.recent[6].tie = 2;
        p.recent[7].tie = 1;
    });
}

TEST(Profile, TiesThatFitNoOrderAreRefused) {
    const Zone utc;
    Orders orders = {{0, 10'000, 5}, {microseconds_a_day, 20'000}};
    const Encoded good = encoded(profile_of(orders, 2, utc), "UTC");
    const std::size_t present = good.size() - 6;  // in front of the tie and of the purchase days, which take five bytes
    ASSERT_EQ(good[present], 1);
    ASSERT_EQ(good[present + 1], 10);
    for (const int orders_with_ties : {0, 3, 4, 0x81}) {
        Encoded forged = good;
        forged[present] = static_cast<std::uint8_t>(orders_with_ties);
        EXPECT_THROW(validate(decode(forged), &utc), Error) << orders_with_ties;
    }
    const Encoded refunds_with_ties = {2, 2, 0, 1, 100};
    EXPECT_THROW(decode(refunds_with_ties), Error);
}

// The rules of a zone change: what was counted by the old ones is told apart, and kept.
TEST(Profile, OtherRulesOfAZoneAreAcceptedAndToldApart) {
    const auto east = [](void*, Instant) { return 2 * microseconds_an_hour; };
    const auto west = [](void*, Instant) { return -8 * microseconds_an_hour; };
    const Zone before{"Some/Zone", east}, after{"Some/Zone", west};
    for (const int count : {1, 3, 8, 9, 30}) {
        Orders orders;
        for (int i = 0; i < count; ++i) orders.push_back({i * 31 * microseconds_an_hour, 10'000 * (i % 5 + 1)});
        const Profile profile = decode(encoded(profile_of(orders, 2, before), "Some/Zone"));
        EXPECT_TRUE(validate(profile, &before)) << count;
        EXPECT_FALSE(validate(profile, &after)) << count;
        EXPECT_FALSE(validate(profile, nullptr)) << count;
        Profile forged = profile;
        for (Day& day : forged.days) day += 2;
        forged.first_day += 2, forged.last_day += 2;
        EXPECT_THROW(validate(forged, &after), Error) << "days that no rules make of the orders, of " << count;
        forged = profile;
        forged.gross = 0;
        EXPECT_THROW(validate(forged, nullptr), Error) << "figures that no rules change, of " << count;
    }
}

// ---- Sizes ----

TEST(Profile, TwentyOrdersFitThreeHundredBytes) {
    constexpr std::size_t varlena_header = 4;
    constexpr int count = 20;
    Random random(11);
    for (const Zone& zone : zones()) {
        for (int round = 0; round < 200; ++round) {
            Orders orders;
            const std::int64_t span = last_supported_instant - first_supported_instant;
            for (int i = 0; i < count; ++i) {
                const Instant at = round == 0 ? first_supported_instant + span / (count - 1) * i
                                              : between(random, first_supported_instant, last_supported_instant);
                orders.push_back({at, max_amount - 1 - between(random, 0, 1'000)});
            }
            const std::size_t size = encoded(profile_of(orders, 4, zone), zone.name).size() + varlena_header;
            ASSERT_LE(size, 300u) << zone.name;
        }
    }
}

TEST(Profile, WithTiesTwentyOrdersOfAMillionEachFitThreeHundredBytesToo) {
    constexpr std::size_t varlena_header = 4;
    Random random(12);
    for (const Zone& zone : zones()) {
        for (int round = 0; round < 200; ++round) {
            Orders orders;
            for (int i = 0; i < 20; ++i) {
                const Day day = static_cast<Day>(between(random, 0, 30 * 365));
                orders.push_back({day * microseconds_a_day, between(random, 0, 9'999'999'999), random_tie(random, 2)});
            }
            ASSERT_LE(encoded(profile_of(orders, 4, zone), zone.name).size() + varlena_header, 300u) << zone.name;
        }
    }
}

TEST(Profile, LongHistoriesTakeTwoBytesADayAndAKilobyte) {
    const Zone zone = zones().back();
    for (const std::int64_t step : {1, 127, 128, 129, 16'383, 16'384, 100'000, 1'000'000}) {
        Orders orders;
        for (Instant day = first_supported_day + 1; day < last_supported_day && orders.size() < 30'000; day += step) {
            orders.push_back({day * microseconds_a_day, max_amount - 1});
            orders.push_back({day * microseconds_a_day, 1 - max_amount});
        }
        const Profile profile = profile_of(orders, 4, zone);
        const Encoded bytes = encoded(profile, zone.name);
        EXPECT_LE(bytes.size(), 1'024u + 2 * profile.days.size()) << step;
        EXPECT_NO_THROW(validate(decode(bytes), &zone)) << step;
    }
}

TEST(Profile, TheBufferThatIsTooSmallIsNotOverrun) {
    Orders orders = {{0, 10'000}, {microseconds_a_day, 20'000}};
    const Profile profile = profile_of(orders, 2, Zone{});
    const std::size_t needed = encoded(profile, "UTC").size();
    for (std::size_t size = 0; size < needed; ++size) {
        Encoded small(size);
        EXPECT_THROW(encode(profile, "UTC", small), Error);
    }
    std::string text(100, '\0');
    EXPECT_THROW(to_json(profile, "UTC", text), Error);
}

// ---- JSON ----

// The text of a key's value in the first level of our own JSON.
std::string value_of(const std::string& text, const std::string& key) {
    const std::size_t start = text.find("\"" + key + "\": ") + key.size() + 4;
    if (text[start] == '"') return text.substr(start + 1, text.find('"', start + 1) - start - 1);
    if (text[start] == '[') return text.substr(start + 1, text.find(']', start) - start - 1);
    return text.substr(start, text.find_first_of(",}", start) - start);
}

TEST(ProfileJson, SaysWhatTheProfileHolds) {
    using boost::multiprecision::int512_t;
    for_random_orders(200, [](Random&, const Orders& orders, int scale, const Zone& zone) {
        const Profile profile = profile_of_copy(orders, scale, zone);
        const std::string text = json(profile, zone.name);
        const auto money = [&](const char* key) { return parse_decimal(value_of(text, key).c_str(), 4, key); };
        ASSERT_EQ(value_of(text, "time_zone"), zone.name);
        ASSERT_EQ(value_of(text, "version"), profile.has_ties() ? "2" : "1");
        ASSERT_EQ(value_of(text, "orders"), std::to_string(profile.orders));
        ASSERT_EQ(value_of(text, "refunds"), std::to_string(profile.refunds));
        ASSERT_EQ(money("refunded"), int512_t(profile.refunded));
        ASSERT_EQ(decimals_of(value_of(text, "refunded").c_str()), scale);
        if (profile.orders == 0) return;
        ASSERT_EQ(money("gross_spent"), int512_t(profile.gross));
        ASSERT_EQ(money("first_day_total"), int512_t(profile.first_day_total));
        ASSERT_EQ(parse_decimal(value_of(text, "sum_of_squares").c_str(), 8, "s"), int512_t(profile.squares));
        ASSERT_EQ(parse_instant(value_of(text, "first_order_at").c_str(), "f"), profile.first_at);
        ASSERT_EQ(parse_date(value_of(text, "first_day").c_str(), "d"), profile.first_day);
        std::size_t at = text.find("recent_orders");
        for (int i = 0; i < profile.recent_count; ++i) {
            at = text.find("{\"at\"", at);
            const std::string order = text.substr(at, text.find('}', at) - at + 1);
            ASSERT_EQ(parse_instant(value_of(order, "at").c_str(), "at"), profile.recent[i].at);
            ASSERT_EQ(parse_decimal(value_of(order, "amount").c_str(), 4, "a"), int512_t(profile.recent[i].amount));
            const bool has_tie = profile.recent[i].tie != no_tie;
            ASSERT_EQ(order.find("tie") != order.npos, has_tie);
            if (has_tie) {
                ASSERT_EQ(value_of(order, "tie"), std::to_string(profile.recent[i].tie));
            }
            ++at;
        }
        std::string gaps;
        for (std::size_t i = 1; i < profile.days.size(); ++i) {
            gaps += (i > 1 ? ", " : "") + std::to_string(profile.days[i] - profile.days[i - 1]);
        }
        ASSERT_EQ(value_of(text, "day_gaps"), gaps);
    });
}

TEST(ProfileJson, TheLongestFitsItsBuffer) {
    const Zone zone = zones().back();
    Orders orders;
    for (int i = 0; i < 30; ++i)
        orders.push_back({last_supported_instant - i * 111'111 * microseconds_a_day, max_amount - 1});
    Profile profile = profile_of(orders, 4, zone);
    profile.orders = profile.refunds = profile.evening_orders = profile.weekend_orders = max_count;
    profile.gross = profile.refunded = profile.first_day_total = MoneySum(max_amount - 1) * max_count;
    profile.squares = Squares(max_amount - 1) * Squares(max_amount - 1) * Squares(max_count);
    EXPECT_NO_THROW(json(profile, std::string(255, 'z').c_str()));
    const std::string longest(255, 'z');
    EXPECT_NO_THROW(encoded(profile, longest.c_str()));
    EXPECT_EQ(encoded(decode(encoded(profile, longest.c_str())), longest.c_str()), encoded(profile, longest.c_str()));
}

TEST(ProfileJson, DecimalsAreReadExactly) {
    EXPECT_EQ(parse_decimal("12.5", 4, "x"), 125'000);
    EXPECT_EQ(parse_decimal("-0.0001", 4, "x"), -1);
    EXPECT_EQ(parse_decimal("9999999999999.9999", 4, "x"), max_amount - 1);
    EXPECT_EQ(parse_decimal("0", 4, "x"), 0);
    for (const char* wrong : {"1.00001", "1e5", "NaN", "1 ", " 1", "0x10", "--1"}) {
        EXPECT_THROW(parse_decimal(wrong, 4, "x"), Error) << wrong;
    }
    EXPECT_THROW(parse_decimal(std::string(100, '9').c_str(), 4, "x"), Error);
    EXPECT_EQ(decimals_of("12"), 0);
    EXPECT_EQ(decimals_of("12.50"), 2);
}

TEST(ProfileJson, InstantsAreReadExactly) {
    EXPECT_EQ(parse_instant("2000-01-01T00:00:00Z", "x"), 0);
    EXPECT_EQ(parse_instant("1999-12-31T23:59:59.999999Z", "x"), -1);
    EXPECT_EQ(parse_instant("0001-01-01T00:00:00Z", "x"), first_supported_instant);
    EXPECT_EQ(parse_instant("9999-12-31T23:59:59.999999Z", "x"), last_supported_instant);
    EXPECT_EQ(parse_instant("2024-02-29T12:00:00.000001Z", "x"),
              day_from_civil(2024y / 2 / 29) * microseconds_a_day + 12 * microseconds_an_hour + 1);
    for (const char* wrong :
         {"", "2000-01-01", "2000-01-01T00:00:00", "2000-01-01T00:00:00+00", "2000-01-01 00:00:00Z",
          "2023-02-29T00:00:00Z", "2000-13-01T00:00:00Z", "2000-00-01T00:00:00Z", "2000-01-00T00:00:00Z",
          "0000-01-01T00:00:00Z", "2000-01-01T24:00:00Z", "2000-01-01T00:60:00Z", "2000-01-01T00:00:60Z",
          "2000-01-01T00:00:00.1Z", "2000-01-01T00:00:00.1234567Z", "2000-01-01T00:00:00Zx", "-001-01-01T00:00:00Z",
          "infinity"}) {
        EXPECT_THROW(parse_instant(wrong, "x"), Error) << wrong;
    }
    for (const char* wrong : {"", "2000-01-01x", "2000-1-1", "1900-02-29", "2000-01-01T"}) {
        EXPECT_THROW(parse_date(wrong, "x"), Error) << wrong;
    }
}

}  // namespace
}  // namespace clientele
