#include "pg/offer/offer_input.hpp"

#include "core/profile/profile.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/nullable.hpp"
#include "pg/kit/numeric.hpp"
#include "pg/kit/unicode.hpp"
#include "pg/kit/zone.hpp"
#include "pg/offer/margins.hpp"
#include "pg/offer/offer_standing.hpp"
#include "pg/profile/profile_datum.hpp"
#include "pg/response/value_prior.hpp"

extern "C" {
#include "utils/typcache.h"
}

namespace clientele {
namespace {

constexpr std::int64_t money_in_value = value_unit / 10'000;

// --- rows -------------------------------------------------------------------------------------------------------

// The first columns of a row. Its type is not pinned meanwhile: nothing here could change it.
template <int count>
void split(Datum datum, NullableDatum (&columns)[count]) {
    constexpr int most = 64;
    HeapTupleHeader row = DatumGetHeapTupleHeader(datum);
    TupleDesc descriptor = lookup_type_cache(HeapTupleHeaderGetTypeId(row), TYPECACHE_TUPDESC)->tupDesc;
    if (descriptor == nullptr || descriptor->natts < count || descriptor->natts > most) {
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("a row has not the columns of its type")));
    }
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(row);
    tuple.t_data = row;
    Datum values[most];
    bool nulls[most];
    heap_deform_tuple(&tuple, descriptor, values, nulls);
    for (int index = 0; index < count; ++index) columns[index] = {values[index], nulls[index]};
}

ArrayType* array_of(const NullableDatum& array) { return array.isnull ? nullptr : DatumGetArrayTypeP(array.value); }

// --- the customer -----------------------------------------------------------------------------------------------

Instant as_of_of(const OfferInput& input) {
    const TimestampTz as_of = DatumGetTimestampTz(input.as_of.value);
    if (TIMESTAMP_NOT_FINITE(as_of)) {
        ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("as_of must be finite"),
                        errdetail("It is %s.", timestamptz_to_str(as_of))));
    }
    return as_of;
}

// Reads what offers need to know from a profile.
void read_facts(Datum profile, const PreparedBook& book, Detail detail, Customer& customer) {
    CustomerFacts& facts = customer.facts;
    const Bytes encoded = profile_bytes(profile);
    const Zone& zone = profile_zone(encoded);
    const Summary& summary = profile_summary(encoded);
    think([&] {
        facts.orders = summary.orders;
        facts.purchase_days = summary.purchase_days;
        if (summary.orders == 0) return;
        facts.last_value = summary.last().amount * money_in_value;
        facts.typical_value = typical_value(summary);
        if (book.asks_for_cv) facts.typical_cv = typical_cv(summary);
        if (book.asks_for_recency || detail == Detail::explanation)
            facts.recency_days = day_of(zone.local(customer.as_of)) - summary.last_day;
        facts.last_purchase_age_days = summary.last_day - summary.first_day;
        if (!book.asks_for_gap) return;
        const bool tells = detail != Detail::offer;
        if (tells || median_gap_decides(book.book, customer.segment, facts))
            facts.median_gap_days = median_gap(decode(encoded));
    });
}

double season_in(Datum number) {
    const double season = DatumGetFloat8(number);
    if (!(season >= -10 && season <= 10)) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("season must be from -10 to 10"),
                        errdetail("It is %g.", season)));
    }
    return season;
}

Basis fallback_basis(Datum name) {
    const std::string_view basis = text_of(name);
    for (const Basis known : {Basis::segment, Basis::store, Basis::recent}) {
        if (basis == code_of(known)) return known;
    }
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown basis of a reference value"),
                    errdetail("It is \"%s\".", TextDatumGetCString(name)),
                    errhint("For a customer without orders it is \"segment\" or \"store\", for one with fewer than %d "
                            "\"recent\".",
                            static_cast<int>(typical_from_orders))));
    pg_unreachable();
}

std::int64_t fallback_value(Datum number) {
    const Scaled scaled = read_numeric(number);
    if (scaled.kind != NumericKind::finite || scaled.value < 0) {
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("reference value must be from 0 to below 10^13"),
                 errdetail("It is %s.", DatumGetCString(DirectFunctionCall1(numeric_out, number)))));
    }
    return units_in(number, value_unit);
}

