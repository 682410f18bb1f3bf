#include "live_reversals.hpp"

#include <cstring>

#include "append.hpp"
#include "live_orders.hpp"

extern "C" {
#include "access/genam.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace clientele {
namespace {

constexpr ColumnShape reversal_columns[reversal_width] = {{"exposure_id", INT8OID}, {"noted_at", TIMESTAMPTZOID}};

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
    Oid equals;
    bool by_order;
    TimestampTz now;
    AttrNumber exposure, customer, state, ordered_at, issued_at, valid_until, min_spend;
    Oid customer_type;
};

AttrNumber column_of(Relation ledger, const char* name) {
    const AttrNumber number = get_attnum(RelationGetRelid(ledger), name);
    if (number == InvalidAttrNumber) {
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("the ledger of the store lacks the column \"%s\"", name)));
    }
    return number;
}

// A serializable transaction takes a snapshot that leaves no trace, lest it be failed for what it has read.
Ledger open_ledger(const LiveSource& source, TimestampTz now) {
    Ledger ledger{};
    ledger.table = open_now(source.ledger);
    ledger.by_order = source.has_order_id;
    ledger.index = open_now(ledger.by_order ? source.redeemed : source.by_customer);
    ledger.slot = table_slot_create(ledger.table, nullptr);
    ledger.registered = !IsolationIsSerializable();
    ledger.snapshot = ledger.registered ? RegisterSnapshot(GetLatestSnapshot()) : SnapshotSelf;
    const Oid type = ledger.index->rd_opcintype[0];
    ledger.equals = get_opcode(get_opfamily_member(ledger.index->rd_opfamily[0], type, type, BTEqualStrategyNumber));
    ledger.now = now;
    ledger.exposure = column_of(ledger.table, "exposure_id");
    ledger.customer = column_of(ledger.table, "customer_id");
    ledger.state = column_of(ledger.table, "state");
    ledger.ordered_at = column_of(ledger.table, "ordered_at");
    ledger.issued_at = column_of(ledger.table, "issued_at");
    ledger.valid_until = column_of(ledger.table, "valid_until");
    ledger.min_spend = column_of(ledger.table, "min_spend");
    ledger.customer_type = source.key_type;
    return ledger;
}

void close_ledger(Ledger& ledger) {
    if (ledger.registered) UnregisterSnapshot(ledger.snapshot);
    ExecDropSingleTupleTableSlot(ledger.slot);
    relation_close(ledger.index, NoLock);
    relation_close(ledger.table, NoLock);
}

// A column of the row that is being looked at; NULL reads as 0.
Datum value_of(const Ledger& ledger, AttrNumber column) {
    bool is_null;
    const Datum value = slot_getattr(ledger.slot, column, &is_null);
    return is_null ? 0 : value;
}

bool is_redeemed(const Ledger& ledger) {
    const Datum state = value_of(ledger, ledger.state);
    return state && std::strcmp(TextDatumGetCString(state), "redeemed") == 0;
}

bool same_customer(const Ledger& ledger, Datum customer) {
    bool by_value;
    int16 length;
    get_typlenbyval(ledger.customer_type, &length, &by_value);
    return datumIsEqual(value_of(ledger, ledger.customer), customer, by_value, length);
}

// What clientele._qualifies() says in SQL.
bool qualifies(const Ledger& ledger, const OrderRow& order) {
    return order.counts && same_customer(ledger, order.customer) && order.at <= ledger.now &&
           order.at >= DatumGetTimestampTz(value_of(ledger, ledger.issued_at)) &&
           order.at < DatumGetTimestampTz(value_of(ledger, ledger.valid_until)) &&
           DatumGetBool(DirectFunctionCall2(numeric_ge, order.value, value_of(ledger, ledger.min_spend)));
}

IndexScanDesc begin_scan(const Ledger& ledger) {
#if PG_VERSION_NUM >= 180000
    return index_beginscan(ledger.table, ledger.index, ledger.snapshot, nullptr, 1, 0);
#else
    return index_beginscan(ledger.table, ledger.index, ledger.snapshot, 1, 0);
#endif
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
    IndexScanDesc scan = begin_scan(ledger);
    index_rescan(scan, &key, 1, nullptr, 0);
    while (index_getnext_slot(scan, ForwardScanDirection, ledger.slot)) {
        const bool is_it = is_redeemed(ledger) &&
                           (ledger.by_order || DatumGetTimestampTz(value_of(ledger, ledger.ordered_at)) == order.at);
        if (is_it && !(now && qualifies(ledger, *now))) {
            finding.note(finding.context, value_of(ledger, ledger.exposure));
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
// gone; settling looks again.
void look_at_updated(const LiveSource& source, const TriggerData& trigger, const Ledger& ledger,
                     const Finding& finding) {
    OrderReader* before = read_orders(source, trigger, ledger.now, trigger.tg_oldtable, source.has_order_id);
    OrderReader* after = read_orders(source, trigger, ledger.now, trigger.tg_newtable, source.has_order_id);
    OrderRow old_order;
    OrderRow new_order;
    while (next_order(*before, &old_order)) {
        const bool has_new = next_order(*after, &new_order);
        if (has_new && same_order(*before, old_order, new_order)) continue;
        const bool stays = has_new && same_id(source, *before, old_order, new_order);
        look_up(ledger, old_order, stays ? &new_order : nullptr, finding);
    }
    end_reading(before);
    end_reading(after);
}

// Nobody tells which orders there were.
void look_at_what_is_left(const LiveSource& source, const Finding& finding) {
    if (IsolationIsSerializable()) return;
    SPI_connect();
    const Oid types[] = {NAMEOID};
    const Datum values[] = {DirectFunctionCall1(namein, CStringGetDatum(get_namespace_name(source.schema)))};
    const int result = SPI_execute_with_args("SELECT r FROM clientele._reversed($1, '-infinity') r", 1,
                                             const_cast<Oid*>(types), const_cast<Datum*>(values), nullptr, false, 0);
    if (result != SPI_OK_SELECT) elog(ERROR, "could not look redemptions up: %s", SPI_result_code_string(result));
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
        bool is_null;
        finding.note(finding.context, SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null));
    }
    SPI_finish();
}

}  // namespace

bool has_redemptions(const LiveSource& source) {
    if (!OidIsValid(source.redeemed) || !OidIsValid(source.reversals)) return false;
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
