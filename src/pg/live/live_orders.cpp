#include "pg/live/live_orders.hpp"

#include "pg/profile/order_input.hpp"

extern "C" {
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"
}

namespace clientele {

struct OrderReader {
    Tuplestorestate* rows;
    int pointer;
    TupleTableSlot* slot;
    ExprContext* context;
    ExprState* filter;
    ExprState* columns[4];
    TypeCacheEntry* key;
    TypeCacheEntry* order_key;  // where order ids are asked for
    const List* generated;      // columns that may be missing
    bool may_lack_customer;
    bool may_lack_time;
    Oid tie_type;  // of the ids, where orders have ties
    const Zone* zone;
    TimestampTz now;
};

namespace {

// Evaluates one column; false where it is NULL.
bool column(OrderReader& reader, int which, Datum* value) {
    bool is_null;
    *value = ExecEvalExpr(reader.columns[which], reader.context, &is_null);
    return !is_null;
}

Tie tie_of_row(OrderReader& reader, Instant at) {
    Datum id;
    return OidIsValid(reader.tie_type) && column(reader, 3, &id) ? tie_of(at, *reader.zone, reader.tie_type, id)
                                                                 : no_tie;
}

bool same_value(const TypeCacheEntry& type, bool has_a, Datum a, bool has_b, Datum b) {
    return has_a == has_b && (!has_a || datumIsEqual(a, b, type.typbyval, type.typlen));
}

bool reads_any(Node* expression, const List* columns) {
    ListCell* cell;
    foreach (cell, pull_var_clause(expression, 0)) {
        if (list_member_int(columns, lfirst_node(Var, cell)->varattno)) return true;
    }
    return false;
}

// Rows before a change come from where they are stored, and are complete.
void expect_missing(OrderReader& reader, const LiveSource& source) {
    reader.generated = source.generated;
    reader.may_lack_customer = reads_any(static_cast<Node*>(linitial(source.columns)), source.generated);
    reader.may_lack_time = reads_any(static_cast<Node*>(lsecond(source.columns)), source.generated);
}

// A column that is there may be NULL, too: then the customer is counted anew for nothing.
bool lacks_any(const OrderReader& reader) {
    ListCell* cell;
    foreach (cell, reader.generated) {
        if (slot_attisnull(reader.slot, lfirst_int(cell))) return true;
    }
    return false;
}

void read_incomplete(OrderReader& reader, OrderRow* row) {
    Datum at;
    const bool has_time = column(reader, 1, &at);
    if (has_time) row->at = DatumGetTimestampTz(at);
    row->incomplete = true;
    row->unknown = (!row->has_customer && reader.may_lack_customer) || (!has_time && reader.may_lack_time);
}

void read_complete(OrderReader& reader, OrderRow* row) {
    Datum at;
    row->counts = ExecQual(reader.filter, reader.context) && column(reader, 1, &at) && column(reader, 2, &row->value);
    if (!row->counts) return;
    row->at = DatumGetTimestampTz(at);
    checked_instant(row->at);
    row->amount = checked_amount(row->value);
    row->tie = tie_of_row(reader, row->at);
}

}  // namespace

OrderReader* read_orders(const LiveSource& source, const TriggerData& trigger, TimestampTz now, Tuplestorestate* rows,
                         bool with_order_ids) {
    auto* reader = static_cast<OrderReader*>(palloc0(sizeof(OrderReader)));
    reader->now = now;
    reader->rows = rows;
    reader->pointer = tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND);
    tuplestore_select_read_pointer(rows, reader->pointer);
    tuplestore_rescan(rows);
    reader->slot = MakeSingleTupleTableSlot(RelationGetDescr(trigger.tg_relation), &TTSOpsMinimalTuple);
    reader->context = CreateStandaloneExprContext();
    reader->context->ecxt_scantuple = reader->slot;
    reader->filter = ExecInitQual(source.filter, nullptr);
    for (int i = 0; i < list_length(source.columns); ++i) {
        reader->columns[i] = ExecInitExpr(static_cast<Expr*>(list_nth(source.columns, i)), nullptr);
    }
    if (source.generated && rows == trigger.tg_newtable) expect_missing(*reader, source);
    reader->key = lookup_type_cache(source.key_type, 0);
    reader->zone = source.zone;
    if (source.has_order_id && source.has_local_times) {
        reader->tie_type = exprType(static_cast<Node*>(list_nth(source.columns, 3)));
    }
    if (with_order_ids) {
        reader->order_key = lookup_type_cache(exprType(static_cast<Node*>(list_nth(source.columns, 3))), 0);
    }
    return reader;
}

bool next_order(OrderReader& reader, OrderRow* row) {
    tuplestore_select_read_pointer(reader.rows, reader.pointer);
    if (!tuplestore_gettupleslot(reader.rows, true, false, reader.slot)) return false;
    CHECK_FOR_INTERRUPTS();
    ResetExprContext(reader.context);
    MemoryContext caller = MemoryContextSwitchTo(reader.context->ecxt_per_tuple_memory);
    *row = {};
    row->has_customer = column(reader, 0, &row->customer);
    if (reader.order_key) row->has_order = column(reader, 3, &row->order);
    lacks_any(reader) ? read_incomplete(reader, row) : read_complete(reader, row);
    MemoryContextSwitchTo(caller);
    return true;
}

void end_reading(OrderReader* reader) {
    ExecDropSingleTupleTableSlot(reader->slot);
    FreeExprContext(reader->context, true);
}

bool same_hands(const OrderReader& reader, const OrderRow& a, const OrderRow& b) {
    return same_value(*reader.key, a.has_customer, a.customer, b.has_customer, b.customer) &&
           (!reader.order_key || same_value(*reader.order_key, a.has_order, a.order, b.has_order, b.order));
}

bool same_order(const OrderReader& reader, const OrderRow& a, const OrderRow& b) {
    if (a.incomplete || b.incomplete || a.counts != b.counts || !same_hands(reader, a, b)) return false;
    return !a.counts ||
           (a.at == b.at && a.amount.value == b.amount.value && a.amount.scale == b.amount.scale && a.tie == b.tie);
}

}  // namespace clientele
