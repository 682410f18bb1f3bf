#include "pg/live/live_health.hpp"

#include "pg/kit/append.hpp"
#include "pg/kit/query.hpp"
#include "pg/kit/settings_scope.hpp"
#include "pg/store/store.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
}

namespace clientele {
namespace {

// A row is written, and nothing that somebody has put on the table runs in the middle of an order.
void check_plain(Relation health) {
    const TupleConstr* constraints = RelationGetDescr(health)->constr;
    const bool plain = health->rd_rel->relkind == RELKIND_RELATION && !health->rd_rel->relrowsecurity &&
                       !health->trigdesc && !health->rd_rules && !constraints && !RelationGetIndexList(health);
    if (!plain)
        ereport(ERROR,
                (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("a table of health is not the one that was created")));
}

// Whatever it is called.
Oid health_of(Oid schema) {
    const bool found = run_query("SELECT h.health FROM clientele._healths($1) h", {{OIDOID, ObjectIdGetDatum(schema)}});
    return found ? DatumGetObjectId(result_value(0, 1).value) : InvalidOid;
}

}  // namespace

void write_failure_to_health(Oid schema) {
    set_safe_path();
    set_no_waiting();
    begin_queries();
    Relation health = open_table_now(health_of(schema));
    check_plain(health);
    run_query(
        psprintf("INSERT INTO %1$s (part, subject, noted_at) SELECT 'failure', 'failures', pg_catalog.now()"
                 " WHERE NOT EXISTS (SELECT FROM %1$s WHERE part OPERATOR(pg_catalog.=) 'failure')",
                 quote_qualified_identifier(schema_name(schema), RelationGetRelationName(health))));
    end_queries();
    relation_close(health, NoLock);
}

}  // namespace clientele
