// Look-ups of one customer: assign_segment() and personalized_offer(). Each runs one prepared query over the views of
// the store, so that a look-up and the views agree, and row-level security, grants and changed definitions work as in
// any query. In a live store these are the views over what is stored alone, as long as nothing is pending for the
// customer.
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "open_query.hpp"
#include "pending_probe.hpp"
#include "store.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "utils/hsearch.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

using namespace clientele;

namespace {

// $1 is the customer, $2 the segmentation or program, $3 as_of. %1$s is the quoted schema, %2$s the view.
enum class Question : std::uint32_t { main_segment, segment, segment_at, default_segment, offer, offer_at };

const char* text_of(Question query) {
    switch (query) {
        case Question::main_segment:
            return "SELECT segment FROM %1$s.%2$s WHERE customer_id OPERATOR(pg_catalog.=) $1";
        case Question::segment:
            return "SELECT segment FROM %1$s.%2$s WHERE customer_id OPERATOR(pg_catalog.=) $1"
                   " AND segmentation OPERATOR(pg_catalog.=) $2";
        case Question::segment_at:
            return "SELECT segment FROM %1$s.segments_at($3) WHERE customer_id OPERATOR(pg_catalog.=) $1"
                   " AND segmentation OPERATOR(pg_catalog.=) $2";
        case Question::default_segment:
            return "SELECT default_segment FROM %1$s.segmentations WHERE segmentation OPERATOR(pg_catalog.=) $2";
        case Question::offer:
            return "SELECT clientele.decide_offer(%1$s._offer_book(), i.customer, i.segment, i.profile, i.fallback, "
                   "i.as_of, $2) FROM %1$s.%2$s i WHERE i.customer_id OPERATOR(pg_catalog.=) $1";
        case Question::offer_at:
            return "SELECT clientele.decide_offer(%1$s._offer_book(), i.customer, i.segment, i.profile, i.fallback, "
                   "i.as_of, $2)"
                   " FROM %1$s._offer_inputs_at($3) i WHERE i.customer_id OPERATOR(pg_catalog.=) $1";
    }
    return nullptr;
}

View view_of(Question query) {
    switch (query) {
        case Question::segment:
            return View::segments;
        case Question::offer:
            return View::offer_inputs;
        default:
            return View::customers;
    }
}

bool reads_orders(Question query) { return query == Question::segment_at || query == Question::offer_at; }

// Session cache of prepared queries. A plan notices by itself when what it reads changes; one of a dropped or renamed
// store is never asked for again, or made anew.
struct PlanKey {
    Oid settings;
    Question query;
    bool stored;  // over the stored profiles alone
};
struct Plan {
    PlanKey key;
    Oid key_type;
    char schema[NAMEDATALEN];
    SPIPlanPtr prepared;
};
constinit HTAB* plans = nullptr;

HTAB* plan_table() {
    if (!plans) {
        HASHCTL control{};
        control.keysize = sizeof(PlanKey);
        control.entrysize = sizeof(Plan);
        plans = hash_create("clientele look-ups", 16, &control, HASH_ELEM | HASH_BLOBS);
    }
    return plans;
}

Oid key_type_of(const Store& store) {
    const Oid profiles = get_relname_relid("profiles", store.schema);
    const AttrNumber column = OidIsValid(profiles) ? get_attnum(profiles, "customer_id") : InvalidAttrNumber;
    if (column == InvalidAttrNumber) {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("the table \"profiles\" of store \"%s\" is missing", get_namespace_name(store.schema))));
    }
    return get_atttype(profiles, column);
}

SPIPlanPtr prepare(Question query, bool stored, const char* schema, Oid key_type) {
    Oid types[] = {key_type, TEXTOID, TIMESTAMPTZOID};
    const char* text = psprintf(text_of(query), quote_identifier(schema), name_of(view_of(query), stored));
    // The same plan serves every customer; a past as_of reads the orders and is worth planning for itself.
    const int options = reads_orders(query) ? 0 : CURSOR_OPT_GENERIC_PLAN;
    SPIPlanPtr prepared = SPI_prepare_cursor(text, 3, types, options);
    if (!prepared) elog(ERROR, "could not prepare a look-up: %s", SPI_result_code_string(SPI_result));
    SPI_keepplan(prepared);
    return prepared;
}

