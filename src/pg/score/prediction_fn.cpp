// Predictions of the purchase and value models: src/sql/19-prediction.sql says what each function returns.
#include "core/score/prediction.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>

#include "core/profile/profile.hpp"
#include "pg/kit/boundary.hpp"
#include "pg/kit/number_array.hpp"
#include "pg/kit/numeric.hpp"
#include "pg/kit/row.hpp"
#include "pg/kit/zone.hpp"
#include "pg/profile/profile_datum.hpp"
#include "pg/score/model_argument.hpp"

using namespace clientele;

namespace {

// --- what a query remembers -------------------------------------------------------------------------------------

// The bytes of an argument that was parsed last.
struct Parsed {
    char* bytes;
    std::size_t size, capacity;
};

// What the orders of a customer who is alive depend on, within one model and outlook; zero orders: not known.
struct KnownOrders {
    double repeat_purchases, age, orders;
};
constexpr int index_bits = 16;
constexpr int misses_without_table = 32;  // a query for some customers needs none

// In fn_extra: the models that the arguments hold, and what takes long to compute from them. Starts as zeros.
struct Memo {
    Parsed kind_source, purchase_source, value_source;
    PurchaseModel purchase;
    ValueModel value;
    Outlook outlook;  // of the table
    KnownOrders* table;
    int misses;
};

Memo& memo_of(FunctionCallInfo fcinfo) {
    FmgrInfo* function = fcinfo->flinfo;
    if (function->fn_extra == nullptr) function->fn_extra = MemoryContextAllocZero(function->fn_mcxt, sizeof(Memo));
    return *static_cast<Memo*>(function->fn_extra);
}

bool is_parsed(const Parsed& parsed, const char* bytes, std::size_t size) {
    return parsed.size == size && std::memcmp(parsed.bytes, bytes, size) == 0;
}

void remember(MemoryContext context, Parsed& parsed, const char* bytes, std::size_t size) {
    if (parsed.capacity < size) {
        parsed = {static_cast<char*>(MemoryContextAlloc(context, size)), 0, size};
    }
    std::memcpy(parsed.bytes, bytes, size);
    parsed.size = size;
}

// The slot that has or gets this customer, of four neighbours; nullptr where there is no table yet.
KnownOrders* slot_of(Memo& memo, MemoryContext context, double x, double age) {
    constexpr std::size_t size = sizeof(KnownOrders) << index_bits;
    if (memo.misses < misses_without_table) {
        ++memo.misses;
        return nullptr;
    }
    if (memo.misses == misses_without_table) {
        if (memo.table == nullptr) memo.table = static_cast<KnownOrders*>(MemoryContextAlloc(context, size));
        std::memset(static_cast<void*>(memo.table), 0, size);
        ++memo.misses;
    }
    // Small whole numbers differ in their upper bits only, which a product loses.
    const auto mix = [](double number, std::uint64_t factor) {
        return std::rotl(std::bit_cast<std::uint64_t>(number), 32) * factor;
    };
    const std::uint64_t hash = mix(x, 0x9E3779B97F4A7C15U) + mix(age, 0xC2B2AE3D27D4EB4FU);
    KnownOrders* slots = &memo.table[hash >> (64 - index_bits) & ~std::uint64_t{3}];
    for (KnownOrders* slot = slots; slot < slots + 4; ++slot) {
        if (slot->orders == 0 || (slot->repeat_purchases == x && slot->age == age)) return slot;
    }
    return &slots[hash >> 32 & 3];
}

// orders_while_alive() of the memo's model, which remembers the results for one outlook.
double known_orders(FunctionCallInfo fcinfo, Memo& memo, double x, double age, const Outlook& outlook) {
    if (memo.outlook.horizon != outlook.horizon || memo.outlook.discount_rate != outlook.discount_rate) {
        memo.outlook = outlook;
        memo.misses = 0;
    }
    KnownOrders* slot = slot_of(memo, fcinfo->flinfo->fn_mcxt, x, age);
    if (slot != nullptr && slot->orders > 0 && slot->repeat_purchases == x && slot->age == age) return slot->orders;
    double orders = 0;
    think([&] { orders = orders_while_alive(memo.purchase, x, age, outlook); });
    if (slot != nullptr) *slot = {x, age, orders};
    return orders;
}

// Session memo: a row's predictions are asked for one by one, and most need this.
struct LastAlive {
    PurchaseModel model;
    PurchaseHistory history;
    double p;
};
constinit LastAlive last_alive{};

bool is_same(const PurchaseModel& left, const PurchaseModel& right) {
    return left.kind == right.kind && left.parameters == right.parameters;
}

bool is_same(const PurchaseHistory& left, const PurchaseHistory& right) {
    return left.repeat_purchases == right.repeat_purchases && left.last_purchase_age == right.last_purchase_age &&
           left.age == right.age;
}

double known_p_alive(const PurchaseModel& model, const PurchaseHistory& history) {
    if (is_same(last_alive.model, model) && is_same(last_alive.history, history)) return last_alive.p;
    double p = 0;
    think([&] { p = p_alive(model, history); });
    last_alive = {model, history, p};
    return p;
}

// --- models -----------------------------------------------------------------------------------------------------

void check_convergence(HeapTupleHeader row) {
    bool is_null = false;
    const bool converged = DatumGetBool(GetAttributeByName(row, "converged", &is_null));
    if (is_null || converged) return;
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the model did not converge"),
                    errdetail("Its parameters are where the fit gave up, and predict nothing."),
                    errhint("Fit it to more customers or a longer history, or fit another model. To use the "
                            "parameters all the same, set \"converged\" to NULL.")));
}

