// The binary form of a profile, version 1 or 2. Numbers are LEB128 ("varint"), little end first:
//
//   version, flags (bits 0-2: scale, bit 3: a zone follows), [length, zone name]
//   orders, refunds, refunded
//   and with at least one order:
//   evening, weekend, gross, squares, first_day_total
//   last_at (8 bytes), last_at - first_at
//   amount of the last order, then for up to 7 earlier ones: time before its successor, amount
//   version 2: which of these have ties (a byte, bit 0: the earliest), and for each, last first: its tie less that of
//   the one before it here (zigzag)
//   purchase_days, first_day (zigzag), last_day - first_day, the gaps between purchase days
#include <algorithm>
#include <concepts>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/zigzag.hpp"
#include "core/profile/profile.hpp"

namespace clientele {
namespace {

constexpr std::uint8_t version_without_ties = 1;
constexpr std::uint8_t version_with_ties = 2;
constexpr std::uint8_t scale_mask = 0x07;
constexpr std::uint8_t zone_flag = 0x08;
constexpr std::size_t fixed_bound = 720;  // all but the gaps, a zone name of 255 bytes included
constexpr std::size_t gap_bound = 4;

[[noreturn]] __attribute__((cold, noinline)) void refuse(const char* what) {
    throw Error(ErrorKind::invalid_binary, "invalid order_profile", what);
}

class Writer {
  public:
    explicit Writer(WritableBytes out) : out_(out) {}

    void byte(std::uint8_t value) {
        if (used_ == out_.size()) throw Error(ErrorKind::numeric_range, "order_profile does not fit its buffer");
        out_[used_++] = value;
    }
    void text(const char* data, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) byte(static_cast<std::uint8_t>(data[i]));
    }
    template <class Unsigned>
    void number(Unsigned value) {
        while (value >= 0x80) {
            byte(static_cast<std::uint8_t>(value & 0x7F) | 0x80);
            value >>= 7;
        }
        byte(static_cast<std::uint8_t>(value));
    }
    void fixed(std::uint64_t value) {
        for (int i = 0; i < 8; ++i) byte(static_cast<std::uint8_t>(value >> (8 * i)));
    }
    std::size_t used() const { return used_; }

  private:
    WritableBytes out_;
    std::size_t used_ = 0;
};

class Reader {
  public:
    explicit Reader(Bytes in) : in_(in) {}

    std::uint8_t byte() {
        if (at_ == in_.size()) refuse("It ends too early.");
        return in_[at_++];
    }
    // At most `bits` bits, in the shortest form: one value has one encoding. What fits 63 bits, which is nearly
    // everything, is put together in a register.
    template <class Unsigned>
    Unsigned number(unsigned bits) {
        std::uint64_t low = 0;
        const unsigned low_bits = std::min(bits, 63u);
        for (unsigned shift = 0; shift < low_bits; shift += 7) {
            const std::uint8_t next = byte();
            low |= std::uint64_t(next & 0x7F) << shift;
            if ((next & 0x80) == 0) {
                if (next == 0 && shift > 0) refuse("A number is not in its shortest form.");
                if (bits < 63 && low >> bits != 0) refuse("A number is out of range.");
                return Unsigned(low);
            }
        }
        if (bits <= 63) refuse("A number is out of range.");
        return wide_number<Unsigned>(low, bits);
    }
    std::int64_t count() {
        const auto value = number<std::uint64_t>(62);
        if (value > static_cast<std::uint64_t>(max_count)) refuse("A count is out of range.");
        return static_cast<std::int64_t>(value);
    }
    MoneySum sum() { return static_cast<MoneySum>(number<unsigned __int128>(112)); }
    Money amount() {
        const auto value = number<std::uint64_t>(62);
        if (value >= static_cast<std::uint64_t>(max_amount)) refuse("An amount is out of range.");
        return static_cast<Money>(value);
    }
    // Wide arithmetic is slow, and 126 bits are enough for most.
    Squares squares() {
        const std::size_t start = at_;
        for (std::size_t i = start; i < in_.size() && i < start + 18; ++i) {
            if ((in_[i] & 0x80) == 0) return Squares(number<unsigned __int128>(126));
        }
        return number<Squares>(192);
    }
    std::int64_t span() { return static_cast<std::int64_t>(number<std::uint64_t>(62)); }
    std::uint64_t fixed() {
        std::uint64_t value = 0;
        for (int i = 0; i < 8; ++i) value |= static_cast<std::uint64_t>(byte()) << (8 * i);
        return value;
    }
    Bytes bytes(std::size_t size) {
        if (in_.size() - at_ < size) refuse("It ends too early.");
        at_ += size;
        return in_.subspan(at_ - size, size);
    }
    bool at_end() const { return at_ == in_.size(); }

