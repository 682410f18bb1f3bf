// clientele._lock_refresh(store), clientele._await_refresh(store) and clientele._lock_dropping(store): src/sql says
// what they are for.
#include "pg/count/refresh.hpp"
#include "pg/kit/query.hpp"
#include "pg/store/source_lock.hpp"

extern "C" {
#include "catalog/pg_namespace.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
}

using namespace clientele;

// LOCK TABLE would ask for more than who refreshes a store needs.
CLIENTELE_FUNCTION(clientele_lock_refresh) {
    PreventCommandIfReadOnly(text_to_cstring(PG_GETARG_TEXT_PP(1)));
    const Store store = resolve_store(NameStr(*PG_GETARG_NAME(0)));
    if (pg_class_aclcheck(store.settings, GetUserId(), ACL_UPDATE) != ACLCHECK_OK &&
        pg_attribute_aclcheck_all(store.settings, GetUserId(), ACL_UPDATE, ACLMASK_ANY) != ACLCHECK_OK) {
        aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(store.settings));
    }
    begin_queries();
    share_sources(store, false);
    end_queries();
    LockRelationOid(store.settings, refresh_lock);
    PG_RETURN_VOID();
}

CLIENTELE_FUNCTION(clientele_lock_dropping) {
    PreventCommandIfReadOnly(text_to_cstring(PG_GETARG_TEXT_PP(1)));
    const Store store = resolve_store(NameStr(*PG_GETARG_NAME(0)));
    require_owner(store);
    LockDatabaseObject(NamespaceRelationId, store.schema, 0, ShareUpdateExclusiveLock);
    PG_RETURN_VOID();
}

CLIENTELE_FUNCTION(clientele_await_refresh) {
    PreventCommandIfReadOnly("DROP TRIGGER");
    const Store store = resolve_store(NameStr(*PG_GETARG_NAME(0)));
    require_owner(store);
    LockRelationOid(store.settings, refresh_lock);
    UnlockRelationOid(store.settings, refresh_lock);
    PG_RETURN_VOID();
}
