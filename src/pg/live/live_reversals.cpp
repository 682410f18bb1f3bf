#include "pg/live/live_reversals.hpp"

#include <cstring>

#include "pg/kit/append.hpp"
#include "pg/kit/compat.hpp"
#include "pg/kit/index_shape.hpp"
#include "pg/kit/query.hpp"
#include "pg/kit/zone.hpp"
#include "pg/live/live_orders.hpp"
#include "pg/store/store.hpp"

extern "C" {
#include "access/genam.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"
}

namespace clientele {
namespace {

constexpr ColumnShape reversal_columns[reversal_width] = {{"exposure_id", INT8OID, false},
                                                          {"noted_at", TIMESTAMPTZOID, false}};

// Locks as a reader does, but never waits.
Relation open_now(Oid oid) {
    if (!OidIsValid(oid) || !ConditionalLockRelationOid(oid, AccessShareLock)) {
        ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("the ledger of the store is locked")));
    }
    Relation relation = try_relation_open(oid, NoLock);
    if (!relation) ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("the ledger of the store is missing")));
    return relation;
}

// The ledger, read by an index rather than by a query: that needs no plan, and reads what is committed now, whatever
// the transaction's snapshot shows.
struct Ledger {
    Relation table;
    Relation index;
    TupleTableSlot* slot;
    Snapshot snapshot;
    bool registered;
    RegProcedure equals;
    bool by_order;
    const Zone* zone;  // of dates; nullptr where order times are instants
    TimestampTz now;
    AttrNumber exposure, customer, order, state, ordered_at, issued_at, valid_until, min_spend;
    Oid customer_type;
};

// Text where the orders have no ids.
Oid order_type_of(const LiveSource& source) {
    return source.has_order_id ? exprType(static_cast<Node*>(list_nth(source.columns, 3))) : TEXTOID;
}

// What the ledger is read by has to be of the types that it was created with: nothing else looks at them.
AttrNumber column_of(Relation ledger, const char* name, Oid type) {
    const AttrNumber column = clientele::column_of(RelationGetRelid(ledger), name, type);
    if (column == InvalidAttrNumber || ledger->rd_rel->relkind != RELKIND_RELATION) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the ledger of the store is not a table with a column \"%s\" of type %s", name,
                               format_type_be(type))));
    }
    return column;
}

// Its indexes may have been dropped in the meantime, or be missing: see learn_indexes().
Relation open_index(Oid oid, Relation ledger, AttrNumber column) {
    Relation index = OidIsValid(oid) ? open_now(oid) : nullptr;
    if (!index || !is_btree_over(index, ledger, column)) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the ledger of the store lacks an index that it was created with")));
    }
    return index;
}

// state = 'redeemed', which the index of redemptions is restricted to.
List* redeemed_clause(AttrNumber state) {
    auto* column = makeVar(1, state, TEXTOID, -1, DEFAULT_COLLATION_OID, 0);
    auto* value = makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1, CStringGetTextDatum("redeemed"), false, false);
    return list_make1(make_opclause(TextEqualOperator, BOOLOID, false, reinterpret_cast<Expr*>(column),
                                    reinterpret_cast<Expr*>(value), InvalidOid, DEFAULT_COLLATION_OID));
}

// Finds the indexes on the order and on the customer that have every redemption; InvalidOid where there is none. False
// where one is locked.
bool learn_indexes(LiveSource& source, Relation ledger) {
    const Oid oid = RelationGetRelid(ledger);
    const AttrNumber order = clientele::column_of(oid, "order_id", order_type_of(source));
    const AttrNumber customer = clientele::column_of(oid, "customer_id", source.key_type);
    const AttrNumber state = clientele::column_of(oid, "state", TEXTOID);
    if (ledger->rd_rel->relkind != RELKIND_RELATION || state == InvalidAttrNumber) return true;
    List* redeemed = redeemed_clause(state);
    ListCell* cell;
    foreach (cell, RelationGetIndexList(ledger)) {
        if (!ConditionalLockRelationOid(lfirst_oid(cell), AccessShareLock)) return false;
        Relation index = try_relation_open(lfirst_oid(cell), NoLock);
        if (!index) return false;
        const bool by_order = is_btree_over(index, ledger, order);
        if ((by_order || is_btree_over(index, ledger, customer)) &&
            predicate_implied_by(RelationGetIndexPredicate(index), redeemed, false)) {
            (by_order ? source.redeemed : source.by_customer) = lfirst_oid(cell);
        }
        relation_close(index, NoLock);
    }
    return true;
}

