// _equality(): src/sql/40-store.sql says what it returns.
#include "pg/kit/equality.hpp"

using namespace clientele;

CLIENTELE_FUNCTION(clientele__equality) { PG_RETURN_TEXT_P(cstring_to_text(equality_of(PG_GETARG_OID(0)))); }
