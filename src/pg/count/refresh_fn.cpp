// CALL refresh().
#include "pg/count/refresh.hpp"

extern "C" {
#include "nodes/parsenodes.h"
}

using namespace clientele;

CLIENTELE_FUNCTION(clientele_refresh) {
    if (PG_ARGISNULL(0)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("store must not be NULL")));
    }
    const char* name = NameStr(*PG_GETARG_NAME(0));
    if (!*name) ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a store needs a name")));
    refresh_store(resolve_store(name), !PG_ARGISNULL(1) && PG_GETARG_BOOL(1),
                  castNode(CallContext, fcinfo->context)->atomic);
    PG_RETURN_VOID();
}
