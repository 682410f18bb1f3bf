// Appending rows to a table of ours, as the executor would, but without ever waiting for a lock.
#pragma once

#include "pg/kit/postgres.hpp"

extern "C" {
#include "utils/rel.h"
#include "utils/tuplestore.h"
}

namespace clientele {

struct ColumnShape {
    const char* name;
    Oid type;
    bool nullable;  // rows have NULL there
};

// Locks and opens the table. An ERROR where somebody has locked it.
Relation open_table_now(Oid table);

// An ERROR where the table does not have these very columns any more, or has anything that ought to refuse a row or to
// see it, and would not be asked: a constraint, a unique index, a trigger, a rule. The answer holds until its relcache
// entry is invalidated.
void check_appendable(Relation table, const ColumnShape* columns, int count);

// Locks its indexes, or raises an ERROR.
void lock_indexes(Relation table);

// Appends one row, or all rows of the tuplestore where there is one; they have the table's columns, and
// check_appendable() found nothing wrong with it. Its files may yet have no room left: call it where an error can be
// rolled back. Returns the block that the last row went to.
BlockNumber append_rows(Relation table, MinimalTuple row, Tuplestorestate* rows);

}  // namespace clientele
