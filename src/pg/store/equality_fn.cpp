// _equality() and _is_sortable(): src/sql/40-store.sql says what they return.
#include "pg/kit/equality.hpp"

using namespace clientele;

CLIENTELE_FUNCTION(clientele__equality) { PG_RETURN_TEXT_P(cstring_to_text(equality_of(PG_GETARG_OID(0)))); }

CLIENTELE_FUNCTION(clientele_is_sortable) {
    const TypeCacheEntry* type = lookup_type_cache(PG_GETARG_OID(0), TYPECACHE_EQ_OPR | TYPECACHE_LT_OPR);
    PG_RETURN_BOOL(OidIsValid(type->eq_opr) && OidIsValid(type->lt_opr));
}
