// clientele._lock_refresh(store), for check_store(repair => true). src/sql/47-check.sql says what it is for.
#include "refresh.hpp"

extern "C" {
#include "storage/lmgr.h"
#include "utils/acl.h"
}

using namespace clientele;

// LOCK TABLE would ask for more than who refreshes a store needs.
CLIENTELE_FUNCTION(clientele_lock_refresh) {
    PreventCommandIfReadOnly("check_store(repair => true)");
    const Store store = resolve_store(NameStr(*PG_GETARG_NAME(0)));
    if (pg_class_aclcheck(store.settings, GetUserId(), ACL_UPDATE) != ACLCHECK_OK &&
        pg_attribute_aclcheck_all(store.settings, GetUserId(), ACL_UPDATE, ACLMASK_ANY) != ACLCHECK_OK) {
        aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(store.settings));
    }
    LockRelationOid(store.settings, refresh_lock);
    PG_RETURN_VOID();
}
