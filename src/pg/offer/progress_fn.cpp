// Progress at the basket: src/sql/74-checkout.sql says what each function returns.
#include <algorithm>
#include <initializer_list>

#include "core/offer/progress.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/kit/row.hpp"
#include "pg/kit/unicode.hpp"
#include "pg/kit/written.hpp"
#include "pg/lookup/lookup.hpp"
#include "pg/offer/offer_input.hpp"
#include "pg/offer/tiers.hpp"

using namespace clientele;

namespace {

// An offer as it was issued, with the progress message of its version of the program; $2 is the value of the basket.
#define ISSUED(condition)                                                                                          \
    "SELECT clientele._progress(l.program, l.min_spend, l.reward, l.currency, l.message, l.code, l.valid_until,"   \
    " l.segment, clientele._last_day(l.valid_until, %1$s._offer_book() OPERATOR(pg_catalog.->>) 'time_zone'),"     \
    " v.definition OPERATOR(pg_catalog.->>) 'progress_message', $2, l.reward_kind,"                                \
    " v.definition OPERATOR(pg_catalog.->>) 'gift', l.tiers) FROM %1$s.ledger l LEFT JOIN %1$s.program_versions v" \
    " ON v.program OPERATOR(pg_catalog.=) l.program AND v.version OPERATOR(pg_catalog.=) l.program_version"        \
    " WHERE l.state OPERATOR(pg_catalog.=) 'open' AND l.holdout IS NULL"                                           \
    " AND l.valid_until OPERATOR(pg_catalog.>) pg_catalog.now() AND " condition " ORDER BY l.period LIMIT 1"

constexpr StoreQuery of_customer = {ISSUED("l.customer_id OPERATOR(pg_catalog.=) $1"), View::none};
constexpr StoreQuery of_code = {ISSUED("l.code OPERATOR(pg_catalog.=) $1"), View::none};

// One that would be issued, as the program is now; no row where an exposure is open.
constexpr StoreQuery unissued = {
    "SELECT clientele._progress((d.o).program, (d.o).min_spend, (d.o).reward, (d.o).currency, (d.o).message, NULL,"
    " (d.o).valid_until, (d.o).segment, (d.o).last_day, p.progress_message, $2, (d.o).reward_kind, p.gift, (d.o).tiers)"
    " FROM (SELECT %1$s._decide(i.input, i.budgets) AS o FROM %1$s.%2$s i"
    " WHERE i.customer_id OPERATOR(pg_catalog.=) $1 AND i.open_exposure IS NULL) d"
    " JOIN %1$s.programs p ON p.program OPERATOR(pg_catalog.=) (d.o).program",
    View::offer_inputs};

// In 1/10,000. What is beyond that is left out: a basket that is short of the threshold by less has not reached it.
std::int64_t basket_in(Datum value) {
    const Scaled scaled = read_numeric(DirectFunctionCall2(numeric_trunc, value, Int32GetDatum(money_decimals)));
    if (scaled.kind != NumericKind::finite) refuse_amount("basket_value", value);
    return scaled.value;
}

// Refuses what no basket is worth, whoever the customer is.
Datum basket_argument(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("basket_value must not be NULL"),
                        errhint("An empty basket has the value 0.")));
    }
    const Datum value = PG_GETARG_DATUM(argument);
    basket_in(value);
    const Datum zero = NumericGetDatum(int64_to_numeric(0));
    if (DatumGetBool(DirectFunctionCall2(numeric_lt, value, zero))) {
        ereport(
            ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("basket_value must not be negative"),
             errdetail("It is %s.", DatumGetCString(DirectFunctionCall1(numeric_out, value))),
             errhint("It is what the order would be worth as the store values it: net of refunds, before discounts.")));
    }
    return value;
}

// In 1/10,000; above 10^13, which only a steep stretch asks for, whole.
__int128 threshold_in(Datum number) {
    const Scaled scaled = read_numeric(number);
    if (scaled.kind == NumericKind::finite) return scaled.value;
    const Datum whole = DirectFunctionCall1(numeric_int8, DirectFunctionCall1(numeric_ceil, number));
    return __int128{DatumGetInt64(whole)} * power_of_ten(money_decimals);
}

// Of the book what amounts are written by.
Book book_in(std::string_view currency) {
    Book book;
    book.currency = currency;
    book.decimals = currency_decimals(currency);
    book.unicode = GetDatabaseEncoding() == PG_UTF8;
    return book;
}

// Where a basket stands before the tiers of an offer, of which there may be one.
struct Place {
    Tiers tiers;
    __int128 threshold = 0;  // of the first, with money_decimals
    std::size_t reached = 0;
    std::int64_t reward = 0;  // of the highest that is reached, else of the first
    std::int64_t gap = 0;     // to the first
    std::int64_t next_gap = 0;

    const Tier* next() const { return reached < tiers.count ? &tiers.tiers[reached] : nullptr; }
};

Place place_of(std::int64_t basket, __int128 threshold, Datum reward, const NullableDatum& tiers, int decimals) {
    Place at;
    at.threshold = threshold;
    at.gap = gap_between(threshold, basket, decimals);
    if (tiers.isnull) {
        at.reward = units_in(reward, power_of_ten(decimals));
        at.reached = at.gap == 0 ? 1 : 0;
        return at;
    }
    at.tiers = read_tiers(tiers.value, decimals);
    at.reached = tiers_reached(at.tiers.all(), basket);
    at.reward = reward_of_tiers(at.tiers, basket, decimals);
    if (const Tier* next = at.next()) {
        at.next_gap = gap_between(__int128{next->min_spend} * power_of_ten(money_decimals), basket, decimals);
    }
    return at;
}

