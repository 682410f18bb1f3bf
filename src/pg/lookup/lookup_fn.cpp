// Look-ups of one customer: assign_segment() and personalized_offer(). Each runs one prepared query over the views of
// the store, so that a look-up and the views agree, and row-level security, grants and changed definitions work as in
// any query. In a live store these are the views over what is stored alone, as long as nothing is pending for the
// customer.
#include <cstdint>
#include <cstring>

#include "pg/kit/open_query.hpp"
#include "pg/kit/query.hpp"
#include "pg/lookup/lookup.hpp"

extern "C" {
#include "access/xact.h"
}

using namespace clientele;

namespace {

// In all of them $1 is the customer, $2 the segmentation or program, $3 as_of.
constexpr Oid parameter_types[] = {TEXTOID, TIMESTAMPTZOID};

#define DECIDED_OFFER "SELECT %1$s._decide(i.input, i.budgets, $2)"

constexpr StoreQuery main_segment = {"SELECT segment FROM %1$s.%2$s WHERE customer_id OPERATOR(pg_catalog.=) $1",
                                     View::customers};
constexpr StoreQuery any_segment = {
    "SELECT segment FROM %1$s.%2$s WHERE customer_id OPERATOR(pg_catalog.=) $1"
    " AND segmentation OPERATOR(pg_catalog.=) $2",
    View::segments};
constexpr StoreQuery segment_at = {
    "SELECT segment FROM %1$s.segments_at($3) WHERE customer_id OPERATOR(pg_catalog.=) $1"
    " AND segmentation OPERATOR(pg_catalog.=) $2",
    View::customers, true};
constexpr StoreQuery default_segment = {
    "SELECT default_segment FROM %1$s.segmentations WHERE segmentation OPERATOR(pg_catalog.=) $2", View::none};
constexpr StoreQuery current_offer = {DECIDED_OFFER " FROM %1$s.%2$s i WHERE i.customer_id OPERATOR(pg_catalog.=) $1",
                                      View::offer_inputs};
constexpr StoreQuery offer_at = {DECIDED_OFFER
                                 " FROM %1$s._offer_inputs_at($3) i WHERE i.customer_id OPERATOR(pg_catalog.=) $1",
                                 View::offer_inputs, true};

// One look-up: who is asked for, in which store, of what, and when.
struct LookUp {
    Store store;
    Oid key_type;
    Datum customer;
    bool possible;  // false: no such key can exist
    Datum option;   // text: the segmentation or program
    bool option_given;
    TimestampTz as_of;
    bool past;
};

LookUp look_up_arguments(FunctionCallInfo fcinfo) {
    LookUp look_up{};
    look_up.store = resolve_store(PG_ARGISNULL(1) ? nullptr : NameStr(*PG_GETARG_NAME(1)));
    look_up.key_type = key_type_of(look_up.store);
    look_up.possible = key_argument(fcinfo, look_up.key_type, &look_up.customer);
    look_up.option_given = !PG_ARGISNULL(2);
    if (look_up.option_given) look_up.option = PG_GETARG_DATUM(2);
    if (!PG_ARGISNULL(3)) {
        look_up.as_of = PG_GETARG_TIMESTAMPTZ(3);
        look_up.past = look_up.as_of < GetCurrentTransactionStartTimestamp();
    }
    return look_up;
}

// Runs a query; false where there is no row or its only value, of this type, is NULL.
bool fetch(const LookUp& of, const StoreQuery& query, bool stored, Oid type, Datum* result) {
    const Parameter more[] = {{parameter_types[0], NullableDatum{of.option, !of.option_given}},
                              {parameter_types[1], TimestampTzGetDatum(of.as_of)}};
    const NullableDatum value = look_up(of.store, of.key_type, query, stored, of.customer, more, type);
    *result = value.value;
    return !value.isnull;
}

// One query of a call site of personalized_offer(), kept between its calls within a query.
struct OfferQuery {
    std::uint64_t calls;
    OpenQuery* open;  // from the second call on, where possible
    Oid settings;     // whose store it is
    Oid key_type;
    Datum program;
    bool program_given;
};
struct CallSite {
    OfferQuery ordinary;
    OfferQuery stored;
};

CallSite* call_site(FunctionCallInfo fcinfo) {
    auto* site = static_cast<CallSite*>(fcinfo->flinfo->fn_extra);
    if (!site) {
        site = static_cast<CallSite*>(MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CallSite)));
        fcinfo->flinfo->fn_extra = site;
    }
    return site;
}