struct RowModel {
    HeapTupleHeader row;
    const char* bytes;
    std::size_t size;
};

RowModel row_model(Datum datum) {
    HeapTupleHeader row = DatumGetHeapTupleHeader(datum);
    return {row, reinterpret_cast<const char*>(row), HeapTupleHeaderGetDatumLength(row)};
}

// Makes the model of a composite value (bgnbd, …) the memo's.
void read_purchase_row(FunctionCallInfo fcinfo, Memo& memo, int argument) {
    const auto [row, bytes, size] = row_model(PG_GETARG_DATUM(argument));
    if (is_parsed(memo.purchase_source, bytes, size)) return;
    memo.purchase_source.size = 0;
    memo.misses = 0;
    check_convergence(row);
    memo.purchase.kind = kind_of_name(get_rel_name(get_typ_typrelid(HeapTupleHeaderGetTypeId(row))));
    for (int i = 0; i < 4; ++i) memo.purchase.parameters[i] = parameter_of(row, i + 1);
    think([&] { check(memo.purchase); });
    remember(fcinfo->flinfo->fn_mcxt, memo.purchase_source, bytes, size);
}

void read_value_row(FunctionCallInfo fcinfo, Memo& memo, int argument) {
    const auto [row, bytes, size] = row_model(PG_GETARG_DATUM(argument));
    if (is_parsed(memo.value_source, bytes, size)) return;
    memo.value_source.size = 0;
    check_convergence(row);
    memo.value = {parameter_of(row, 1), parameter_of(row, 2), parameter_of(row, 3)};
    think([&] { check(memo.value); });
    remember(fcinfo->flinfo->fn_mcxt, memo.value_source, bytes, size);
}

struct Stored {
    const char* bytes;
    std::size_t size;
};

// What a stored value holds, without a copy where its header is short.
Stored stored_bytes(Datum datum) {
    struct varlena* stored = PG_DETOAST_DATUM_PACKED(datum);
    return {VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored)};
}

// Makes the model of a kind (argument 0) and its parameters (argument 1) the memo's.
void read_purchase_array(FunctionCallInfo fcinfo, Memo& memo) {
    const Stored kind = stored_bytes(PG_GETARG_DATUM(0));
    const Stored parameters = stored_bytes(PG_GETARG_DATUM(1));
    if (is_parsed(memo.kind_source, kind.bytes, kind.size) &&
        is_parsed(memo.purchase_source, parameters.bytes, parameters.size)) {
        return;
    }
    memo.kind_source.size = memo.purchase_source.size = 0;
    memo.misses = 0;
    memo.purchase.kind = kind_of_name({kind.bytes, kind.size});
    std::memcpy(memo.purchase.parameters.data(), numbers_of(PG_GETARG_ARRAYTYPE_P(1), 4), 4 * sizeof(double));
    think([&] { check(memo.purchase); });
    remember(fcinfo->flinfo->fn_mcxt, memo.kind_source, kind.bytes, kind.size);
    remember(fcinfo->flinfo->fn_mcxt, memo.purchase_source, parameters.bytes, parameters.size);
}