// What is missing to the next tier, and what that gives.
void tell_of(const Place& at, ProgressWords& words) {
    words.min_spend = at.threshold;
    words.gap = at.gap;
    words.reward = at.reward;
    const Tier* next = at.next();
    if (next == nullptr) return;
    words.min_spend = __int128{next->min_spend} * power_of_ten(money_decimals);
    words.gap = at.next_gap;
    words.reward = next->reward;
    words.share = next->share;
    words.cap = at.tiers.cap;
}

// A set of one row or none, so that the protocol for sets needs no state between calls.
Datum as_set(FunctionCallInfo fcinfo, NullableDatum row) {
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    if (!result || !IsA(result, ReturnSetInfo)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("set-valued function called in context that cannot accept a set")));
    }
    result->isDone = row.isnull ? ExprEndResult : ExprSingleResult;
    fcinfo->isnull = row.isnull;
    return row.value;
}

// Whether what every offer has is missing.
bool lacks_any_of(FunctionCallInfo fcinfo, std::initializer_list<int> arguments) {
    return std::any_of(arguments.begin(), arguments.end(), [fcinfo](int argument) { return PG_ARGISNULL(argument); });
}

Store store_argument(FunctionCallInfo fcinfo, int argument) {
    return resolve_store(PG_ARGISNULL(argument) ? nullptr : NameStr(*PG_GETARG_NAME(argument)));
}

}  // namespace

CLIENTELE_FUNCTION(clientele_progress) {
    enum {
        program,
        min_spend,
        reward,
        currency,
        message,
        code,
        valid_until,
        segment,
        last_day,
        missing,
        basket,
        kind,
        gift,
        tiers
    };
    if (lacks_any_of(fcinfo, {min_spend, reward, currency, last_day, basket})) PG_RETURN_NULL();
    const auto given = [fcinfo](int argument) { return nullable_argument(fcinfo, argument); };
    const auto text = [&](int argument) {
        return PG_ARGISNULL(argument) ? std::string_view{} : text_of(PG_GETARG_DATUM(argument));
    };
    const Book book = book_in(text(currency));
    const Place at = place_of(basket_in(PG_GETARG_DATUM(basket)), threshold_in(PG_GETARG_DATUM(min_spend)),
                              PG_GETARG_DATUM(reward), given(tiers), book.decimals);
    ProgressWords words{text(missing), text(program), text(segment)};
    if (PG_ARGISNULL(missing)) words.message = plain_progress_message;
    tell_of(at, words);
    words.last_day = PG_GETARG_INT32(last_day);
    for (const RewardKind known : reward_kinds) {
        if (text(kind) == code_of(known)) words.reward_name = reward_name(known, text(gift));
    }
    const auto missing_message = [&] {
        return known_datum(written([&](Text& to) { add_progress_message(to, book, words); }));
    };
    const auto amount = [&](std::int64_t units) { return known_datum(make_numeric(units, book.decimals)); };
    const Tier* next = at.reached > 0 ? at.next() : nullptr;
    const NullableDatum columns[] = {given(program),
                                     given(min_spend),
                                     amount(at.reward),
                                     amount(at.gap),
                                     known_datum(BoolGetDatum(at.reached > 0)),
                                     at.reached > 0 && next == nullptr ? given(message) : missing_message(),
                                     given(code),
                                     given(valid_until),
                                     next == nullptr ? null_datum : known_datum(make_numeric(next->min_spend, 0)),
                                     next == nullptr ? null_datum : amount(next->reward),
                                     next == nullptr ? null_datum : amount(at.next_gap)};
    return row_of(result_row_type(fcinfo), columns);
}

// (customer, basket_value, store, unissued)
CLIENTELE_FUNCTION(clientele_offer_progress) {
    const Parameter basket[] = {{NUMERICOID, basket_argument(fcinfo, 1)}};
    if (PG_ARGISNULL(3)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("unissued must not be NULL"),
                        errhint("Leave it out for offers that are issued.")));
    }
    if (PG_ARGISNULL(0)) return as_set(fcinfo, null_datum);
    const Store store = store_argument(fcinfo, 2);
    const Oid key_type = key_type_of(store);
    const Oid type = get_fn_expr_rettype(fcinfo->flinfo);
    Datum customer;
    if (!key_argument(fcinfo, key_type, &customer)) return as_set(fcinfo, null_datum);
    if (PG_GETARG_BOOL(3) && !warns_of_no_offers(store)) {
        const bool stored = stored_suffices(store, View::offer_inputs, key_type, customer);
        const NullableDatum offer = look_up(store, key_type, unissued, stored, customer, basket, type);
        if (!offer.isnull) return as_set(fcinfo, offer);
    }
    return as_set(fcinfo, look_up(store, key_type, of_customer, false, customer, basket, type));
}

// (code, basket_value, store); the code as the ledger has it.
CLIENTELE_FUNCTION(clientele_code_progress) {
    const Parameter basket[] = {{NUMERICOID, basket_argument(fcinfo, 1)}};
    const Store store = store_argument(fcinfo, 2);
    if (PG_ARGISNULL(0)) return as_set(fcinfo, null_datum);
    return as_set(fcinfo, look_up(store, TEXTOID, of_code, false, PG_GETARG_DATUM(0), basket,
                                  get_fn_expr_rettype(fcinfo->flinfo)));
}

// (reward, tiers, order_value, currency)
CLIENTELE_FUNCTION(clientele_reward_for) {
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3)) return PG_GETARG_DATUM(0);
    const int decimals = currency_decimals(text_of(PG_GETARG_DATUM(3)));
    const Tiers tiers = read_tiers(PG_GETARG_DATUM(1), decimals);
    return make_numeric(reward_of_tiers(tiers, basket_in(PG_GETARG_DATUM(2)), decimals), decimals);
}