void open(OfferQuery& query, const LookUp& look_up, bool stored, Oid type, MemoryContext lifetime) {
    const Oid types[] = {look_up.key_type, TEXTOID, TIMESTAMPTZOID};
    const Datum values[] = {look_up.customer, look_up.option, 0};
    begin_queries();
    query.open = open_query(plan_of(look_up.store, look_up.key_type, current_offer, stored, 2, parameter_types), types,
                            values, look_up.option_given ? "  n" : " nn", 3, lifetime);
    end_queries();
    if (query.open) check_result(look_up.store, columns_of(*query.open), &type, 1);
    query.settings = look_up.store.settings;
    query.key_type = look_up.key_type;
    query.program_given = look_up.option_given;
    MemoryContext caller = MemoryContextSwitchTo(lifetime);
    if (query.program_given) query.program = datumCopy(look_up.option, false, -1);
    MemoryContextSwitchTo(caller);
}

bool may_ask_for(const OfferQuery& query, const LookUp& look_up) {
    return query.open && may_ask(*query.open) && query.settings == look_up.store.settings &&
           query.key_type == look_up.key_type && query.program_given == look_up.option_given &&
           (!query.program_given || datumIsEqual(query.program, look_up.option, false, -1));
}

bool fetch_offer(FunctionCallInfo fcinfo, const LookUp& look_up, Datum* offer) {
    const Oid type = get_fn_expr_rettype(fcinfo->flinfo);
    if (look_up.past) return fetch(look_up, offer_at, false, type, offer);
    const bool stored = stored_suffices(look_up.store, View::offer_inputs, look_up.key_type, look_up.customer);
    CallSite* site = call_site(fcinfo);
    OfferQuery& query = stored ? site->stored : site->ordinary;
    if (++query.calls == 2) open(query, look_up, stored, type, fcinfo->flinfo->fn_mcxt);
    if (may_ask_for(query, look_up)) return ask(*query.open, look_up.customer, offer);
    return fetch(look_up, current_offer, stored, type, offer);
}

bool is_main(Datum segmentation) {
    const text* name = DatumGetTextPP(segmentation);
    return VARSIZE_ANY_EXHDR(name) == 4 && std::memcmp(VARDATA_ANY(name), "main", 4) == 0;
}

[[noreturn]] void refuse_segmentation(const LookUp& look_up) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("store \"%s\" has no segmentation \"%s\"", schema_name(look_up.store.schema),
                           TextDatumGetCString(look_up.option)),
                    errhint("The table segmentations of the store lists them; 'main' is the default.")));
    pg_unreachable();
}

}  // namespace

CLIENTELE_FUNCTION(clientele_key_literal) {
    const Oid key_type = key_type_of(resolve_store(NameStr(*PG_GETARG_NAME(0))));
    Datum key;
    if (!key_from_text(PG_GETARG_DATUM(1), key_type, &key)) PG_RETURN_NULL();
    Oid output;
    bool is_varlena;
    getTypeOutputInfo(key_type, &output, &is_varlena);
    const char* literal = quote_literal_cstr(OidOutputFunctionCall(output, key));
    PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s::%s", literal, format_type_be(key_type))));
}

CLIENTELE_FUNCTION(clientele_assign_segment) {
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    if (PG_ARGISNULL(2)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("segmentation must not be NULL"),
                        errhint("Leave it out for 'main'.")));
    }
    const LookUp look_up = look_up_arguments(fcinfo);
    const StoreQuery& query = look_up.past ? segment_at : is_main(look_up.option) ? main_segment : any_segment;
    Datum segment;
    if (look_up.possible) {
        const bool stored =
            !look_up.past && stored_suffices(look_up.store, query.view, look_up.key_type, look_up.customer);
        if (fetch(look_up, query, stored, TEXTOID, &segment)) return segment;
    }
    if (fetch(look_up, default_segment, false, TEXTOID, &segment)) return segment;
    refuse_segmentation(look_up);
}

// A set of one row or none, so that the protocol for sets needs no state between calls.
CLIENTELE_FUNCTION(clientele_personalized_offer) {
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    if (!result || !IsA(result, ReturnSetInfo)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("set-valued function called in context that cannot accept a set")));
    }
    Datum offer;
    if (!PG_ARGISNULL(0)) {
        const LookUp look_up = look_up_arguments(fcinfo);
        if (look_up.possible && !warns_of_no_offers(look_up.store) && fetch_offer(fcinfo, look_up, &offer)) {
            result->isDone = ExprSingleResult;
            return offer;
        }
    }
    result->isDone = ExprEndResult;
    PG_RETURN_NULL();
}
