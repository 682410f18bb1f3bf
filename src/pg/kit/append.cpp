#include "pg/kit/append.hpp"

#include <algorithm>
#include <cstring>

#include "pg/kit/compat.hpp"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "storage/lmgr.h"
#include "utils/relcache.h"
}

namespace clientele {
namespace {

[[noreturn]] void refuse_table(const char* name, const char* what) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("table \"%s\" %s", name, what)));
    pg_unreachable();
}

bool is_as_created(const FormData_pg_attribute& column, const ColumnShape& shape) {
    return !column.attisdropped && std::strcmp(NameStr(column.attname), shape.name) == 0 &&
           column.atttypid == shape.type && !column.attgenerated && !(column.attnotnull && shape.nullable);
}

void check_columns(Relation table, const ColumnShape* columns, int count) {
    TupleDesc row = RelationGetDescr(table);
    bool same = row->natts == count;
    for (int i = 0; same && i < count; ++i) same = is_as_created(*TupleDescAttr(row, i), columns[i]);
    if (!same) refuse_table(RelationGetRelationName(table), "has other columns than it was created with");
    if ((row->constr && row->constr->num_check > 0) || table->rd_rel->relispartition) {
        refuse_table(RelationGetRelationName(table), "has a constraint, which could refuse rows");
    }
}

void check_indexes(Relation table) {
    List* indexes = RelationGetIndexList(table);
    ListCell* cell;
    foreach (cell, indexes) {
        Relation index = index_open(lfirst_oid(cell), NoLock);
        const bool plain = !index->rd_index->indisunique && !index->rd_index->indisexclusion &&
                           heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, nullptr) &&
                           heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr);
        index_close(index, NoLock);
        if (!plain) refuse_table(RelationGetRelationName(table), "has an index that could refuse rows");
    }
    list_free(indexes);
}

constexpr int batch_size = 256;  // rows that go to the table together

// The indexes of a table, as ExecOpenIndices() opens them, but without an executor.
struct Indexes {
    int count;
    Relation* relations;
    IndexInfo** infos;
};

Indexes open_indexes(Relation table) {
    List* oids = RelationGetIndexList(table);
    Indexes indexes{0, static_cast<Relation*>(palloc(sizeof(Relation) * (list_length(oids) + 1))),
                    static_cast<IndexInfo**>(palloc(sizeof(IndexInfo*) * (list_length(oids) + 1)))};
    ListCell* cell;
    foreach (cell, oids) {
        Relation index = index_open(lfirst_oid(cell), RowExclusiveLock);
        indexes.relations[indexes.count] = index;
        indexes.infos[indexes.count++] = BuildIndexInfo(index);
    }
    list_free(oids);
    return indexes;
}

void close_indexes(const Indexes& indexes) {
    for (int i = 0; i < indexes.count; ++i) {
        end_index_inserts(indexes.relations[i], indexes.infos[i]);
        index_close(indexes.relations[i], RowExclusiveLock);
    }
}

// The indexes have plain columns only: see check_indexes().
void insert_index_tuples(Relation table, const Indexes& indexes, TupleTableSlot* slot) {
    Datum values[INDEX_MAX_KEYS];
    bool nulls[INDEX_MAX_KEYS];
    for (int i = 0; i < indexes.count; ++i) {
        if (!indexes.infos[i]->ii_ReadyForInserts) continue;
        FormIndexDatum(indexes.infos[i], slot, nullptr, values, nulls);
        index_insert(indexes.relations[i], values, nulls, &slot->tts_tid, table, UNIQUE_CHECK_NO, false,
                     indexes.infos[i]);
    }
}

TupleTableSlot* row_slot(Relation table) {
    return MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsMinimalTuple);
}

BlockNumber append_row(Relation table, const Indexes& indexes, MinimalTuple row) {
    TupleTableSlot* slot = row_slot(table);
    ExecStoreMinimalTuple(row, slot, false);
    table_tuple_insert(table, slot, GetCurrentCommandId(true), 0, nullptr);
    insert_index_tuples(table, indexes, slot);
    const BlockNumber block = ItemPointerGetBlockNumber(&slot->tts_tid);
    ExecDropSingleTupleTableSlot(slot);
    return block;
}

BlockNumber append_many(Relation table, const Indexes& indexes, Tuplestorestate* rows) {
    TupleTableSlot* slots[batch_size];
    const int width = static_cast<int>(std::min<int64>(tuplestore_tuple_count(rows), batch_size));
    for (int i = 0; i < width; ++i) slots[i] = row_slot(table);
    const CommandId command = GetCurrentCommandId(true);
    BulkInsertState bulk = tuplestore_tuple_count(rows) > 1'000 ? GetBulkInsertState() : nullptr;
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "clientele rows", ALLOCSET_DEFAULT_SIZES);
    BlockNumber last = 0;
    int count = width;
    while (count == width) {
        for (count = 0; count < width && tuplestore_gettupleslot(rows, true, true, slots[count]);) ++count;
        if (count == 0) break;
        MemoryContext caller = MemoryContextSwitchTo(memory);
        table_multi_insert(table, slots, count, command, 0, bulk);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(memory);
        for (int i = 0; i < count; ++i) insert_index_tuples(table, indexes, slots[i]);
        last = ItemPointerGetBlockNumber(&slots[count - 1]->tts_tid);
    }
    MemoryContextDelete(memory);
    if (bulk) FreeBulkInsertState(bulk);
    for (int i = 0; i < width; ++i) ExecDropSingleTupleTableSlot(slots[i]);
    return last;
}

}  // namespace

Relation open_table_now(Oid table) {
    if (!ConditionalLockRelationOid(table, RowExclusiveLock)) {
        ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("a table of the store is locked")));
    }
    Relation relation = try_relation_open(table, NoLock);
    if (!relation) ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("a table of the store is missing")));
    return relation;
}

void lock_indexes(Relation table) {
    List* indexes = RelationGetIndexList(table);
    ListCell* cell;
    foreach (cell, indexes) {
        if (!ConditionalLockRelationOid(lfirst_oid(cell), RowExclusiveLock)) {
            ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("an index of the store is locked")));
        }
    }
    list_free(indexes);
}

void check_appendable(Relation table, const ColumnShape* columns, int count) {
    if (table->rd_rel->relkind != RELKIND_RELATION || table->trigdesc || table->rd_rules) {
        refuse_table(RelationGetRelationName(table), "has triggers or rules");
    }
    check_columns(table, columns, count);
    lock_indexes(table);
    check_indexes(table);
}

BlockNumber append_rows(Relation table, MinimalTuple row, Tuplestorestate* rows) {
    const Indexes indexes = open_indexes(table);
    const BlockNumber last = rows ? append_many(table, indexes, rows) : append_row(table, indexes, row);
    close_indexes(indexes);
    return last;
}

}  // namespace clientele
