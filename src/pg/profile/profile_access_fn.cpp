// The accessors of order_profile: src/sql/10-profile.sql says what each returns.
#include <cmath>
#include <cstdint>
#include <optional>

#include "core/profile/profile.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/profile/profile_datum.hpp"

using namespace clientele;

namespace {

const Summary& summary_argument(FunctionCallInfo fcinfo) { return profile_summary(profile_bytes(PG_GETARG_DATUM(0))); }

// Money with the decimals that the profile's amounts show.
Datum money(MoneySum value, int scale) {
    static constexpr Money unit_of_scale[] = {10'000, 1'000, 100, 10, 1};
    return make_numeric(value / unit_of_scale[scale], scale);
}

// A division that shows as many decimals as avg(numeric) does.
Datum mean_money(MoneySum sum, int scale, std::int64_t count) {
    return DirectFunctionCall2(numeric_div, money(sum, scale), NumericGetDatum(int64_to_numeric(count)));
}

Datum float_or_null(FunctionCallInfo fcinfo, double value) {
    if (std::isnan(value)) PG_RETURN_NULL();
    PG_RETURN_FLOAT8(value);
}

Datum share_or_null(FunctionCallInfo fcinfo, std::int64_t part, std::int64_t whole) {
    if (whole == 0) PG_RETURN_NULL();
    PG_RETURN_FLOAT8(static_cast<double>(part) / static_cast<double>(whole));
}

// Local calendar days from `since` to as_of, in the profile's zone; negative where as_of is earlier.
Datum days_since(FunctionCallInfo fcinfo, Day since) {
    const Bytes encoded = profile_bytes(PG_GETARG_DATUM(0));
    PG_RETURN_INT32(day_as_of(encoded, PG_GETARG_TIMESTAMPTZ(1)) - since);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_orders) { PG_RETURN_INT64(summary_argument(fcinfo).orders); }
CLIENTELE_FUNCTION(clientele_purchase_days) { PG_RETURN_INT64(summary_argument(fcinfo).purchase_days); }
CLIENTELE_FUNCTION(clientele_refunds) { PG_RETURN_INT64(summary_argument(fcinfo).refunds); }

CLIENTELE_FUNCTION(clientele_first_order_at) {
    const Summary& summary = summary_argument(fcinfo);
    if (summary.orders == 0) PG_RETURN_NULL();
    PG_RETURN_TIMESTAMPTZ(summary.first_at);
}

CLIENTELE_FUNCTION(clientele_last_order_at) {
    const Summary& summary = summary_argument(fcinfo);
    if (summary.orders == 0) PG_RETURN_NULL();
    PG_RETURN_TIMESTAMPTZ(summary.last().at);
}

CLIENTELE_FUNCTION(clientele_gross_spent) {
    const Summary& summary = summary_argument(fcinfo);
    return money(summary.gross, summary.scale);
}

CLIENTELE_FUNCTION(clientele_total_spent) {
    const Summary& summary = summary_argument(fcinfo);
    return money(summary.gross - summary.refunded, summary.scale);
}

CLIENTELE_FUNCTION(clientele_aov) {
    const Summary& summary = summary_argument(fcinfo);
    if (summary.orders == 0) PG_RETURN_NULL();
    return mean_money(summary.gross, summary.scale, summary.orders);
}

CLIENTELE_FUNCTION(clientele_typical_order_value) {
    const Summary& summary = summary_argument(fcinfo);
    if (summary.orders == 0) PG_RETURN_NULL();
    const std::int64_t value = typical_value(summary);
    // The mean of the two middle values may need one decimal more than they have.
    static constexpr std::int64_t unit_of_scale[] = {100'000, 10'000, 1'000, 100, 10, 1};
    const int scale = summary.scale + (value % unit_of_scale[summary.scale] != 0);
    return make_numeric(value / unit_of_scale[scale], scale);
}

CLIENTELE_FUNCTION(clientele_typical_cv) { return float_or_null(fcinfo, typical_cv(summary_argument(fcinfo))); }

CLIENTELE_FUNCTION(clientele_last_order_value) {
    const Summary& summary = summary_argument(fcinfo);
    if (summary.orders == 0) PG_RETURN_NULL();
    return money(summary.last().amount, summary.scale);
}

CLIENTELE_FUNCTION(clientele_order_value_cv) { return float_or_null(fcinfo, order_value_cv(summary_argument(fcinfo))); }

CLIENTELE_FUNCTION(clientele_recency_days) {
    const Summary& summary = summary_argument(fcinfo);
    if (summary.orders == 0) PG_RETURN_NULL();
    return days_since(fcinfo, summary.last_day);
}

// tenure_days() and the T of the purchase models: both count from the first purchase day.
CLIENTELE_FUNCTION(clientele_tenure_days) {
    const Summary& summary = summary_argument(fcinfo);
    if (summary.orders == 0) PG_RETURN_NULL();
    return days_since(fcinfo, summary.first_day);
}

CLIENTELE_FUNCTION(clientele_purchase_days_within) {
    const Bytes encoded = profile_bytes(PG_GETARG_DATUM(0));
    const std::int32_t days = PG_GETARG_INT32(1);
    const Day today = day_as_of(encoded, PG_GETARG_TIMESTAMPTZ(2));
    std::int64_t count = 0;
    think([&] { count = purchase_days_within(decode(encoded), days, today); });
    PG_RETURN_INT64(count);
}

CLIENTELE_FUNCTION(clientele_mean_days_between_orders) {
    return float_or_null(fcinfo, mean_gap(summary_argument(fcinfo)));
}

CLIENTELE_FUNCTION(clientele_median_days_between_orders) {
    const Bytes encoded = profile_bytes(PG_GETARG_DATUM(0));
    double gap = 0;
    think([&] { gap = median_gap(decode(encoded)); });
    return float_or_null(fcinfo, gap);
}

CLIENTELE_FUNCTION(clientele_days_to_second_purchase) {
    const Bytes encoded = profile_bytes(PG_GETARG_DATUM(0));
    std::optional<std::int32_t> days;
    think([&] {
        const Profile profile = decode(encoded);
        if (profile.days.size() > 1) days = profile.days[1] - profile.days[0];
    });
    if (!days) PG_RETURN_NULL();
    PG_RETURN_INT32(*days);
}

CLIENTELE_FUNCTION(clientele_evening_share) {
    const Summary& summary = summary_argument(fcinfo);
    return share_or_null(fcinfo, summary.evening_orders, summary.orders);
}

CLIENTELE_FUNCTION(clientele_weekend_share) {
    const Summary& summary = summary_argument(fcinfo);
    return share_or_null(fcinfo, summary.weekend_orders, summary.orders);
}

CLIENTELE_FUNCTION(clientele_repeat_purchases) {
    const Summary& summary = summary_argument(fcinfo);
    PG_RETURN_INT64(Max(summary.purchase_days - 1, 0));
}

CLIENTELE_FUNCTION(clientele_last_purchase_age) {
    const Summary& summary = summary_argument(fcinfo);
    if (summary.orders == 0) PG_RETURN_NULL();
    PG_RETURN_INT32(summary.last_day - summary.first_day);
}

CLIENTELE_FUNCTION(clientele_repeat_day_value) {
    const Summary& summary = summary_argument(fcinfo);
    if (summary.purchase_days < 2) PG_RETURN_NULL();
    return mean_money(summary.gross - summary.first_day_total, summary.scale, summary.purchase_days - 1);
}

CLIENTELE_FUNCTION(clientele_has_orders_since) {
    const TimestampTz since = PG_GETARG_TIMESTAMPTZ(1);
    if (TIMESTAMP_IS_NOBEGIN(since)) PG_RETURN_BOOL(true);
    const Summary& summary = summary_argument(fcinfo);
    PG_RETURN_BOOL(summary.orders > 0 && summary.last().at >= since);
}