  private:
    // The rest of a number whose first 63 bits are known.
    template <class Unsigned>
    Unsigned wide_number(std::uint64_t low, unsigned bits) {
        Unsigned value(low);
        for (unsigned shift = 63; shift < bits; shift += 7) {
            const std::uint8_t next = byte();
            if (bits - shift < 7 && (next & 0x7F) >> (bits - shift) != 0) refuse("A number is out of range.");
            value |= Unsigned(next & 0x7F) << shift;
            if ((next & 0x80) == 0) {
                if (next == 0) refuse("A number is not in its shortest form.");
                return value;
            }
        }
        refuse("A number is out of range.");
    }

    Bytes in_;
    std::size_t at_ = 0;
};

// The part in front of the figures.
struct Header {
    bool has_ties;
    int scale;
    ZoneName zone;
};

Header read_header(Reader& in) {
    const std::uint8_t version = in.byte();
    if (version != version_without_ties && version != version_with_ties) {
        refuse("Its format version is unknown; this release reads versions 1 and 2.");
    }
    const std::uint8_t flags = in.byte();
    if ((flags & ~(scale_mask | zone_flag)) != 0 || (flags & scale_mask) > money_decimals) refuse("Unknown flags.");
    Header header{version == version_with_ties, flags & scale_mask, {"UTC", 3}};
    if (flags & zone_flag) {
        const Bytes name = in.bytes(in.byte());
        header.zone = {reinterpret_cast<const char*>(name.data()), name.size()};
    }
    return header;
}

void write_recent(Writer& out, const Summary& profile) {
    out.fixed(static_cast<std::uint64_t>(profile.last().at));
    out.number(static_cast<std::uint64_t>(profile.last().at - profile.first_at));
    out.number(static_cast<std::uint64_t>(profile.last().amount));
    for (int i = profile.recent_count - 2; i >= 0; --i) {
        out.number(static_cast<std::uint64_t>(profile.recent[i + 1].at - profile.recent[i].at));
        out.number(static_cast<std::uint64_t>(profile.recent[i].amount));
    }
}

// Differences wrap around: of any two ties there is one.
void write_ties(Writer& out, const Summary& profile) {
    unsigned present = 0;
    for (int i = profile.recent_count - 1; i >= 0; --i) present = present << 1 | (profile.recent[i].tie != no_tie);
    out.byte(static_cast<std::uint8_t>(present));
    std::uint64_t previous = 0;
    for (int i = profile.recent_count - 1; i >= 0; --i) {
        if (profile.recent[i].tie == no_tie) continue;
        const auto tie = static_cast<std::uint64_t>(profile.recent[i].tie);
        out.number(zigzag(static_cast<std::int64_t>(tie - previous)));
        previous = tie;
    }
}

void read_ties(Reader& in, Summary& profile) {
    const std::uint8_t present = in.byte();
    if (present == 0 || present >> profile.recent_count != 0) refuse("Its ties do not fit its orders.");
    std::uint64_t tie = 0;
    for (int i = profile.recent_count - 1; i >= 0; --i) {
        if ((present >> i & 1) == 0) continue;
        tie += static_cast<std::uint64_t>(unzigzag(in.number<std::uint64_t>(64)));
        profile.recent[i].tie = static_cast<Tie>(tie);
        if (profile.recent[i].tie == no_tie) refuse("A tie is out of range.");
    }
}

void read_recent(Reader& in, Summary& profile, bool has_ties) {
    profile.recent_count = static_cast<int>(std::min<std::int64_t>(profile.orders, recent_capacity));
    const int last = profile.recent_count - 1;
    profile.recent[last].at = static_cast<Instant>(in.fixed());
    if (profile.recent[last].at < first_supported_instant || profile.recent[last].at > last_supported_instant) {
        refuse("A time is out of range.");
    }
    profile.first_at = profile.recent[last].at - in.span();
    profile.recent[last].amount = in.amount();
    for (int i = last - 1; i >= 0; --i) {
        profile.recent[i].at = profile.recent[i + 1].at - in.span();
        profile.recent[i].amount = in.amount();
        if (profile.recent[i].at < profile.first_at) refuse("A recent order is older than the first.");
    }
    if (has_ties) read_ties(in, profile);
    if (!std::is_sorted(profile.recent, profile.recent + profile.recent_count)) {
        refuse("The recent orders are not in order.");
    }
    if (profile.first_at < first_supported_instant) refuse("A time is out of range.");
}

void read_day_bounds(Reader& in, Summary& profile) {
    profile.purchase_days = in.count();
    const std::int64_t first_day = unzigzag(in.number<std::uint64_t>(62));
    const std::int64_t span = in.span();
    // A local day may differ from the day in UTC by one.
    if (first_day < first_supported_day - 1 || span > last_supported_day + 1 - first_day) {
        refuse("A day is out of range.");
    }
    if (profile.purchase_days < 1 || profile.purchase_days > profile.orders || profile.purchase_days > span + 1 ||
        (profile.purchase_days == 1) != (span == 0)) {
        refuse("The number of purchase days is impossible.");
    }
    profile.first_day = static_cast<Day>(first_day);
    profile.last_day = static_cast<Day>(first_day + span);
}

void read_summary(Reader& in, Summary& profile, bool has_ties) {
    profile.orders = in.count();
    profile.refunds = in.count();
    profile.refunded = in.sum();
    if (profile.orders == 0) {
        if (has_ties) refuse("It has ties without orders.");
        return;
    }
    profile.evening_orders = in.count();
    profile.weekend_orders = in.count();
    profile.gross = in.sum();
    profile.squares = in.squares();
    profile.first_day_total = in.sum();
    read_recent(in, profile, has_ties);
    read_day_bounds(in, profile);
}

void read_days(Reader& in, Profile& profile) {
    if (profile.orders > 0) {
        profile.days.push_back(profile.first_day);
        for (std::int64_t i = 1; i < profile.purchase_days; ++i) {
            const std::int64_t gap = in.span();
            if (gap < 1 || gap > profile.last_day - profile.days.back()) refuse("The purchase days are not in order.");
            profile.days.push_back(profile.days.back() + static_cast<Day>(gap));
        }
        if (profile.days.back() != profile.last_day) refuse("The last purchase day does not fit the gaps.");
    }
    if (!in.at_end()) refuse("Bytes follow its end.");
}

// The last orders by themselves, as a profile.
Profile recent_profile(const Profile& profile, const Zone& zone) {
    Order orders[recent_capacity];
    std::copy_n(profile.recent, profile.recent_count, orders);
    return profile_of({orders, static_cast<std::size_t>(profile.recent_count)}, profile.scale, zone);
}

// ---- What holds by whatever rules of a time zone ----

// Whether some of these orders, which are all, can be those of the first day.
bool can_be_first_day(const Profile& profile) {
    for (unsigned chosen = 1; chosen < 1U << profile.recent_count; ++chosen) {
        MoneySum total = 0;
        for (int i = 0; i < profile.recent_count; ++i) {
            if (chosen >> i & 1U) total += profile.recent[i].amount;
        }
        if (total == profile.first_day_total) return true;
    }
    return false;
}

void validate_sums(const Profile& profile, const Profile& recent) {
    const Squares sum(profile.gross);
    const std::int64_t earlier = profile.orders - profile.recent_count;
    if (profile.gross < recent.gross || profile.squares < recent.squares ||
        profile.gross - recent.gross > static_cast<MoneySum>(max_amount - 1) * earlier || profile.squares > sum * sum ||
        Squares(profile.orders) * profile.squares < sum * sum) {
        refuse("Its sums are impossible.");
    }
    if (earlier == 0 && (profile.squares != recent.squares || profile.first_at != recent.first_at)) {
        refuse("Its figures do not follow from its orders.");
    }
    if (profile.first_day_total > profile.gross || (earlier == 0 && !can_be_first_day(profile)) ||
        (profile.purchase_days == 1 && profile.first_day_total != profile.gross)) {
        refuse("The total of its first day is impossible.");
    }
}

void validate_weekends(const Profile& profile) {
    const auto weekend_days = std::count_if(profile.days.begin(), profile.days.end(), is_weekend);
    if (profile.weekend_orders < weekend_days ||
        profile.orders - profile.weekend_orders < profile.purchase_days - weekend_days) {
        refuse("The count of its weekend orders is impossible.");
    }
}

// A local day is that in UTC, or the one before or after it.
bool is_near(Day day, Instant at) { return std::abs(day - day_of(at)) <= 1; }

void validate_days(const Profile& profile) {
    const std::span<const Order> recent(profile.recent, static_cast<std::size_t>(profile.recent_count));
    const bool every_order_has_one = std::all_of(recent.begin(), recent.end(), [&](const Order& order) {
        const auto day = std::lower_bound(profile.days.begin(), profile.days.end(), day_of(order.at) - 1);
        return day != profile.days.end() && is_near(*day, order.at);
    });
    const bool every_day_has_one = std::all_of(profile.days.begin(), profile.days.end(), [&](Day day) {
        return std::any_of(recent.begin(), recent.end(), [day](const Order& order) { return is_near(day, order.at); });
    });
    if (!every_order_has_one || (profile.orders <= recent_capacity && !every_day_has_one) ||
        !is_near(profile.first_day, profile.first_at) || !is_near(profile.last_day, profile.last().at)) {
        refuse("Its purchase days do not fit its orders.");
    }
}

// ---- What holds by the rules of one ----

// With all orders at hand, everything follows from them.
bool few_follow(const Profile& profile, const Profile& again) {
    return again.evening_orders == profile.evening_orders && again.weekend_orders == profile.weekend_orders &&
           again.first_day_total == profile.first_day_total && again.days == profile.days;
}

// With only the last orders at hand: what any set of orders that ends in them obeys.
bool many_follow(const Profile& profile, const Profile& recent, const Zone& zone) {
    const std::int64_t earlier = profile.orders - recent_capacity;
    const MoneySum recent_first_day = recent.first_day == profile.first_day ? recent.first_day_total : 0;
    return std::includes(profile.days.begin(), profile.days.end(), recent.days.begin(), recent.days.end()) &&
           profile.first_day_total >= recent_first_day &&
           profile.gross - profile.first_day_total >= recent.gross - recent_first_day &&
           profile.evening_orders >= recent.evening_orders &&
           profile.evening_orders - recent.evening_orders <= earlier &&
           profile.weekend_orders >= recent.weekend_orders &&
           profile.weekend_orders - recent.weekend_orders <= earlier &&
           day_of(zone.local(profile.first_at)) == profile.first_day && recent.last_day == profile.last_day;
}

bool follows(const Profile& profile, const Zone& zone) {
    const Profile recent = recent_profile(profile, zone);
    return profile.orders <= recent_capacity ? few_follow(profile, recent) : many_follow(profile, recent, zone);
}

void validate_unit(const Profile& profile) {
    static constexpr Money unit_of_scale[] = {10'000, 1'000, 100, 10, 1};
    const Money unit = unit_of_scale[profile.scale];
    const bool whole = profile.squares % (Squares(unit) * Squares(unit)) == 0 && profile.gross % unit == 0 &&
                       profile.refunded % unit == 0 && profile.first_day_total % unit == 0 &&
                       std::all_of(profile.recent, profile.recent + profile.recent_count,
                                   [unit](const Order& order) { return order.amount % unit == 0; });
    if (!whole) refuse("An amount has more decimals than its scale.");
}

}  // namespace