// Call it connected to SPI.
SPIPlanPtr plan_of(const Store& store, Question query, bool stored) {
    PlanKey key;
    std::memset(&key, 0, sizeof key);
    key.settings = store.settings;
    key.query = query;
    key.stored = stored;
    const char* schema = get_namespace_name(store.schema);
    const Oid key_type = key_type_of(store);
    auto* plan = static_cast<Plan*>(hash_search(plan_table(), &key, HASH_FIND, nullptr));
    if (plan && plan->key_type == key_type && std::strcmp(plan->schema, schema) == 0) return plan->prepared;
    SPIPlanPtr prepared = prepare(query, stored, schema, key_type);
    // The plan of a store's former name may be running at this moment, further out; it is left alone.
    plan = static_cast<Plan*>(hash_search(plan_table(), &key, HASH_ENTER, nullptr));
    plan->key_type = key_type;
    strlcpy(plan->schema, schema, sizeof plan->schema);
    plan->prepared = prepared;
    return prepared;
}

// One look-up: who is asked for, in which store, of what, and when.
struct LookUp {
    Store store;
    Datum customer;
    bool possible;  // false: no such key can exist
    Datum option;   // text: the segmentation or program
    bool option_given;
    TimestampTz as_of;
    bool past;
};

[[noreturn]] void refuse_key(Oid given, Oid key_type) {
    ereport(ERROR,
            (errcode(ERRCODE_DATATYPE_MISMATCH),
             errmsg("the customer keys of this store are %s, not %s", format_type_be(key_type), format_type_be(given)),
             errhint("Pass a value of type %s, or the key as text.", format_type_be(key_type))));
    pg_unreachable();
}

// A bigint as a key of the store's type; false where the type has no such value.
bool key_from_bigint(std::int64_t value, Oid key_type, Datum* key) {
    switch (key_type) {
        case INT8OID:
            *key = Int64GetDatum(value);
            return true;
        case INT4OID:
            *key = Int32GetDatum(static_cast<int32>(value));
            return value >= PG_INT32_MIN && value <= PG_INT32_MAX;
        case INT2OID:
            *key = Int16GetDatum(static_cast<int16>(value));
            return value >= PG_INT16_MIN && value <= PG_INT16_MAX;
        case TEXTOID:
        case VARCHAROID:
            *key = CStringGetTextDatum(psprintf(INT64_FORMAT, value));
            return true;
        default:
            refuse_key(INT8OID, key_type);
    }
}

// A text as a key of the store's type; false where it is a whole number that the type has no room for.
bool key_from_text(Datum value, Oid key_type, Datum* key) {
    if (key_type == TEXTOID || key_type == VARCHAROID) {
        *key = value;
        return true;
    }
    const char* characters = TextDatumGetCString(value);
    if (key_type != UUIDOID) {
        char* end;
        errno = 0;
        const std::int64_t number = std::strtoll(characters, &end, 10);
        if (end != characters && end[std::strspn(end, " \t\n\r\f\v")] == '\0') {
            return errno != ERANGE && key_from_bigint(number, key_type, key);
        }
    }
    Oid input, parameter;
    getTypeInputInfo(key_type, &input, &parameter);
    *key = OidInputFunctionCall(input, const_cast<char*>(characters), parameter, -1);
    return true;
}

bool key_argument(FunctionCallInfo fcinfo, Oid key_type, Datum* key) {
    const Oid given = get_fn_expr_argtype(fcinfo->flinfo, 0);
    switch (given) {
        case INT8OID:
            return key_from_bigint(PG_GETARG_INT64(0), key_type, key);
        case TEXTOID:
            return key_from_text(PG_GETARG_DATUM(0), key_type, key);
        default:
            if (given != key_type && key_type != TEXTOID && key_type != VARCHAROID) refuse_key(given, key_type);
            *key = given == key_type
                       ? PG_GETARG_DATUM(0)
                       : CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(uuid_out, PG_GETARG_DATUM(0))));
            return true;
    }
}

LookUp look_up_arguments(FunctionCallInfo fcinfo) {
    LookUp look_up{};
    look_up.store = resolve_store(PG_ARGISNULL(1) ? nullptr : NameStr(*PG_GETARG_NAME(1)));
    look_up.possible = key_argument(fcinfo, key_type_of(look_up.store), &look_up.customer);
    look_up.option_given = !PG_ARGISNULL(2);
    if (look_up.option_given) look_up.option = PG_GETARG_DATUM(2);
    if (!PG_ARGISNULL(3)) {
        look_up.as_of = PG_GETARG_TIMESTAMPTZ(3);
        look_up.past = look_up.as_of < GetCurrentTransactionStartTimestamp();
    }
    return look_up;
}

