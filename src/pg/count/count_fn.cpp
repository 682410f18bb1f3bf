// clientele._count_profiles(store, as_of): the full count of a store's orders. src/sql/44-count.sql says what it is
// for.
#include <cstdint>
#include <cstring>

#include "pg/count/count_progress.hpp"
#include "pg/count/order_groups.hpp"
#include "pg/kit/query.hpp"
#include "pg/kit/row.hpp"
#include "pg/kit/zone.hpp"
#include "pg/profile/order_input.hpp"
#include "pg/store/store.hpp"

extern "C" {
#include "executor/executor.h"
#include "executor/tstoreReceiver.h"
}

using namespace clientele;

constinit CountProgress clientele::count_progress = nullptr;
constinit std::int64_t clientele::orders_left_out = -1;

namespace {

// What is counted, into which rows.
struct Count {
    const char* store;
    const char* schema;  // its name, quoted
    Oid key_type;
    const Zone* zone;
    bool has_ties;      // orders of one day are ranked by their ids
    TimestampTz until;  // later orders are still to come
    bool long_keys;     // they, and ids, may be longer than an index can take
    bool long_ids;
};

Oid column_type(Oid relation, AttrNumber column, Oid* collation) {
    Oid type;
    int32 modifier;
    get_atttypetypmodcoll(relation, column, &type, &modifier, collation);
    return type;
}

// The column customer_id of one of the store's relations.
Oid key_column(const Store& store, const char* name, Oid* collation) {
    const Oid relation = get_relname_relid(name, store.schema);
    const AttrNumber column = OidIsValid(relation) ? get_attnum(relation, "customer_id") : InvalidAttrNumber;
    if (column == InvalidAttrNumber) {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("\"%s\" of store \"%s\" is missing", name, schema_name(store.schema))));
    }
    return column_type(relation, column, collation);
}

bool has_long_ids(const Store& store) {
    const Oid rows = get_relname_relid("_order_rows", store.schema);
    const AttrNumber column = get_attnum(rows, "order_id");
    return column != InvalidAttrNumber && get_typlen(get_atttype(rows, column)) == -1;
}

void check_result_columns(TupleDesc columns, Oid key_type) {
    if (columns->natts == 2 && TupleDescAttr(columns, 0)->atttypid == key_type &&
        TupleDescAttr(columns, 1)->atttypid == type_of_ours("order_profile")) {
        return;
    }
    ereport(ERROR,
            (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("wrong column definition list for _count_profiles"),
             errhint("Write: AS c(customer_id %s, profile clientele.order_profile).", format_type_be(key_type))));
}

// Call it connected to SPI.
void read_settings(Count& count) {
    const char* query = psprintf("SELECT time_zone, clientele._has_ties(%s) FROM %s.settings",
                                 quote_literal_cstr(count.store), count.schema);
    const char* name = run_query(query, {}, Reads::as_its_caller, 2) == 1 ? result_text(0, 1) : nullptr;
    if (!name) elog(ERROR, "the settings of store %s are not one row", count.schema);
    count.zone = &find_zone(name, std::strlen(name));
    count.has_ties = DatumGetBool(result_value(0, 2).value);
}

// Call it connected to SPI. Parallel workers may scan; nothing is materialised on the way to the receiver.
void run_into(const char* query, DestReceiver* receiver, ParamListInfo parameters) {
    SPIExecuteOptions options{};
    options.params = parameters;
    options.read_only = true;  // under the caller's snapshot
    options.dest = receiver;
    const int code = SPI_execute_extended(query, &options);
    if (code != SPI_OK_SELECT) elog(ERROR, "could not count the orders: %s", SPI_result_code_string(code));
}

// The executor hands it each order.
struct OrderReceiver {
    DestReceiver base;  // must come first
    const Count* count;
    OrderGroups* groups;
    Oid id_type;  // where there are ties
    std::int64_t rows;
};

void check_orders(DestReceiver* self, int, TupleDesc columns) {
    auto& receiver = *reinterpret_cast<OrderReceiver*>(self);
    const Oid types[] = {receiver.count->key_type, TIMESTAMPTZOID, NUMERICOID};
    if (receiver.count->has_ties) receiver.id_type = TupleDescAttr(columns, 3)->atttypid;
    for (int i = 0; i < 3; ++i) {
        const Oid found = TupleDescAttr(columns, i)->atttypid;
        if (found == types[i]) continue;
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("column \"%s\" of the store's orders is %s, not %s",
                                                                   NameStr(TupleDescAttr(columns, i)->attname),
                                                                   format_type_be(found), format_type_be(types[i]))));
    }
}

void report(const OrderReceiver& receiver) {
    if (count_progress) count_progress(receiver.rows);
}

