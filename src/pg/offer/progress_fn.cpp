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

#define PROGRESS_OF(offer, code)                                                                                      \
    "SELECT clientele._progress(" offer ".program, " offer ".min_spend, " offer ".reward, " offer ".currency, " offer \
    ".message, " code ", " offer ".valid_until, $2)"
#define OPEN_EXPOSURE                                                  \
    " AND l.state OPERATOR(pg_catalog.=) 'open' AND l.holdout IS NULL" \
    " AND l.valid_until OPERATOR(pg_catalog.>) pg_catalog.now() ORDER BY l.period LIMIT 1"

// In all of them $2 is the value of the basket.
constexpr StoreQuery of_customer = {
    PROGRESS_OF("l", "l.code") " FROM %1$s.ledger l WHERE l.customer_id OPERATOR(pg_catalog.=) $1" OPEN_EXPOSURE,
    View::offer_inputs};
constexpr StoreQuery of_code = {
    PROGRESS_OF("l", "l.code") " FROM %1$s.ledger l WHERE l.code OPERATOR(pg_catalog.=) $1" OPEN_EXPOSURE,
    View::offer_inputs};
constexpr StoreQuery unissued = {
    PROGRESS_OF("(d.o)", "NULL::pg_catalog.text") " FROM (SELECT %1$s._decide(i.input, i.budgets) AS o FROM %1$s.%2$s i"
    " WHERE i.customer_id OPERATOR(pg_catalog.=) $1) d WHERE (d.o).program IS NOT NULL",
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

Datum progress_message(const Book& book, std::int64_t gap, Datum reward) {
    const std::int64_t units = units_in(reward, power_of_ten(book.decimals));
    return written([&](Text& text) { add_progress_message(text, plain_progress_message, book, gap, units); });
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
    enum { program, min_spend, reward, currency, message, code, valid_until, basket };
    const Book book = book_in(text_of(PG_GETARG_DATUM(currency)));
    const std::int64_t gap =
        gap_between(threshold_in(PG_GETARG_DATUM(min_spend)), basket_in(PG_GETARG_DATUM(basket)), book.decimals);
    const NullableDatum reached = nullable_argument(fcinfo, message);
    const NullableDatum columns[] = {
        nullable_argument(fcinfo, program),
        nullable_argument(fcinfo, min_spend),
        nullable_argument(fcinfo, reward),
        known_datum(make_numeric(gap, book.decimals)),
        known_datum(BoolGetDatum(gap == 0)),
        gap == 0 ? reached : known_datum(progress_message(book, gap, PG_GETARG_DATUM(reward))),
        nullable_argument(fcinfo, code),
        nullable_argument(fcinfo, valid_until)};
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
    const NullableDatum issued = look_up(store, key_type, of_customer, false, customer, basket, type);
    if (!issued.isnull || !PG_GETARG_BOOL(3) || warns_of_no_offers(store)) return as_set(fcinfo, issued);
    const bool stored = stored_suffices(store, View::offer_inputs, key_type, customer);
    return as_set(fcinfo, look_up(store, key_type, unissued, stored, customer, basket, type));
}

// (code, basket_value, store); the code as the ledger has it.
CLIENTELE_FUNCTION(clientele_code_progress) {
    const Parameter basket[] = {{NUMERICOID, basket_argument(fcinfo, 1)}};
    const Store store = store_argument(fcinfo, 2);
    if (PG_ARGISNULL(0)) return as_set(fcinfo, null_datum);
    return as_set(fcinfo, look_up(store, TEXTOID, of_code, false, PG_GETARG_DATUM(0), basket,
                                  get_fn_expr_rettype(fcinfo->flinfo)));
}
