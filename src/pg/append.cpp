#include "append.hpp"

#include <cstring>

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "storage/lmgr.h"
#include "utils/relcache.h"
}

namespace clientele {
namespace {

void insert_index_tuples(ResultRelInfo* table, TupleTableSlot* slot, EState* estate) {
#if PG_VERSION_NUM >= 160000
    ExecInsertIndexTuples(table, slot, estate, false, false, nullptr, NIL, false);
#else
    ExecInsertIndexTuples(table, slot, estate, false, false, nullptr, NIL);
#endif
}

[[noreturn]] void refuse_table(const char* name, const char* what) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("table \"%s\" %s", name, what)));
    pg_unreachable();
}

void check_columns(Relation table, const ColumnShape* columns, int count) {
    TupleDesc row = RelationGetDescr(table);
    bool same = row->natts == count;
    for (int i = 0; same && i < count; ++i) {
        const FormData_pg_attribute* column = TupleDescAttr(row, i);
        same = !column->attisdropped && std::strcmp(NameStr(column->attname), columns[i].name) == 0 &&
               column->atttypid == columns[i].type;
    }
    if (!same) refuse_table(RelationGetRelationName(table), "has other columns than it was created with");
    const TupleConstr* constraints = row->constr;
    if (constraints && (constraints->num_check > 0 || constraints->has_generated_stored)) {
        refuse_table(RelationGetRelationName(table), "has a constraint, which could refuse rows");
    }
}

void check_indexes(Relation table) {
    List* indexes = RelationGetIndexList(table);
    ListCell* cell;
    foreach (cell, indexes) {
        Relation index = index_open(lfirst_oid(cell), RowExclusiveLock);
        const bool plain = !index->rd_index->indisunique && !index->rd_index->indisexclusion &&
                           heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, nullptr) &&
                           heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr);
        index_close(index, NoLock);
        if (!plain) refuse_table(RelationGetRelationName(table), "has an index that could refuse rows");
    }
    list_free(indexes);
}

}  // namespace

Relation open_appendable(Oid table, const ColumnShape* columns, int count) {
    if (!ConditionalLockRelationOid(table, RowExclusiveLock)) {
        ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("a table of the store is locked")));
    }
    Relation relation = try_relation_open(table, NoLock);
    if (!relation) ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("a table of the store is missing")));
    if (relation->rd_rel->relkind != RELKIND_RELATION || relation->trigdesc || relation->rd_rules) {
        refuse_table(RelationGetRelationName(relation), "has triggers or rules");
    }
    check_columns(relation, columns, count);
    check_indexes(relation);
    return relation;
}

BlockNumber append_rows(Oid table, Tuplestorestate* rows) {
    Relation relation = table_open(table, NoLock);
    EState* estate = CreateExecutorState();
    ResultRelInfo* result = makeNode(ResultRelInfo);
    InitResultRelInfo(result, relation, 0, nullptr, 0);
    ExecOpenIndices(result, false);
    TupleTableSlot* slot = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsMinimalTuple);
    const CommandId command = GetCurrentCommandId(true);
    BulkInsertState bulk = tuplestore_tuple_count(rows) > 1'000 ? GetBulkInsertState() : nullptr;
    BlockNumber last = 0;
    while (tuplestore_gettupleslot(rows, true, false, slot)) {
        table_tuple_insert(relation, slot, command, 0, bulk);
        last = ItemPointerGetBlockNumber(&slot->tts_tid);
        insert_index_tuples(result, slot, estate);
        ResetPerTupleExprContext(estate);
    }
    if (bulk) FreeBulkInsertState(bulk);
    ExecDropSingleTupleTableSlot(slot);
    ExecCloseIndices(result);
    FreeExecutorState(estate);
    table_close(relation, NoLock);
    return last;
}

}  // namespace clientele
