// Reading a table of somebody whom the caller need not trust, without running any of that somebody's code.
//
// A query would: a policy, a rule, the constant in an index, a cast or the output of a column's type are the owner's,
// and run as whoever reads. So nothing is planned here. The table is locked, then looked at, by its oid; its rows come
// straight from where they are stored.
#include <cstring>

#include "pg/kit/compat.hpp"
#include "pg/store/store.hpp"

extern "C" {
#include "access/relation.h"
#include "access/tableam.h"
#include "access/xlog.h"
#include "catalog/pg_class.h"
#include "executor/tuptable.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"
}

using namespace clientele;

namespace {

// A virtual column is computed when it is read, by whatever its owner made of it.
constexpr char virtual_column = 'v';

// The column of that name and type; InvalidAttrNumber where there is none.
AttrNumber stored_column(Relation table, const FormData_pg_attribute& wanted) {
    TupleDesc columns = RelationGetDescr(table);
    for (int i = 0; i < columns->natts; ++i) {
        const FormData_pg_attribute& column = *TupleDescAttr(columns, i);
        if (column.attisdropped || std::strcmp(NameStr(column.attname), NameStr(wanted.attname)) != 0) continue;
        const bool fits = column.atttypid == wanted.atttypid && column.attgenerated != virtual_column;
        return fits ? column.attnum : InvalidAttrNumber;
    }
    return InvalidAttrNumber;
}

bool is_plain(Relation table, TupleDesc columns) {
    const FormData_pg_class& form = *table->rd_rel;
    // A standby has no rows of unlogged tables, not even an empty file.
    const bool is_stored = form.relpersistence == RELPERSISTENCE_PERMANENT ||
                           (form.relpersistence == RELPERSISTENCE_UNLOGGED && !RecoveryInProgress());
    if (form.relkind != RELKIND_RELATION || !is_stored || form.relrowsecurity) return false;
    for (int i = 0; i < columns->natts; ++i) {
        if (stored_column(table, *TupleDescAttr(columns, i)) == InvalidAttrNumber) return false;
    }
    return true;
}

bool may_read(Relation table) {
    return may_use_schema(RelationGetNamespace(table)) &&
           pg_class_aclcheck(RelationGetRelid(table), GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

// Why a table cannot be read.
struct Refusal {
    int sqlstate;
    const char* problem;
};

// Why an open table cannot be read, if it cannot.
const Refusal* refusal_of(Relation table, TupleDesc columns, int64 largest) {
    static constexpr Refusal forbidden{ERRCODE_INSUFFICIENT_PRIVILEGE, "is not for you to read"};
    static constexpr Refusal changed{ERRCODE_WRONG_OBJECT_TYPE, "is not the one that was created"};
    static constexpr Refusal too_large{ERRCODE_WRONG_OBJECT_TYPE, "is larger than it can be"};
    if (!may_read(table)) return &forbidden;
    if (!is_plain(table, columns)) return &changed;
    const bool fits = largest < 0 || static_cast<int64>(RelationGetNumberOfBlocks(table)) * BLCKSZ <= largest;
    return fits ? nullptr : &too_large;
}

// Locks and opens the table, if all of these columns can be read of it. Waits for nobody.
Relation open_plain_table(Oid table, TupleDesc columns, int64 largest, Refusal* refusal) {
    if (!ConditionalLockRelationOid(table, AccessShareLock)) {
        *refusal = {ERRCODE_LOCK_NOT_AVAILABLE, "is locked by another session"};
        return nullptr;
    }
    Relation relation = try_relation_open(table, NoLock);
    if (!relation) {
        UnlockRelationOid(table, AccessShareLock);
        *refusal = {ERRCODE_UNDEFINED_TABLE, "does not exist any more"};
        return nullptr;
    }
    const Refusal* found = refusal_of(relation, columns, largest);
    if (!found) return relation;
    *refusal = *found;
    relation_close(relation, AccessShareLock);
    return nullptr;
}

// All rows, into the caller's tuplestore. What is stored outside of them is fetched while the table is locked.
void copy_rows(Relation table, TupleDesc columns, Tuplestorestate* rows) {
    MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "clientele row", ALLOCSET_DEFAULT_SIZES);
    auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * columns->natts));
    auto* nulls = static_cast<bool*>(palloc(sizeof(bool) * columns->natts));
    TupleTableSlot* slot = table_slot_create(table, nullptr);
    TableScanDesc scan = table_beginscan(table, GetActiveSnapshot(), 0, nullptr);
    while (table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
        CHECK_FOR_INTERRUPTS();
        MemoryContext caller = MemoryContextSwitchTo(row);
        for (int i = 0; i < columns->natts; ++i) {
            const FormData_pg_attribute& column = *TupleDescAttr(columns, i);
            values[i] = slot_getattr(slot, stored_column(table, column), &nulls[i]);
            if (!nulls[i] && column.attlen == -1) values[i] = PointerGetDatum(PG_DETOAST_DATUM_PACKED(values[i]));
        }
        MemoryContextSwitchTo(caller);
        tuplestore_putvalues(rows, columns, values, nulls);
        MemoryContextReset(row);
    }
    table_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    MemoryContextDelete(row);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_plain_rows) {
    InitMaterializedSRF(fcinfo, 0);
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    const auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    Refusal refusal;
    const int64 largest = PG_ARGISNULL(3) ? -1 : PG_GETARG_INT64(3);
    Relation table = open_plain_table(PG_GETARG_OID(0), result->setDesc, largest, &refusal);
    if (table) {
        copy_rows(table, result->setDesc, result->setResult);
        relation_close(table, AccessShareLock);
    } else if (PG_GETARG_BOOL(2)) {
        ereport(ERROR, (errcode(refusal.sqlstate), errmsg("a table of the store %s", refusal.problem)));
    }
    PG_RETURN_NULL();
}
