// Reads a profile from its JSON form: PostgreSQL's parser takes the text apart, the core checks what it says.
#include <cstring>
#include <limits>

#include "core/base/error.hpp"
#include "core/profile/profile.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/kit/zone.hpp"
#include "pg/profile/profile_datum.hpp"

using namespace clientele;

namespace {

// What JSON says, before the core has checked it: texts are PostgreSQL's, gaps are days.
struct ProfileText {
    std::int64_t version;
    Summary summary;
    const char* refunded;
    const char* gross;
    const char* squares;
    const char* first_day_total;
    const char* first_at;
    const char* first_day;
    const char* at[recent_capacity];
    const char* amount[recent_capacity];
    const char* tie[recent_capacity];  // nullptr: none
    std::int32_t* gaps;
    std::uint32_t gap_count;
};

[[noreturn]] void refuse(const char* key, const char* expected) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                    errmsg("invalid order_profile: \"%s\" must be %s", key, expected),
                    errhint("Profiles are made by the aggregate clientele.order_profile(ordered_at, amount).")));
    pg_unreachable();
}

JsonbValue* value_of(JsonbContainer* object, const char* key, jbvType type, const char* expected) {
    JsonbValue* value = getKeyJsonValueFromContainer(object, key, static_cast<int>(std::strlen(key)), nullptr);
    if (!value || value->type != type) refuse(key, expected);
    return value;
}

const char* text_of(JsonbContainer* object, const char* key) {
    JsonbValue* value = value_of(object, key, jbvString, "a string");
    return pnstrdup(value->val.string.val, value->val.string.len);
}

const char* number_of(JsonbContainer* object, const char* key) {
    JsonbValue* value = value_of(object, key, jbvNumeric, "a number");
    return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
}

std::int64_t whole_number(const JsonbValue& value, const char* key) {
    const Scaled number = value.type == jbvNumeric ? read_numeric(NumericGetDatum(value.val.numeric))
                                                   : Scaled{NumericKind::not_a_number, 0, 0};
    if (number.kind != NumericKind::finite || number.scale > 0 || number.value < 0 ||
        number.value / 10'000 > max_count) {
        refuse(key, "a whole number, not negative");
    }
    return number.value / 10'000;
}

std::int64_t count_of(JsonbContainer* object, const char* key) {
    return whole_number(*value_of(object, key, jbvNumeric, "a whole number, not negative"), key);
}

JsonbContainer* array_of(JsonbContainer* object, const char* key) {
    JsonbValue* value = value_of(object, key, jbvBinary, "an array");
    if (!JsonContainerIsArray(value->val.binary.data)) refuse(key, "an array");
    return value->val.binary.data;
}

void read_recent(JsonbContainer* object, ProfileText& profile) {
    JsonbContainer* recent = array_of(object, "recent_orders");
    profile.summary.recent_count = static_cast<int>(Min(profile.summary.orders, recent_capacity));
    if (static_cast<int>(JsonContainerSize(recent)) != profile.summary.recent_count) {
        refuse("recent_orders", "an array of the last 8 orders, or of all where there are fewer");
    }
    for (int i = 0; i < profile.summary.recent_count; ++i) {
        JsonbValue* order = getIthJsonbValueFromContainer(recent, static_cast<uint32>(i));
        if (order->type != jbvBinary || !JsonContainerIsObject(order->val.binary.data) ||
            JsonContainerSize(order->val.binary.data) > 3) {
            refuse("recent_orders", "an array of objects with \"at\" and \"amount\", and \"tie\" or nothing more");
        }
        profile.at[i] = text_of(order->val.binary.data, "at");
        profile.amount[i] = number_of(order->val.binary.data, "amount");
        const bool has_tie = JsonContainerSize(order->val.binary.data) == 3;
        profile.tie[i] = has_tie ? number_of(order->val.binary.data, "tie") : nullptr;
    }
}

void read_gaps(JsonbContainer* object, ProfileText& profile) {
    JsonbContainer* gaps = array_of(object, "day_gaps");
    profile.gap_count = JsonContainerSize(gaps);
    profile.gaps = static_cast<std::int32_t*>(palloc((profile.gap_count + 1) * sizeof(std::int32_t)));
    for (std::uint32_t i = 0; i < profile.gap_count; ++i) {
        const std::int64_t gap = whole_number(*getIthJsonbValueFromContainer(gaps, i), "day_gaps");
        if (gap < 1 || gap > last_supported_day - first_supported_day)
            refuse("day_gaps", "an array of days, 1 and more");
        profile.gaps[i] = static_cast<std::int32_t>(gap);
    }
}

void read_orders(JsonbContainer* object, ProfileText& profile) {
    profile.summary.evening_orders = count_of(object, "evening_orders");
    profile.summary.weekend_orders = count_of(object, "weekend_orders");
    profile.gross = number_of(object, "gross_spent");
    profile.squares = number_of(object, "sum_of_squares");
    profile.first_day_total = number_of(object, "first_day_total");
    profile.first_at = text_of(object, "first_order_at");
    profile.first_day = text_of(object, "first_day");
    read_recent(object, profile);
    read_gaps(object, profile);
}