// False where somebody has locked the ledger.
bool learn_ledger(LiveSource& source) {
    if (!ConditionalLockRelationOid(source.ledger, AccessShareLock)) return false;
    Relation ledger = try_relation_open(source.ledger, NoLock);
    if (!ledger) return false;
    source.ledger_known = true;  // before, so that a change meanwhile is not lost
    source.redeemed = source.by_customer = InvalidOid;
    if (!learn_indexes(source, ledger)) source.ledger_known = false;
    relation_close(ledger, NoLock);
    return source.ledger_known;
}

// A serializable transaction takes a snapshot that leaves no trace, lest it be failed for what it has read.
Ledger open_ledger(const LiveSource& source, TimestampTz now) {
    Ledger ledger{};
    ledger.table = open_now(source.ledger);
    ledger.by_order = source.has_order_id;
    ledger.exposure = column_of(ledger.table, "exposure_id", INT8OID);
    ledger.customer = column_of(ledger.table, "customer_id", source.key_type);
    ledger.order = column_of(ledger.table, "order_id", order_type_of(source));
    ledger.state = column_of(ledger.table, "state", TEXTOID);
    ledger.ordered_at = column_of(ledger.table, "ordered_at", TIMESTAMPTZOID);
    ledger.issued_at = column_of(ledger.table, "issued_at", TIMESTAMPTZOID);
    ledger.valid_until = column_of(ledger.table, "valid_until", TIMESTAMPTZOID);
    ledger.min_spend = column_of(ledger.table, "min_spend", NUMERICOID);
    ledger.index = ledger.by_order ? open_index(source.redeemed, ledger.table, ledger.order)
                                   : open_index(source.by_customer, ledger.table, ledger.customer);
    ledger.equals = equality_of(ledger.index);
    ledger.slot = table_slot_create(ledger.table, nullptr);
    ledger.registered = !IsolationIsSerializable();
    ledger.snapshot = ledger.registered ? RegisterSnapshot(GetLatestSnapshot()) : SnapshotSelf;
    ledger.now = now;
    ledger.zone = source.has_local_times ? source.zone : nullptr;
    ledger.customer_type = source.key_type;
    return ledger;
}

void close_ledger(Ledger& ledger) {
    if (ledger.registered) UnregisterSnapshot(ledger.snapshot);
    ExecDropSingleTupleTableSlot(ledger.slot);
    relation_close(ledger.index, NoLock);
    relation_close(ledger.table, NoLock);
}

// A column of the row that is being looked at; false where it is NULL, whatever constraints there were.
bool read(const Ledger& ledger, AttrNumber column, Datum* value) {
    bool is_null;
    *value = slot_getattr(ledger.slot, column, &is_null);
    return !is_null;
}

bool is_redeemed(const Ledger& ledger) {
    Datum state;
    return read(ledger, ledger.state, &state) && std::strcmp(TextDatumGetCString(state), "redeemed") == 0;
}

bool was_ordered_at(const Ledger& ledger, TimestampTz at) {
    Datum ordered_at;
    return read(ledger, ledger.ordered_at, &ordered_at) && DatumGetTimestampTz(ordered_at) == at;
}

bool same_customer(const Ledger& ledger, Datum customer) {
    Datum its;
    if (!read(ledger, ledger.customer, &its)) return false;
    bool by_value;
    int16 length;
    get_typlenbyval(ledger.customer_type, &length, &by_value);
    return datumIsEqual(its, customer, by_value, length);
}

// What clientele._placed_since() says in SQL.
bool placed_since(const Ledger& ledger, Instant at, Instant since) {
    return at >= since || (ledger.zone && at == day_start(since, *ledger.zone));
}

// What clientele._reaches() says of the time in SQL.
bool in_time(const Ledger& ledger, Instant at) {
    Datum issued_at;
    Datum valid_until;
    return at <= ledger.now && read(ledger, ledger.issued_at, &issued_at) &&
           placed_since(ledger, at, DatumGetTimestampTz(issued_at)) && read(ledger, ledger.valid_until, &valid_until) &&
           at < DatumGetTimestampTz(valid_until);
}

// What clientele._still_qualifies() says in SQL: an order that is known by its id may have become another customer's,
// and was in time if it is dated as it was.
bool still_qualifies(const Ledger& ledger, const OrderRow& order) {
    Datum min_spend;
    return order.counts &&
           (ledger.by_order ? was_ordered_at(ledger, order.at) || in_time(ledger, order.at)
                            : same_customer(ledger, order.customer) && in_time(ledger, order.at)) &&
           read(ledger, ledger.min_spend, &min_spend) &&
           DatumGetBool(DirectFunctionCall2(numeric_ge, order.value, min_spend));
}

struct Finding {
    void (*note)(void* context, Datum exposure);
    void* context;
};

