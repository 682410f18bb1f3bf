// The JSON form of a profile, and exact readings of its numbers, instants and dates. Money keeps its decimals, so that
// the scale survives; instants are in UTC, with microseconds where there are any.
#include <cctype>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string>

#include "core/base/error.hpp"
#include "core/profile/profile.hpp"

namespace clientele {
namespace {

constexpr std::size_t fixed_bound = 2'816;
constexpr std::size_t gap_bound = 9;  // seven digits, a comma and a blank

class Text {
  public:
    explicit Text(std::span<char> out) : out_(out) {}

    __attribute__((format(printf, 2, 3))) void add(const char* format, ...) {
        std::va_list arguments;
        va_start(arguments, format);
        const int added = std::vsnprintf(out_.data() + used_, out_.size() - used_, format, arguments);
        va_end(arguments);
        if (added < 0 || static_cast<std::size_t>(added) >= out_.size() - used_) {
            throw Error(ErrorKind::numeric_range, "order_profile does not fit its text buffer");
        }
        used_ += static_cast<std::size_t>(added);
    }
    // A whole number of 10^-unit_decimals, shown with `decimals` decimals (the rest are zeros).
    template <class Integer>
    void decimal(const Integer& value, int unit_decimals, int decimals) {
        std::string digits = boost::multiprecision::int512_t(value).str();
        const auto whole = static_cast<std::size_t>(unit_decimals) + 1;
        if (digits.size() < whole) digits.insert(0, whole - digits.size(), '0');
        digits.resize(digits.size() - static_cast<std::size_t>(unit_decimals - decimals));
        if (decimals > 0) digits.insert(digits.size() - static_cast<std::size_t>(decimals), ".");
        add("%s", digits.c_str());
    }
    void date(Day day) {
        const CivilDate date = civil_date(day);
        add("%04d-%02d-%02d", date.year, date.month, date.day);
    }
    void instant(Instant at) {
        const Day day = day_of(at);
        const std::int64_t within = at - day * microseconds_a_day;
        const auto seconds = static_cast<int>(within / microseconds_a_second);
        const auto fraction = static_cast<int>(within % microseconds_a_second);
        date(day);
        add("T%02d:%02d:%02d", seconds / 3'600, seconds / 60 % 60, seconds % 60);
        if (fraction != 0) add(".%06d", fraction);
        add("Z");
    }
    std::size_t used() const { return used_; }

  private:
    std::span<char> out_;
    std::size_t used_ = 0;
};

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
    CivilDate date{};
    if ((date.year = digits(at, 4)) < 0 || !take(at, '-') || (date.month = digits(at, 2)) < 0 || !take(at, '-') ||
        (date.day = digits(at, 2)) < 0) {
        return false;
    }
    if (date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31) return false;
    day = day_from_civil(date);
    return civil_date(day).day == date.day;
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

}  // namespace

std::size_t json_bound(std::size_t purchase_days) { return fixed_bound + gap_bound * purchase_days; }

std::size_t to_json(const Profile& profile, const char* zone_name, std::span<char> buffer) {
    Text out(buffer);
    out.add(R"({"version": %d, "time_zone": "%s", "orders": %lld, "refunds": %lld, "refunded": )",
            profile.has_ties() ? 2 : 1, zone_name, static_cast<long long>(profile.orders),
            static_cast<long long>(profile.refunds));
    out.decimal(profile.refunded, money_decimals, profile.scale);
    if (profile.orders == 0) {
        out.add("}");
        return out.used();
    }
    out.add(R"(, "evening_orders": %lld, "weekend_orders": %lld, "gross_spent": )",
            static_cast<long long>(profile.evening_orders), static_cast<long long>(profile.weekend_orders));
    out.decimal(profile.gross, money_decimals, profile.scale);
    out.add(R"(, "sum_of_squares": )");
    out.decimal(profile.squares, 2 * money_decimals, 2 * profile.scale);
    out.add(R"(, "first_day_total": )");
    out.decimal(profile.first_day_total, money_decimals, profile.scale);
    out.add(R"(, "first_order_at": ")");
    out.instant(profile.first_at);
    out.add(R"(", "recent_orders": [)");
    for (int i = 0; i < profile.recent_count; ++i) {
        out.add(R"(%s{"at": ")", i > 0 ? ", " : "");
        out.instant(profile.recent[i].at);
        out.add(R"(", "amount": )");
        out.decimal(profile.recent[i].amount, money_decimals, profile.scale);
        if (profile.recent[i].tie != no_tie) out.add(R"(, "tie": %lld)", static_cast<long long>(profile.recent[i].tie));
        out.add("}");
    }
    out.add(R"(], "first_day": ")");
    out.date(profile.first_day);
    out.add(R"(", "day_gaps": [)");
    for (std::size_t i = 1; i < profile.days.size(); ++i) {
        out.add("%s%d", i > 1 ? ", " : "", profile.days[i] - profile.days[i - 1]);
    }
    out.add("]}");
    return out.used();
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