// What no profile can take, or no index. The view _orders leaves the same out.
bool is_left_out(const Count& count, const TupleTableSlot& slot, TimestampTz at, const Scaled& amount) {
    return !is_countable(at) || amount.kind != NumericKind::finite ||
           (count.long_keys && !fits_index(slot.tts_values[0])) ||
           (count.long_ids && !slot.tts_isnull[3] && !fits_index(slot.tts_values[3]));
}

// Whoever stored an amount or key out of line has it expanded here, for one row at a time.
Datum expanded(Datum datum) {
    return PointerGetDatum(pg_detoast_datum_packed(reinterpret_cast<varlena*>(DatumGetPointer(datum))));
}

bool receive_order(TupleTableSlot* slot, DestReceiver* self) {
    auto& receiver = *reinterpret_cast<OrderReceiver*>(self);
    if (++receiver.rows % rows_a_report == 0) report(receiver);
    slot_getallattrs(slot);
    if (slot->tts_isnull[0] || slot->tts_isnull[1] || slot->tts_isnull[2]) return true;
    const TimestampTz at = DatumGetTimestampTz(slot->tts_values[1]);
    if (at > receiver.count->until && is_countable(at)) return true;
    const Datum amount = expanded(slot->tts_values[2]);
    const Scaled value = read_numeric(amount);
    if (unlikely(is_left_out(*receiver.count, *slot, at, value))) {
        ++orders_left_out;
    } else {
        const bool has_tie = receiver.count->has_ties && !slot->tts_isnull[3];
        add_order(*receiver.groups, slot->tts_values[0], at, value,
                  has_tie ? tie_of(at, *receiver.count->zone, receiver.id_type, slot->tts_values[3]) : no_tie);
    }
    if (amount != slot->tts_values[2]) pfree(DatumGetPointer(amount));
    return true;
}

void ignore(DestReceiver*) {}

void put_groups(OrderGroups& groups, ReturnSetInfo* result) {
    Datum values[2];
    const bool nulls[] = {false, false};
    while (next_group(groups, &values[0], &values[1])) {
        tuplestore_putvalues(result->setResult, result->setDesc, values, const_cast<bool*>(nulls));
    }
}

void count_by_bytes(const Count& count, ReturnSetInfo* result) {
    OrderReceiver receiver{};
    receiver.base = {receive_order, check_orders, ignore, ignore, DestTuplestore};
    receiver.count = &count;
    receiver.groups = begin_groups(count.key_type, *count.zone, static_cast<std::int64_t>(get_hash_memory_limit()));
    orders_left_out = 0;
    run_into(psprintf("SELECT customer_id, ordered_at, amount%s FROM %s._order_rows",
                      count.has_ties || count.long_ids ? ", order_id" : "", count.schema),
             &receiver.base, nullptr);
    report(receiver);
    put_groups(*receiver.groups, result);
    end_groups(receiver.groups);
}

// Keys that differ in their bytes and yet are equal are left to the database.
void count_by_collation(const Count& count, ReturnSetInfo* result) {
    DestReceiver* receiver = CreateTuplestoreDestReceiver();
    SetTuplestoreDestReceiverParams(receiver, result->setResult, result->econtext->ecxt_per_query_memory, false,
                                    result->setDesc, "the store's orders have other keys than its profiles");
    ParamListInfo parameters = makeParamList(1);
    parameters->params[0] = {TimestampTzGetDatum(count.until), false, PARAM_FLAG_CONST, TIMESTAMPTZOID};
    const char* zone = quote_literal_cstr(count.zone->name);
    const char* tie = count.has_ties ? psprintf(", clientele._tie(ordered_at, %s, order_id)", zone) : "";
    run_into(psprintf("SELECT customer_id, clientele.order_profile(ordered_at, amount, %1$s%2$s) FROM %3$s._orders"
                      " WHERE ordered_at OPERATOR(pg_catalog.<=) $1 GROUP BY customer_id"
                      " HAVING clientele.order_profile(ordered_at, amount, %1$s%2$s) IS NOT NULL",
                      zone, tie, count.schema),
             receiver, parameters);
    receiver->rDestroy(receiver);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_count_profiles) {
    const Store store = resolve_store(NameStr(*PG_GETARG_NAME(0)));
    Oid collation;
    Count count{};
    count.store = schema_name(store.schema);
    count.schema = quote_identifier(count.store);
    count.key_type = key_column(store, "profiles", &collation);
    count.until = PG_NARGS() < 2 ? GetCurrentTimestamp() : PG_GETARG_TIMESTAMPTZ(1);
    key_column(store, "_order_rows", &collation);
    count.long_keys = get_typlen(count.key_type) == -1;
    count.long_ids = has_long_ids(store);
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    check_result_columns(result->setDesc, count.key_type);
    orders_left_out = -1;
    begin_queries();
    read_settings(count);
    if (can_group(count.key_type) && (!OidIsValid(collation) || get_collation_isdeterministic(collation))) {
        count_by_bytes(count, result);
    } else {
        count_by_collation(count, result);
    }
    end_queries();
    PG_RETURN_NULL();
}