void read_value_array(FunctionCallInfo fcinfo, Memo& memo, int argument) {
    const Stored parameters = stored_bytes(PG_GETARG_DATUM(argument));
    if (is_parsed(memo.value_source, parameters.bytes, parameters.size)) return;
    memo.value_source.size = 0;
    const double* numbers = numbers_of(PG_GETARG_ARRAYTYPE_P(argument), 3);
    memo.value = {numbers[0], numbers[1], numbers[2]};
    think([&] { check(memo.value); });
    remember(fcinfo->flinfo->fn_mcxt, memo.value_source, parameters.bytes, parameters.size);
}

// --- customers --------------------------------------------------------------------------------------------------

// The history in three arguments from this one on.
PurchaseHistory history_of(FunctionCallInfo fcinfo, int argument) {
    const PurchaseHistory history{PG_GETARG_FLOAT8(argument), PG_GETARG_FLOAT8(argument + 1),
                                  PG_GETARG_FLOAT8(argument + 2)};
    think([&] { check(history); });
    return history;
}

// The history, in days, of the profile in this argument, as of the next. False where there is none: no order, or one
// after as_of.
bool read_history(FunctionCallInfo fcinfo, int argument, PurchaseHistory& history) {
    const Bytes encoded = profile_bytes(PG_GETARG_DATUM(argument));
    const Day today = day_as_of(encoded, PG_GETARG_TIMESTAMPTZ(argument + 1));
    const Summary& summary = profile_summary(encoded);
    if (summary.orders == 0 || today < summary.last_day) return false;
    history = {static_cast<double>(summary.purchase_days - 1),
               static_cast<double>(summary.last_day - summary.first_day),
               static_cast<double>(today - summary.first_day)};
    return true;
}

// What one customer's orders are worth, and how many there were.
struct Spending {
    double repeat_purchases;
    double mean_value;
};

// repeat_day_value() without its decimal division.
Spending spending_of(const Summary& summary) {
    const auto x = static_cast<double>(summary.purchase_days - 1);
    constexpr double unit = 10'000;
    const auto spent = static_cast<double>(summary.gross - summary.first_day_total) / unit;
    return {x, summary.purchase_days > 1 ? spent / x : 0};
}

const Summary& profile_argument(FunctionCallInfo fcinfo, int argument) {
    return profile_summary(profile_bytes(PG_GETARG_DATUM(argument)));
}

// --- predictions ------------------------------------------------------------------------------------------------

double predicted_orders(FunctionCallInfo fcinfo, Memo& memo, const PurchaseHistory& history, const Outlook& outlook) {
    const double alive = known_p_alive(memo.purchase, history);
    return alive * known_orders(fcinfo, memo, history.repeat_purchases, history.age, outlook);
}

double horizon_argument(FunctionCallInfo fcinfo, int argument) {
    const double horizon = PG_GETARG_FLOAT8(argument);
    think([&] { check_horizon(horizon); });
    return horizon;
}

// The terms of clv(): horizon, margin and annual_discount.
struct ValueTerms {
    Outlook outlook;
    double margin;
};

ValueTerms value_terms(double horizon, double margin, double annual_discount) {
    ValueTerms terms{};
    think([&] {
        check_horizon(horizon);
        check_margin(margin);
        check_annual_discount(annual_discount);
        terms = {{horizon, daily_discount_rate(annual_discount)}, margin};
    });
    return terms;
}

// margin x E(M) x discounted orders; NaN where the value model has no mean.
double lifetime_value(FunctionCallInfo fcinfo, Memo& memo, const PurchaseHistory& history, double mean_value,
                      const ValueTerms& terms) {
    const double value = expected_order_value(memo.value, history.repeat_purchases, mean_value);
    if (std::isnan(value)) return value;
    return terms.margin * value * predicted_orders(fcinfo, memo, history, terms.outlook);
}

// The value of a customer with a profile; false where there is none.
bool read_lifetime_value(FunctionCallInfo fcinfo, Memo& memo, int profile, const ValueTerms& terms, double& value) {
    PurchaseHistory history;
    if (!read_history(fcinfo, profile, history)) return false;
    const Spending spending = spending_of(profile_argument(fcinfo, profile));
    value = lifetime_value(fcinfo, memo, history, spending.mean_value, terms);
    return !std::isnan(value);
}

Datum float_or_null(FunctionCallInfo fcinfo, double value) {
    if (std::isnan(value)) PG_RETURN_NULL();
    PG_RETURN_FLOAT8(value);
}

