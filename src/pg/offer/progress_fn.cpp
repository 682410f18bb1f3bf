// Progress at the basket: src/sql/74-checkout.sql says what each function returns.
#include "core/offer/progress.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/kit/row.hpp"
#include "pg/kit/unicode.hpp"
#include "pg/kit/written.hpp"
#include "pg/lookup/lookup.hpp"
#include "pg/offer/offer_input.hpp"

using namespace clientele;

namespace {

// An offer as it was issued, with the progress message of its version of the program; $2 is the value of the basket.
#define ISSUED(condition)                                                                                        \
    "SELECT clientele._progress(l.program, l.min_spend, l.reward, l.currency, l.message, l.code, l.valid_until," \
    " l.segment, clientele._last_day(l.valid_until, %1$s._offer_book() OPERATOR(pg_catalog.->>) 'time_zone'),"   \
    " v.definition OPERATOR(pg_catalog.->>) 'progress_message', $2, l.reward_kind,"                              \
    " v.definition OPERATOR(pg_catalog.->>) 'gift') FROM %1$s.ledger l LEFT JOIN %1$s.program_versions v"        \
    " ON v.program OPERATOR(pg_catalog.=) l.program AND v.version OPERATOR(pg_catalog.=) l.program_version"      \
    " WHERE l.state OPERATOR(pg_catalog.=) 'open' AND l.holdout IS NULL"                                         \
    " AND l.valid_until OPERATOR(pg_catalog.>) pg_catalog.now() AND " condition " ORDER BY l.period LIMIT 1"

constexpr StoreQuery of_customer = {ISSUED("l.customer_id OPERATOR(pg_catalog.=) $1"), View::none};
constexpr StoreQuery of_code = {ISSUED("l.code OPERATOR(pg_catalog.=) $1"), View::none};

// One that would be issued, as the program is now; no row where an exposure is open.
constexpr StoreQuery unissued = {
    "SELECT clientele._progress((d.o).program, (d.o).min_spend, (d.o).reward, (d.o).currency, (d.o).message, NULL,"
    " (d.o).valid_until, (d.o).segment, (d.o).last_day, p.progress_message, $2, (d.o).reward_kind, p.gift)"
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
        gift
    };
    const auto given = [fcinfo](int argument) { return nullable_argument(fcinfo, argument); };
    const auto text = [&](int argument) {
        return PG_ARGISNULL(argument) ? std::string_view{} : text_of(PG_GETARG_DATUM(argument));
    };
    const Book book = book_in(text(currency));
    ProgressWords words{text(missing), text(program), text(segment)};
    if (PG_ARGISNULL(missing)) words.message = plain_progress_message;
    words.min_spend = threshold_in(PG_GETARG_DATUM(min_spend));
    words.gap = gap_between(words.min_spend, basket_in(PG_GETARG_DATUM(basket)), book.decimals);
    words.reward = units_in(PG_GETARG_DATUM(reward), power_of_ten(book.decimals));
    words.last_day = PG_GETARG_INT32(last_day);
    for (const RewardKind known : reward_kinds) {
        if (text(kind) == code_of(known)) words.reward_name = reward_name(known, text(gift));
    }
    const bool reached = words.gap == 0;
    const auto missing_message = [&] {
        return known_datum(written([&](Text& to) { add_progress_message(to, book, words); }));
    };
    const NullableDatum columns[] = {given(program),
                                     given(min_spend),
                                     given(reward),
                                     known_datum(make_numeric(words.gap, book.decimals)),
                                     known_datum(BoolGetDatum(reached)),
                                     reached ? given(message) : missing_message(),
                                     given(code),
                                     given(valid_until)};
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
