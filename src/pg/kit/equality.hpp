// What equal means for a type: by its own rules, also where its operators are not on the search path.
#pragma once

#include "pg/kit/postgres.hpp"

extern "C" {
#include "catalog/pg_operator.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace clientele {

// The operator by which values of a type are grouped, for an SQL text; = where there is none.
inline const char* equality_of(Oid type) {
    const Oid equality = lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
    HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(equality));
    if (!HeapTupleIsValid(tuple)) return "=";
    const auto* found = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
    const char* schema = quote_identifier(get_namespace_name(found->oprnamespace));
    const char* text = psprintf("OPERATOR(%s.%s)", schema, NameStr(found->oprname));
    ReleaseSysCache(tuple);
    return text;
}

}  // namespace clientele