std::size_t encoded_bound(std::size_t purchase_days) { return fixed_bound + gap_bound * purchase_days; }

std::size_t encode(const Profile& profile, const char* zone_name, WritableBytes buffer) {
    Writer out(buffer);
    const std::size_t zone_size = std::strcmp(zone_name, "UTC") == 0 ? 0 : std::strlen(zone_name);
    const bool has_ties = profile.has_ties();
    out.byte(has_ties ? version_with_ties : version_without_ties);
    out.byte(static_cast<std::uint8_t>(profile.scale) | (zone_size ? zone_flag : 0));
    if (zone_size) {
        out.byte(static_cast<std::uint8_t>(zone_size));
        out.text(zone_name, zone_size);
    }
    out.number(static_cast<std::uint64_t>(profile.orders));
    out.number(static_cast<std::uint64_t>(profile.refunds));
    out.number(static_cast<unsigned __int128>(profile.refunded));
    if (profile.orders == 0) return out.used();
    out.number(static_cast<std::uint64_t>(profile.evening_orders));
    out.number(static_cast<std::uint64_t>(profile.weekend_orders));
    out.number(static_cast<unsigned __int128>(profile.gross));
    out.number(profile.squares);
    out.number(static_cast<unsigned __int128>(profile.first_day_total));
    write_recent(out, profile);
    if (has_ties) write_ties(out, profile);
    out.number(static_cast<std::uint64_t>(profile.purchase_days));
    out.number(zigzag(profile.first_day));
    out.number(static_cast<std::uint64_t>(profile.last_day - profile.first_day));
    for (std::size_t i = 1; i < profile.days.size(); ++i) {
        out.number(static_cast<std::uint64_t>(profile.days[i] - profile.days[i - 1]));
    }
    return out.used();
}

