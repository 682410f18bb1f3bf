#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "pg/kit/query.hpp"
#include "pg/kit/row.hpp"
#include "pg/kit/session_cache.hpp"
#include "pg/lookup/lookup.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace clientele {
namespace {

// Session cache of prepared queries. A plan notices by itself when what it reads changes; one of a renamed store is
// made anew, and those of a dropped one go when the next query is prepared.
struct PlanKey {
    Oid settings;
    std::uint32_t stored;  // 1: over the stored profiles alone
    const StoreQuery* query;
};
struct Plan {
    PlanKey key;
    Oid key_type;
    int columns;
    char schema[NAMEDATALEN];
    SPIPlanPtr prepared;
};
// Plans that nobody will ask for again. They may be running at this moment, further out: a view that a look-up reads
// can call a function that drops its store, and looks up in another one. Hence they go when the transaction ends.
constinit List* superseded = NIL;

void free_superseded(XactEvent event, void*) {
    if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE) return;
    ListCell* cell;
    foreach (cell, superseded) SPI_freeplan(static_cast<SPIPlanPtr>(lfirst(cell)));
    list_free(superseded);
    superseded = NIL;
}

void supersede(SPIPlanPtr plan) {
    MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
    superseded = lappend(superseded, plan);
    MemoryContextSwitchTo(caller);
}

constinit SessionCache<Plan> plans("clientele look-ups", [] { RegisterXactCallback(free_superseded, nullptr); });

void supersede_plans_of_dropped_stores() {
    plans.each([](const Plan& plan) {
        if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(plan.key.settings))) return;
        supersede(plan.prepared);
        plans.remove(plan.key);
    });
}

int column_count(Oid relation) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) return 0;
    const int count = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relnatts;
    ReleaseSysCache(tuple);
    return count;
}

// What is written in SQL names the columns of the ledger and of the type that shows it, to which a release may add
// some.
int columns_of(const StoreQuery& query, const Store& store) {
    if (!query.written_in_sql) return 0;
    return column_count(get_relname_relid("ledger", store.schema)) +
           column_count(get_typ_typrelid(type_of_ours("issued_offer")));
}

const char* text_of(const StoreQuery& query, bool stored, const char* schema) {
    if (!query.written_in_sql) return psprintf(query.text, quote_identifier(schema), name_of(query.view, stored));
    const char* call = psprintf("SELECT clientele.%s(%s)", query.text, quote_literal_cstr(schema));
    run_query(call, {}, Reads::as_its_caller, 1);
    return result_text(0, 1);
}

SPIPlanPtr prepare(const StoreQuery& query, bool stored, const char* schema, Oid key_type, int more, const Oid* types) {
    Oid all[8] = {key_type};
    Assert(more < static_cast<int>(lengthof(all)));
    std::memcpy(all + 1, types, sizeof(Oid) * more);
    const char* text = text_of(query, stored, schema);
    // The same plan serves every customer.
    return prepare_query(text, {all, static_cast<std::size_t>(more) + 1},
                         query.every_time ? 0 : CURSOR_OPT_GENERIC_PLAN);
}

// Who drops a table that a store reads drops its views and functions along with it.
bool has_view(const Store& store, View view) {
    return OidIsValid(get_relname_relid(name_of(view, false), store.schema));
}

bool looks_back(const Store& store) {
    const Oid argument = TIMESTAMPTZOID;
    return SearchSysCacheExists3(PROCNAMEARGSNSP, CStringGetDatum("_profiles_at"),
                                 PointerGetDatum(buildoidvector(&argument, 1)), ObjectIdGetDatum(store.schema));
}

void require_sources(const Store& store, const StoreQuery& query) {
    if (query.view == View::none) return;
    if (has_view(store, query.view) && (!query.every_time || looks_back(store))) return;
    run_query("SELECT clientele._refuse_lost($1)", {{NAMEOID, name_datum(schema_name(store.schema))}},
              Reads::as_its_caller);
}

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

}  // namespace

Oid key_type_of(const Store& store) {
    const Oid profiles = get_relname_relid("profiles", store.schema);
    const AttrNumber column = OidIsValid(profiles) ? get_attnum(profiles, "customer_id") : InvalidAttrNumber;
    if (column == InvalidAttrNumber) {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("the table \"profiles\" of store \"%s\" is missing", schema_name(store.schema))));
    }
    return get_atttype(profiles, column);
}

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

SPIPlanPtr plan_of(const Store& store, Oid key_type, const StoreQuery& query, bool stored, int more, const Oid* types) {
    require_sources(store, query);
    const PlanKey key = {store.settings, stored, &query};
    const char* schema = schema_name(store.schema);
    const int columns = columns_of(query, store);
    const Plan* known = plans.find(key);
    if (known && known->key_type == key_type && known->columns == columns && std::strcmp(known->schema, schema) == 0) {
        return known->prepared;
    }
    supersede_plans_of_dropped_stores();
    SPIPlanPtr prepared = prepare(query, stored, schema, key_type, more, types);
    Plan& plan = plans.get(key);
    if (plan.prepared) supersede(plan.prepared);  // under the store's name until now, or of another release
    plan.key_type = key_type;
    plan.columns = columns;
    strlcpy(plan.schema, schema, sizeof plan.schema);
    plan.prepared = prepared;
    return prepared;
}

NullableDatum look_up(const Store& store, Oid key_type, const StoreQuery& query, bool stored, Datum key,
                      std::span<const Parameter> more, Oid type) {
    MemoryContext caller = CurrentMemoryContext;
    begin_queries();
    Oid types[8];
    NullableDatum parameters[8] = {known_datum(key)};
    Assert(more.size() < lengthof(parameters));
    const int count = static_cast<int>(more.size());
    for (int index = 0; index < count; ++index) {
        types[index] = more[index].type;
        parameters[index + 1] = more[index].value;
    }
    SPIPlanPtr plan = plan_of(store, key_type, query, stored, count, types);
    const bool found = run_prepared(plan, {parameters, more.size() + 1}, Reads::as_its_caller, 1) > 0;
    check_result(store, result_columns(), &type, 1);
    const NullableDatum value = found ? kept_in(caller, result_value(0, 1), false, -1) : null_datum;
    end_queries();
    return value;
}

// Who drops a table that the store reads drops its views along with it.
bool warns_of_no_offers(const Store& store) {
    const bool detached = is_detached(store);
    if (!detached && OidIsValid(get_relname_relid("_offer_inputs", store.schema))) return false;
    ereport(WARNING,
            (errcode(ERRCODE_WARNING), errmsg("store \"%s\" %s, so there are no offers", schema_name(store.schema),
                                              detached ? "is detached" : "has lost a table that it reads")));
    return true;
}

}  // namespace clientele