// The texts of an array, where they stand.
std::span<const std::string_view> texts_in(Datum array) {
    Datum* elements;
    int count;
    deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements, nullptr, &count);
    auto* texts = static_cast<std::string_view*>(palloc(count * sizeof(std::string_view)));
    for (int index = 0; index < count; ++index) new (&texts[index]) std::string_view(text_of(elements[index]));
    return {texts, static_cast<std::size_t>(count)};
}

Reference read_fallback(Datum row) {
    NullableDatum columns[2];
    split(row, columns);
    const auto& [basis, value] = columns;
    if (basis.isnull || value.isnull) return {};
    return {fallback_basis(basis.value), fallback_value(value.value)};
}

}  // namespace

OfferInput offer_input(Datum row) {
    NullableDatum columns[11];
    split(row, columns);
    const auto& [customer, segment, profile, fallback, as_of, history, open, category_mix, prior, season, no_consent] =
        columns;
    return {customer, segment, profile, fallback, as_of, history, open, category_mix, prior, season, no_consent};
}

OfferInput offer_input(FunctionCallInfo fcinfo, int history, int category_mix) {
    const auto given = [fcinfo](int index) { return nullable_argument(fcinfo, index); };
    return {given(1),
            given(2),
            given(3),
            given(4),
            given(5),
            given(history),
            null_datum,
            given(category_mix),
            given(PG_NARGS() - 2),
            given(PG_NARGS() - 1),
            null_datum};
}

std::int64_t units_in(Datum number, std::int64_t unit) {
    const Datum factor = NumericGetDatum(int64_to_numeric(unit));
    return DatumGetInt64(DirectFunctionCall1(numeric_int8, DirectFunctionCall2(numeric_mul, number, factor)));
}

OpenOffer open_offer(Datum row) {
    NullableDatum columns[5];
    split(row, columns);
    const auto& [exposure_id, program, holdout, valid_until, terms] = columns;
    if (program.isnull || valid_until.isnull || terms.isnull) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("an open exposure is incomplete"),
                        errhint("It has its program, its end and its terms.")));
    }
    OpenOffer open{};
    open.exposure.program = text_of(program.value);
    open.exposure.held_out = !holdout.isnull;
    open.exposure.valid_until = DatumGetTimestampTz(valid_until.value);
    open.terms = PointerGetDatum(DatumGetHeapTupleHeader(terms.value));
    return open;
}

Customer read_customer(const OfferInput& input, const NullableDatum& budgets, Detail detail, PreparedBook& book) {
    Customer customer;
    customer.as_of = as_of_of(input);
    const std::string_view id = text_of(input.customer.value);
    customer.id = book.asks_for_id ? utf8_of(id) : id;
    if (!input.segment.isnull) customer.segment = text_of(input.segment.value);
    if (!input.profile.isnull) read_facts(input.profile.value, book, detail, customer);
    if (customer.facts.orders < typical_from_orders && !input.fallback.isnull) {
        customer.fallback = read_fallback(input.fallback.value);
    }
    customer.margin = customer_margin(book.book.margins, input.category_mix, customer.segment);
    if (book.asks_for_next_order || detail == Detail::explanation) customer.next_order = read_next_order(input);
    if (!input.season.isnull) customer.season = season_in(input.season.value);
    read_standings(book, array_of(input.history), array_of(budgets), customer);
    if (!input.no_consent.isnull) customer.without_consent = texts_in(input.no_consent.value);
    if (!input.open.isnull) {
        customer.open = open_offer(input.open.value).exposure;
        customer.open->valid_until = book.zone->local(customer.open->valid_until);
    }
    return customer;
}

OrderValue read_next_order(const OfferInput& input) {
    if (input.prior.isnull) return {};
    const Summary no_orders;
    const Summary& summary = input.profile.isnull ? no_orders : profile_summary(profile_bytes(input.profile.value));
    const ValuePrior prior = value_prior(DatumGetHeapTupleHeader(input.prior.value));
    OrderValue next;
    think([&] { next = order_value(log_values(summary), prior); });
    return next;
}

}  // namespace clientele