Summary decode_summary(Bytes encoded) {
    Reader in(encoded);
    const Header header = read_header(in);
    Summary summary;
    summary.scale = header.scale;
    read_summary(in, summary, header.has_ties);
    return summary;
}

Profile decode(Bytes encoded) {
    Reader in(encoded);
    const Header header = read_header(in);
    Profile profile;
    profile.scale = header.scale;
    read_summary(in, profile, header.has_ties);
    read_days(in, profile);
    return profile;
}

ZoneName zone_name(Bytes encoded) {
    Reader in(encoded);
    return read_header(in).zone;
}

bool validate(const Profile& profile, const Zone* zone) {
    if (profile.orders == 0 && profile.refunds == 0) refuse("It has neither orders nor refunds.");
    if ((profile.refunds == 0) != (profile.refunded == 0) ||
        profile.refunded > static_cast<MoneySum>(max_amount - 1) * profile.refunds) {
        refuse("The sum of its refunds does not fit their number.");
    }
    if (profile.evening_orders > profile.orders || profile.weekend_orders > profile.orders) {
        refuse("A count exceeds the number of orders.");
    }
    validate_unit(profile);
    if (profile.orders == 0) return true;
    validate_sums(profile, recent_profile(profile, Zone{}));
    validate_weekends(profile);
    validate_days(profile);
    if (zone && follows(profile, *zone)) return true;
    if (zone && zone->is_utc()) refuse("Its figures do not follow from its orders.");
    return false;
}

void require_canonical(const Profile& profile, const char* zone_name, Bytes encoded) {
    std::vector<std::uint8_t> again(encoded_bound(profile.days.size()));
    again.resize(encode(profile, zone_name, again));
    if (!std::equal(again.begin(), again.end(), encoded.begin(), encoded.end())) {
        refuse("Its time zone is not spelt as in pg_timezone_names.");
    }
}

}  // namespace clientele
