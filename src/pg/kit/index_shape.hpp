// Tables of a store that are read by an index rather than by a query. Their owner may have changed them: what is read
// without the executor is looked at first.
#pragma once

#include "pg/kit/postgres.hpp"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "utils/rel.h"
}

namespace clientele {

// The column of a table, provided that it has this type.
inline AttrNumber column_of(Oid table, const char* name, Oid type) {
    const AttrNumber column = get_attnum(table, name);
    return column != InvalidAttrNumber && get_atttype(table, column) == type ? column : InvalidAttrNumber;
}

// Whether an index can be asked for the rows of a table with one value of a column.
inline bool is_btree_over(Relation index, Relation table, AttrNumber column) {
    return column != InvalidAttrNumber && index->rd_rel->relkind == RELKIND_INDEX &&
           index->rd_rel->relam == BTREE_AM_OID && index->rd_index->indisvalid &&
           index->rd_index->indrelid == RelationGetRelid(table) && index->rd_index->indkey.values[0] == column;
}

// The function that such an index has for "equal".
inline RegProcedure equality_of(Relation index) {
    const Oid type = index->rd_opcintype[0];
    return get_opcode(get_opfamily_member(index->rd_opfamily[0], type, type, BTEqualStrategyNumber));
}

}  // namespace clientele
