// The JSON form of a profile, and exact readings of its numbers, instants and dates. Money keeps its decimals, so that
// the scale survives; instants are in UTC, with microseconds where there are any.
#include <cctype>
#include <cstring>
#include <string>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/profile/profile.hpp"

namespace clientele {
namespace {

constexpr std::size_t fixed_bound = 2'816;
constexpr std::size_t gap_bound = 9;  // seven digits, a comma and a blank

void add_money(Text& text, MoneySum value, int scale) {
    for (int dropped = money_decimals; dropped > scale; --dropped) value /= 10;
    text.add_decimal(value, scale);
}

// More digits than an integer of the language has.
void add_squares(Text& text, const Squares& value, int scale) {
    std::string digits = value.str();
    const std::size_t decimals = 2 * static_cast<std::size_t>(scale);
    digits.insert(0, digits.size() > 2 * money_decimals ? 0 : 2 * money_decimals + 1 - digits.size(), '0');
    digits.resize(digits.size() - (2 * money_decimals - decimals));
    const std::string_view shown = digits;
    text.add(shown.substr(0, shown.size() - decimals));
    if (decimals > 0) text.add('.').add(shown.substr(shown.size() - decimals));
}

void add_instant(Text& text, Instant at) {
    const Day day = day_of(at);
    const std::int64_t within = at - day * microseconds_a_day;
    const std::int64_t fraction = within % microseconds_a_second;
    text.add_day(day).add('T').add_clock(static_cast<int>(within / microseconds_a_second));
    if (fraction != 0) text.add('.').add_padded(fraction, 6);
    text.add('Z');
}

void add_order(Text& text, const Order& order, int scale) {
    add_instant(text.add(R"({"at": ")"), order.at);
    add_money(text.add(R"(", "amount": )"), order.amount, scale);
    if (order.tie != no_tie) text.add(R"(, "tie": )").add_number(order.tie);
    text.add('}');
}

[[noreturn]] void refuse(const char* what, const char* text, const char* hint) {
    throw Error(ErrorKind::invalid_text,
                std::string("invalid order_profile: \"") + what + "\" cannot be \"" + text + "\"", {}, hint);
}

// Reads exactly `count` digits; -1 where there are none.
int digits(const char*& at, int count) {
    int value = 0;
    for (; count > 0; --count, ++at) {
        if (!std::isdigit(static_cast<unsigned char>(*at))) return -1;
        value = value * 10 + (*at - '0');
    }
    return value;
}

bool take(const char*& at, char expected) { return *at == expected ? (++at, true) : false; }

bool read_date(const char*& at, Day& day) {
    int year, month, day_of_month;
    if ((year = digits(at, 4)) < 0 || !take(at, '-') || (month = digits(at, 2)) < 0 || !take(at, '-') ||
        (day_of_month = digits(at, 2)) < 0) {
        return false;
    }
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day_of_month)}};
    if (year < 1 || !date.ok()) return false;
    day = day_from_civil(date);
    return true;
}

bool read_clock(const char*& at, std::int64_t& within) {
    int hour, minute, second;
    if ((hour = digits(at, 2)) < 0 || !take(at, ':') || (minute = digits(at, 2)) < 0 || !take(at, ':') ||
        (second = digits(at, 2)) < 0) {
        return false;
    }
    int fraction = 0;
    if (take(at, '.') && (fraction = digits(at, 6)) < 0) return false;
    within = (hour * 3'600LL + minute * 60 + second) * microseconds_a_second + fraction;
    return hour < 24 && minute < 60 && second < 60 && take(at, 'Z') && *at == '\0';
}

// All that a profile without orders lacks.
void add_orders(Text& text, const Profile& profile) {
    text.add(R"(, "evening_orders": )").add_number(profile.evening_orders);
    text.add(R"(, "weekend_orders": )").add_number(profile.weekend_orders);
    add_money(text.add(R"(, "gross_spent": )"), profile.gross, profile.scale);
    add_squares(text.add(R"(, "sum_of_squares": )"), profile.squares, profile.scale);
    add_money(text.add(R"(, "first_day_total": )"), profile.first_day_total, profile.scale);
    add_instant(text.add(R"(, "first_order_at": ")"), profile.first_at);
    text.add(R"(", "recent_orders": [)");
    for (int i = 0; i < profile.recent_count; ++i) {
        add_order(i > 0 ? text.add(", ") : text, profile.recent[i], profile.scale);
    }
    text.add(R"(], "first_day": ")").add_day(profile.first_day).add(R"(", "day_gaps": [)");
    for (std::size_t i = 1; i < profile.days.size(); ++i) {
        (i > 1 ? text.add(", ") : text).add_number(profile.days[i] - profile.days[i - 1]);
    }
    text.add(']');
}

}  // namespace

std::size_t json_bound(std::size_t purchase_days) { return fixed_bound + gap_bound * purchase_days; }

std::size_t to_json(const Profile& profile, const char* zone_name, std::span<char> buffer) {
    Text text(buffer);
    text.add(R"({"version": )").add_number(profile.has_ties() ? 2 : 1);
    text.add(R"(, "time_zone": ")").add(zone_name).add(R"(", "orders": )").add_number(profile.orders);
    text.add(R"(, "refunds": )").add_number(profile.refunds).add(R"(, "refunded": )");
    add_money(text, profile.refunded, profile.scale);
    if (profile.orders > 0) add_orders(text, profile);
    text.add('}');
    if (text.size() > buffer.size()) {
        throw Error(ErrorKind::numeric_range, "order_profile does not fit its text buffer");
    }
    return text.size();
}

int decimals_of(const char* text) {
    const char* point = std::strchr(text, '.');
    return point ? static_cast<int>(std::strlen(point + 1)) : 0;
}

boost::multiprecision::int512_t parse_decimal(const char* text, int decimals, const char* what) {
    boost::multiprecision::int512_t value = 0;
    int left = decimals;
    bool behind_point = false;
    const char* at = text;
    const bool negative = take(at, '-');
    if (std::strlen(at) > 80) refuse(what, text, "The number is too large.");
    for (; *at != '\0'; ++at) {
        if (*at == '.') {
            behind_point = true;
            continue;
        }
        if (!std::isdigit(static_cast<unsigned char>(*at)) || (behind_point && left-- == 0)) {
            refuse(what, text, "It is a number with at most four decimals (eight in a sum of squares).");
        }
        value = value * 10 + (*at - '0');
    }
    for (; left > 0; --left) value *= 10;
    return negative ? -value : value;
}

Instant parse_instant(const char* text, const char* what) {
    const char* at = text;
    Day day = 0;
    std::int64_t within = 0;
    if (!read_date(at, day) || !take(at, 'T') || !read_clock(at, within)) {
        refuse(what, text, "An instant looks like 2026-01-31T18:00:00Z or 2026-01-31T18:00:00.000001Z.");
    }
    return day * microseconds_a_day + within;
}

Day parse_date(const char* text, const char* what) {
    const char* at = text;
    Day day = 0;
    if (!read_date(at, day) || *at != '\0') refuse(what, text, "A date looks like 2026-01-31.");
    return day;
}

}  // namespace clientele