// Runs a query and copies its only value to the caller's memory; false where there is no row or it is NULL.
bool fetch(const LookUp& look_up, Question query, bool stored, Datum* result) {
    MemoryContext caller = CurrentMemoryContext;
    SPI_connect();
    Datum values[] = {look_up.customer, look_up.option, TimestampTzGetDatum(look_up.as_of)};
    const char nulls[] = {' ', look_up.option_given ? ' ' : 'n', ' ', '\0'};
    const int code = SPI_execute_plan(plan_of(look_up.store, query, stored), values, nulls, true, 1);
    if (code != SPI_OK_SELECT) elog(ERROR, "a look-up failed: %s", SPI_result_code_string(code));
    bool is_null = true;
    if (SPI_processed > 0) {
        TupleDesc row = SPI_tuptable->tupdesc;
        const Datum value = SPI_getbinval(SPI_tuptable->vals[0], row, 1, &is_null);
        MemoryContext spi = MemoryContextSwitchTo(caller);
        if (!is_null) *result = datumCopy(value, false, -1);
        MemoryContextSwitchTo(spi);
    }
    SPI_finish();
    return !is_null;
}

// One query of a call site of personalized_offer(), kept between its calls within a query.
struct OfferQuery {
    std::uint64_t calls;
    OpenQuery* open;  // from the second call on, where possible
    Oid settings;     // whose store it is
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

void open(OfferQuery& query, const LookUp& look_up, bool stored, MemoryContext lifetime) {
    const Oid types[] = {key_type_of(look_up.store), TEXTOID, TIMESTAMPTZOID};
    const Datum values[] = {look_up.customer, look_up.option, 0};
    SPI_connect();
    query.open = open_query(plan_of(look_up.store, Question::offer, stored), types, values,
                            look_up.option_given ? "  n" : " nn", 3, lifetime);
    SPI_finish();
    query.settings = look_up.store.settings;
    query.program_given = look_up.option_given;
    MemoryContext caller = MemoryContextSwitchTo(lifetime);
    if (query.program_given) query.program = datumCopy(look_up.option, false, -1);
    MemoryContextSwitchTo(caller);
}

bool may_ask_for(const OfferQuery& query, const LookUp& look_up) {
    return query.open && may_ask(*query.open) && query.settings == look_up.store.settings &&
           query.program_given == look_up.option_given &&
           (!query.program_given || datumIsEqual(query.program, look_up.option, false, -1));
}

bool fetch_offer(FunctionCallInfo fcinfo, const LookUp& look_up, Datum* offer) {
    if (look_up.past) return fetch(look_up, Question::offer_at, false, offer);
    const bool stored = stored_suffices(look_up.store, View::offer_inputs, look_up.customer);
    CallSite* site = call_site(fcinfo);
    OfferQuery& query = stored ? site->stored : site->ordinary;
    if (++query.calls == 2) open(query, look_up, stored, fcinfo->flinfo->fn_mcxt);
    if (may_ask_for(query, look_up)) return ask(*query.open, look_up.customer, offer);
    return fetch(look_up, Question::offer, stored, offer);
}

bool is_main(Datum segmentation) {
    const text* name = DatumGetTextPP(segmentation);
    return VARSIZE_ANY_EXHDR(name) == 4 && std::memcmp(VARDATA_ANY(name), "main", 4) == 0;
}

[[noreturn]] void refuse_segmentation(const LookUp& look_up) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("store \"%s\" has no segmentation \"%s\"", get_namespace_name(look_up.store.schema),
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
    const Question query = look_up.past              ? Question::segment_at
                           : is_main(look_up.option) ? Question::main_segment
                                                     : Question::segment;
    Datum segment;
    if (look_up.possible) {
        const bool stored = !look_up.past && stored_suffices(look_up.store, view_of(query), look_up.customer);
        if (fetch(look_up, query, stored, &segment)) return segment;
    }
    if (fetch(look_up, Question::default_segment, false, &segment)) return segment;
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
        if (look_up.possible && fetch_offer(fcinfo, look_up, &offer)) {
            result->isDone = ExprSingleResult;
            return offer;
        }
    }
    result->isDone = ExprEndResult;
    PG_RETURN_NULL();
}
