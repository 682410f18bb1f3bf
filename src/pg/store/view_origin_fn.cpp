// _view_origins(): src/sql/41-columns.sql says what it returns.
#include <cstring>

#include "pg/kit/query.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "utils/rel.h"
}

namespace clientele {
namespace {

bool is_listed(const List* names, const char* name) {
    ListCell* cell;
    foreach (cell, names) {
        if (std::strcmp(static_cast<char*>(lfirst(cell)), name) == 0) return true;
    }
    return false;
}

// As C strings, in the order in which the expression names them first.
List* columns_in(const Query* query, Node* expression) {
    List* names = NIL;
    ListCell* cell;
    foreach (cell, pull_vars_of_level(expression, 0)) {
        const auto* column = lfirst_node(Var, cell);
        const RangeTblEntry* table = rt_fetch(column->varno, query->rtable);
        char* name = table->rtekind == RTE_RELATION ? get_attname(table->relid, column->varattno, true) : nullptr;
        if (name && !is_listed(names, name)) names = lappend(names, name);
    }
    return names;
}

// Nothing of the view is executed: its owner may have put anything there.
List* origins_of(const Query* query, const char* column_name) {
    ListCell* cell;
    foreach (cell, query->targetList) {
        auto* column = lfirst_node(TargetEntry, cell);
        const bool is_it = !column->resjunk && std::strcmp(column->resname, column_name) == 0;
        if (is_it) return columns_in(query, reinterpret_cast<Node*>(column->expr));
    }
    return NIL;
}

ArrayType* name_array(const List* names) {
    auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * (list_length(names) + 1)));
    int count = 0;
    ListCell* cell;
    foreach (cell, names) values[count++] = name_datum(static_cast<char*>(lfirst(cell)));
    return construct_array(values, count, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR);
}

}  // namespace
}  // namespace clientele

CLIENTELE_FUNCTION(clientele_view_origins) {
    using namespace clientele;
    Relation view = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
    List* names = NIL;
    if (view && view->rd_rel->relkind == RELKIND_VIEW) {
        names = origins_of(get_view_query(view), NameStr(*PG_GETARG_NAME(1)));
    }
    if (view) relation_close(view, AccessShareLock);
    PG_RETURN_ARRAYTYPE_P(name_array(names));
}