// The redemption by an order, if it no longer qualifies as it is now (nullptr: it is gone).
void look_up(const Ledger& ledger, const OrderRow& order, const OrderRow* now, const Finding& finding) {
    if (!order.counts || (ledger.by_order && !order.has_order)) return;
    ScanKeyData key;
    ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid, ledger.index->rd_indcollation[0],
                           ledger.equals, ledger.by_order ? order.order : order.customer);
    IndexScanDesc scan = begin_index_scan(ledger.table, ledger.index, ledger.snapshot);
    index_rescan(scan, &key, 1, nullptr, 0);
    while (index_getnext_slot(scan, ForwardScanDirection, ledger.slot)) {
        const bool is_it = is_redeemed(ledger) && (ledger.by_order || was_ordered_at(ledger, order.at));
        Datum exposure;
        if (is_it && !(now && still_qualifies(ledger, *now)) && read(ledger, ledger.exposure, &exposure)) {
            finding.note(finding.context, exposure);
        }
    }
    index_endscan(scan);
}

bool same_id(const LiveSource& source, const OrderReader& reader, const OrderRow& a, const OrderRow& b) {
    if (!source.has_order_id) return true;  // rows before and after come in the same order
    OrderRow with_same_customer = b;
    with_same_customer.has_customer = a.has_customer;
    with_same_customer.customer = a.customer;
    return same_hands(reader, a, with_same_customer);
}

void look_at_deleted(const LiveSource& source, const TriggerData& trigger, const Ledger& ledger,
                     const Finding& finding) {
    OrderReader* reader = read_orders(source, trigger, ledger.now, trigger.tg_oldtable, source.has_order_id);
    OrderRow order;
    while (next_order(*reader, &order)) look_up(ledger, order, nullptr, finding);
    end_reading(reader);
}

// An order that does not stand where it stood before (a trigger suppressed a row, or its id was changed) is taken for
// gone; settling looks again. As it does at orders of which nothing is known.
void look_at_updated(const LiveSource& source, const TriggerData& trigger, const Ledger& ledger,
                     const Finding& finding) {
    OrderReader* before = read_orders(source, trigger, ledger.now, trigger.tg_oldtable, source.has_order_id);
    OrderReader* after = read_orders(source, trigger, ledger.now, trigger.tg_newtable, source.has_order_id);
    OrderRow old_order;
    OrderRow new_order;
    while (next_order(*before, &old_order)) {
        const bool has_new = next_order(*after, &new_order);
        if (has_new && (new_order.incomplete || same_order(*before, old_order, new_order))) continue;
        const bool stays = has_new && same_id(source, *before, old_order, new_order);
        look_up(ledger, old_order, stays ? &new_order : nullptr, finding);
    }
    end_reading(before);
    end_reading(after);
}

// Nobody tells which orders there were.
void look_at_what_is_left(const LiveSource& source, const Finding& finding) {
    if (IsolationIsSerializable()) return;
    begin_queries();
    const std::uint64_t count = run_query("SELECT r FROM clientele._reversed($1, '-infinity') r",
                                          {{NAMEOID, name_datum(schema_name(source.schema))}});
    for (std::uint64_t i = 0; i < count; ++i) {
        const NullableDatum exposure = result_value(i, 1);
        if (!exposure.isnull) finding.note(finding.context, exposure.value);
    }
    end_queries();
}

}  // namespace

bool has_redemptions(LiveSource& source) {
    if (!OidIsValid(source.ledger) || !OidIsValid(source.reversals)) return false;
    if (!source.ledger_known && !learn_ledger(source)) return false;  // settling looks again
    if (!OidIsValid(source.redeemed)) return true;
    if (!ConditionalLockRelationOid(source.redeemed, AccessShareLock)) return false;  // settling looks again
    Relation index = try_relation_open(source.redeemed, NoLock);
    if (!index) return false;
    // An index has a root from its first row on.
    const bool found = RelationGetNumberOfBlocks(index) > 1;
    relation_close(index, NoLock);
    return found;
}

Relation open_reversals(const LiveSource& source) {
    Relation reversals = open_table_now(source.reversals);
    check_appendable(reversals, reversal_columns, reversal_width);
    return reversals;
}

void find_reversals(const LiveSource& source, const TriggerData& trigger, TimestampTz now,
                    void (*note)(void* context, Datum exposure), void* context) {
    const Finding finding{note, context};
    if (TRIGGER_FIRED_BY_TRUNCATE(trigger.tg_event)) return look_at_what_is_left(source, finding);
    Ledger ledger = open_ledger(source, now);
    if (TRIGGER_FIRED_BY_DELETE(trigger.tg_event)) {
        look_at_deleted(source, trigger, ledger, finding);
    } else {
        look_at_updated(source, trigger, ledger, finding);
    }
    close_ledger(ledger);
}

}  // namespace clientele