// A value rounded half away from zero to the currency's decimals.
Datum money(double value, int decimals) {
    constexpr int most_decimals = 4;
    constexpr double limit = 1e30;  // far above any amount, and far below __int128's
    if (decimals < 0 || decimals > most_decimals) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("decimals of a currency must be from 0 to 4"),
                        errdetail("They are %d.", decimals)));
    }
    const double units = std::round(value * std::pow(10, decimals));
    if (!(units < limit)) {
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("predicted value is out of range"),
                        errdetail("It is %g.", value), errhint("Fit the models again.")));
    }
    return make_numeric(static_cast<__int128>(units), decimals);
}

Datum p_alive_of_profile(FunctionCallInfo fcinfo, const Memo& memo, int profile) {
    PurchaseHistory history;
    if (!read_history(fcinfo, profile, history)) PG_RETURN_NULL();
    PG_RETURN_FLOAT8(known_p_alive(memo.purchase, history));
}

// The arguments are the horizon, the profile and as_of, from this one on.
Datum orders_of_profile(FunctionCallInfo fcinfo, Memo& memo, int argument) {
    const Outlook outlook{horizon_argument(fcinfo, argument), 0};
    PurchaseHistory history;
    if (!read_history(fcinfo, argument + 1, history)) PG_RETURN_NULL();
    PG_RETURN_FLOAT8(predicted_orders(fcinfo, memo, history, outlook));
}

bool any_is_null(FunctionCallInfo fcinfo, std::initializer_list<int> arguments) {
    return std::ranges::any_of(arguments, [&](int argument) { return PG_ARGISNULL(argument); });
}

// Whether `argument`, a mean value, is given; without repeat purchases it need not be, and is not looked at.
bool read_mean_value(FunctionCallInfo fcinfo, int argument, double repeat_purchases, double& mean_value) {
    mean_value = 0;
    if (repeat_purchases == 0) return true;
    if (PG_ARGISNULL(argument)) return false;
    mean_value = PG_GETARG_FLOAT8(argument);
    think([&] { check_mean_value(mean_value); });
    return true;
}

}  // namespace

// --- on x, t_x and T --------------------------------------------------------------------------------------------

CLIENTELE_FUNCTION(clientele_p_alive) {
    Memo& memo = memo_of(fcinfo);
    read_purchase_row(fcinfo, memo, 0);
    PG_RETURN_FLOAT8(known_p_alive(memo.purchase, history_of(fcinfo, 1)));
}

CLIENTELE_FUNCTION(clientele_expected_orders) {
    Memo& memo = memo_of(fcinfo);
    read_purchase_row(fcinfo, memo, 0);
    const Outlook outlook{horizon_argument(fcinfo, 1), 0};
    PG_RETURN_FLOAT8(predicted_orders(fcinfo, memo, history_of(fcinfo, 2), outlook));
}

CLIENTELE_FUNCTION(clientele_expected_order_value) {
    if (any_is_null(fcinfo, {0, 1})) PG_RETURN_NULL();
    Memo& memo = memo_of(fcinfo);
    read_value_row(fcinfo, memo, 0);
    const double x = PG_GETARG_FLOAT8(1);
    think([&] { check_repeat_purchases(x); });
    double mean_value = 0;
    if (!read_mean_value(fcinfo, 2, x, mean_value)) PG_RETURN_NULL();
    return float_or_null(fcinfo, expected_order_value(memo.value, x, mean_value));
}

CLIENTELE_FUNCTION(clientele_clv) {
    if (any_is_null(fcinfo, {0, 1, 2, 3, 4, 5, 7, 8})) PG_RETURN_NULL();
    Memo& memo = memo_of(fcinfo);
    read_purchase_row(fcinfo, memo, 0);
    read_value_row(fcinfo, memo, 1);
    const ValueTerms terms = value_terms(PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(7), PG_GETARG_FLOAT8(8));
    const PurchaseHistory history = history_of(fcinfo, 3);
    double mean_value = 0;
    if (!read_mean_value(fcinfo, 6, history.repeat_purchases, mean_value)) PG_RETURN_NULL();
    return float_or_null(fcinfo, lifetime_value(fcinfo, memo, history, mean_value, terms));
}

// --- on a profile -----------------------------------------------------------------------------------------------

CLIENTELE_FUNCTION(clientele_p_alive_profile) {
    Memo& memo = memo_of(fcinfo);
    read_purchase_row(fcinfo, memo, 0);
    return p_alive_of_profile(fcinfo, memo, 1);
}