ProfileText read_text(JsonbContainer* object) {
    constexpr std::uint32_t keys_without_orders = 5;
    constexpr std::uint32_t keys_with_orders = 14;
    ProfileText profile{};
    if (!JsonContainerIsObject(object)) refuse("order_profile", "a JSON object");
    profile.version = count_of(object, "version");
    if (profile.version != 1 && profile.version != 2) refuse("version", "1 or 2");
    profile.summary.orders = count_of(object, "orders");
    profile.summary.refunds = count_of(object, "refunds");
    profile.refunded = number_of(object, "refunded");
    if (profile.summary.orders > 0) read_orders(object, profile);
    if (JsonContainerSize(object) != (profile.summary.orders > 0 ? keys_with_orders : keys_without_orders)) {
        refuse("order_profile", "an object of the keys that order_profile prints, and no others");
    }
    return profile;
}

// Sums stay far below 2^112 (the binary form's bound) with 80 digits refused by parse_decimal.
MoneySum sum(const char* text, const char* what) {
    const auto value = parse_decimal(text, money_decimals, what);
    if (value < 0 || value >> 112 != 0) {
        throw Error(ErrorKind::invalid_text, std::string("invalid order_profile: \"") + what + "\" is out of range");
    }
    return static_cast<MoneySum>(value);
}

Money amount(const char* text) {
    const MoneySum value = sum(text, "amount");
    if (value >= max_amount) throw Error(ErrorKind::invalid_text, "invalid order_profile: \"amount\" is out of range");
    return static_cast<Money>(value);
}

Tie tie(const char* text) {
    if (!text) return no_tie;
    const auto value = parse_decimal(text, 0, "tie");
    if (value <= no_tie || value > std::numeric_limits<Tie>::max()) {
        throw Error(ErrorKind::invalid_text, "invalid order_profile: \"tie\" is out of range");
    }
    return static_cast<Tie>(value);
}

// One profile has one text.
void check_version(std::int64_t version, const Profile& profile) {
    if (version == (profile.has_ties() ? 2 : 1)) return;
    throw Error(ErrorKind::invalid_text, "invalid order_profile: \"version\" must be 1, or 2 where orders have ties");
}

Profile profile_from(const ProfileText& text) {
    Profile profile;
    static_cast<Summary&>(profile) = text.summary;
    profile.scale = std::min(decimals_of(text.refunded), money_decimals);
    profile.refunded = sum(text.refunded, "refunded");
    if (profile.orders == 0) {
        check_version(text.version, profile);
        return profile;
    }
    profile.gross = sum(text.gross, "gross_spent");
    const auto squares = parse_decimal(text.squares, 2 * money_decimals, "sum_of_squares");
    if (squares < 0 || squares >> 192 != 0) {
        throw Error(ErrorKind::invalid_text, "invalid order_profile: \"sum_of_squares\" is out of range");
    }
    profile.squares = static_cast<Squares>(squares);
    profile.first_day_total = sum(text.first_day_total, "first_day_total");
    profile.first_at = parse_instant(text.first_at, "first_order_at");
    for (int i = 0; i < profile.recent_count; ++i) {
        profile.recent[i] = {parse_instant(text.at[i], "at"), amount(text.amount[i]), tie(text.tie[i])};
    }
    check_version(text.version, profile);
    profile.days.push_back(parse_date(text.first_day, "first_day"));
    for (std::uint32_t i = 0; i < text.gap_count && profile.days.back() <= last_supported_day; ++i) {
        profile.days.push_back(profile.days.back() + text.gaps[i]);
    }
    profile.purchase_days = text.gap_count + 1;
    profile.first_day = profile.days.front();
    profile.last_day = profile.days.back();
    return profile;
}

}  // namespace

CLIENTELE_FUNCTION(clientele_order_profile_in) {
    Datum json = DirectFunctionCall1(jsonb_in, PG_GETARG_DATUM(0));
    JsonbContainer* object = &DatumGetJsonbP(json)->root;
    const ProfileText text = read_text(object);
    const char* name = text_of(object, "time_zone");
    const Zone* zone = zone_of_input({name, std::strlen(name)});
    if (zone) name = zone->name;
    const std::size_t room = encoded_bound(text.gap_count + 1);
    auto* result = static_cast<struct varlena*>(palloc(VARHDRSZ + room));
    std::size_t size = 0;
    bool follows = false;
    // What was written is read again with every check that binary input gets.
    think([&] {
        const WritableBytes out{reinterpret_cast<std::uint8_t*>(VARDATA(result)), room};
        size = encode(profile_from(text), name, out);
        follows = validate(decode(out.first(size)), zone);
    });
    if (!follows) warn_of_other_rules(name);
    SET_VARSIZE(result, VARHDRSZ + size);
    PG_RETURN_POINTER(result);
}
