// What SQL that works on values of any type is made of: src/sql/40-settings.sql says what each function returns.
#include "pg/kit/as_text.hpp"
#include "pg/kit/equality.hpp"

using namespace clientele;

CLIENTELE_FUNCTION(clientele__equality) { PG_RETURN_TEXT_P(cstring_to_text(equality_of(PG_GETARG_OID(0)))); }

CLIENTELE_FUNCTION(clientele_as_text) {
    PG_RETURN_TEXT_P(cstring_to_text(as_text(text_to_cstring(PG_GETARG_TEXT_PP(0)))));
}

CLIENTELE_FUNCTION(clientele_is_sortable) {
    const TypeCacheEntry* type = lookup_type_cache(PG_GETARG_OID(0), TYPECACHE_EQ_OPR | TYPECACHE_LT_OPR);
    PG_RETURN_BOOL(OidIsValid(type->eq_opr) && OidIsValid(type->lt_opr));
}