CLIENTELE_FUNCTION(clientele_expected_orders_profile) {
    Memo& memo = memo_of(fcinfo);
    read_purchase_row(fcinfo, memo, 0);
    return orders_of_profile(fcinfo, memo, 1);
}

CLIENTELE_FUNCTION(clientele_expected_order_value_profile) {
    Memo& memo = memo_of(fcinfo);
    read_value_row(fcinfo, memo, 0);
    const Summary& summary = profile_argument(fcinfo, 1);
    if (summary.orders == 0) PG_RETURN_NULL();
    const auto [x, mean_value] = spending_of(summary);
    return float_or_null(fcinfo, expected_order_value(memo.value, x, mean_value));
}

CLIENTELE_FUNCTION(clientele_clv_profile) {
    Memo& memo = memo_of(fcinfo);
    read_purchase_row(fcinfo, memo, 0);
    read_value_row(fcinfo, memo, 1);
    const ValueTerms terms = value_terms(PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(5), PG_GETARG_FLOAT8(6));
    double value = 0;
    if (!read_lifetime_value(fcinfo, memo, 3, terms, value)) PG_RETURN_NULL();
    PG_RETURN_FLOAT8(value);
}

// --- for a store's views ----------------------------------------------------------------------------------------

CLIENTELE_FUNCTION(clientele_store_p_alive) {
    Memo& memo = memo_of(fcinfo);
    read_purchase_array(fcinfo, memo);
    return p_alive_of_profile(fcinfo, memo, 2);
}

CLIENTELE_FUNCTION(clientele_store_expected_orders) {
    Memo& memo = memo_of(fcinfo);
    read_purchase_array(fcinfo, memo);
    return orders_of_profile(fcinfo, memo, 2);
}

CLIENTELE_FUNCTION(clientele_store_expected_order_value) {
    Memo& memo = memo_of(fcinfo);
    read_value_array(fcinfo, memo, 0);
    const Summary& summary = profile_argument(fcinfo, 1);
    if (summary.orders == 0) PG_RETURN_NULL();
    const auto [x, mean_value] = spending_of(summary);
    const double value = expected_order_value(memo.value, x, mean_value);
    if (std::isnan(value)) PG_RETURN_NULL();
    return money(value, PG_GETARG_INT32(2));
}

CLIENTELE_FUNCTION(clientele_store_clv) {
    Memo& memo = memo_of(fcinfo);
    read_purchase_array(fcinfo, memo);
    read_value_array(fcinfo, memo, 2);
    const ValueTerms terms = value_terms(PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(6), PG_GETARG_FLOAT8(7));
    double value = 0;
    if (!read_lifetime_value(fcinfo, memo, 4, terms, value)) PG_RETURN_NULL();
    return money(value, PG_GETARG_INT32(8));
}

CLIENTELE_FUNCTION(clientele_store_expected_next_order_at) {
    constexpr int least_purchase_days = 3;
    Memo& memo = memo_of(fcinfo);
    read_purchase_array(fcinfo, memo);
    PurchaseHistory history;
    if (!read_history(fcinfo, 2, history) || history.repeat_purchases < least_purchase_days - 1) PG_RETURN_NULL();
    if (known_p_alive(memo.purchase, history) < probably_alive_from) PG_RETURN_NULL();
    const Bytes encoded = profile_bytes(PG_GETARG_DATUM(2));
    const Zone& zone = profile_zone(encoded);
    Instant last = 0;
    double gap = 0;
    think([&] {
        const Profile profile = decode(encoded);
        last = profile.last().at;
        gap = median_gap(profile);
    });
    const auto ahead = static_cast<Instant>(gap * microseconds_a_day);  // half days at most
    PG_RETURN_TIMESTAMPTZ(instant_of(zone.local(last) + ahead, zone));
}

CLIENTELE_FUNCTION(clientele_days_held_out) { PG_RETURN_INT32(days_held_out(PG_GETARG_INT32(0))); }

CLIENTELE_FUNCTION(clientele_spread_over_periods) {
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(1);
    check_plain_array(array, "by_then", "Give a number for each period.", "Give a number for each period.");
    const std::span<const double> by_then = doubles_of(array);
    auto* periods = static_cast<double*>(palloc((by_then.size() + 1) * sizeof(double)));
    think([&] { std::ranges::copy(spread_over_periods(PG_GETARG_FLOAT8(0), by_then), periods); });
    PG_RETURN_DATUM(float_array({periods, by_then.size()}));
}
