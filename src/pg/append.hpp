// Appending rows to a table of ours, as the executor would, but without ever waiting for a lock.
#pragma once

#include "postgres.hpp"

extern "C" {
#include "utils/rel.h"
#include "utils/tuplestore.h"
}

namespace clientele {

struct ColumnShape {
    const char* name;
    Oid type;
};

// Locks and opens the table. An ERROR where somebody has locked it, or where it does not have these very columns any
// more, or anything that could refuse a row: a constraint, a unique index, a trigger, a rule.
Relation open_appendable(Oid table, const ColumnShape* columns, int count);

// Appends all rows of the store, which have the table's columns. What could go wrong was found by open_appendable().
// Returns the block that the last row went to.
BlockNumber append_rows(Oid table, Tuplestorestate* rows);

}  // namespace clientele
