// What a subscription fills: src/sql/45-replicas.sql says what each function returns.
#include "pg/kit/postgres.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace clientele {
namespace {

bool is_subscribed(Oid relation) {
    CatCList* rows = SearchSysCacheList1(SUBSCRIPTIONRELMAP, ObjectIdGetDatum(relation));
    const bool found = rows->n_members > 0;
    ReleaseSysCacheList(rows);
    return found;
}

// By its root, or every table below it.
bool is_subscribed_whole(Oid root) {
    if (is_subscribed(root)) return true;
    bool found = false;
    ListCell* cell;
    foreach (cell, find_all_inheritors(root, NoLock, nullptr)) {
        const Oid member = lfirst_oid(cell);
        if (get_rel_relkind(member) == RELKIND_PARTITIONED_TABLE) continue;
        if (!is_subscribed(member)) return false;
        found = true;
    }
    return found;
}

}  // namespace
}  // namespace clientele

using namespace clientele;

CLIENTELE_FUNCTION(clientele_is_subscribed) { PG_RETURN_BOOL(is_subscribed(PG_GETARG_OID(0))); }

CLIENTELE_FUNCTION(clientele_orders_are_here) {
    const Oid profiles = PG_GETARG_OID(0);
    if (!is_subscribed(profiles) || is_subscribed_whole(PG_GETARG_OID(1))) PG_RETURN_BOOL(true);
    const char* store = quote_identifier(get_namespace_name(get_rel_namespace(profiles)));
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("the orders of store %s are not on this server", store),
             errdetail("Its profiles come from a subscription, and its orders do not: whatever is counted of them "
                       "here would be wrong."),
             errhint("Ask for it at the publisher, or subscribe to the orders, too.")));
}
