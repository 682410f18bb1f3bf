#include "pg/kit/row.hpp"

#include <cstddef>

extern "C" {
#include "catalog/namespace.h"
#include "utils/syscache.h"
}

namespace clientele {

Oid type_of_ours(const char* name) {
    const Oid schema = get_namespace_oid("clientele", true);
    if (!OidIsValid(schema)) return InvalidOid;
    return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name), ObjectIdGetDatum(schema));
}

TupleDesc result_row_type(FunctionCallInfo fcinfo) {
    TupleDesc type = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &type) != TYPEFUNC_COMPOSITE) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("function returning record called in context that cannot accept type record")));
    }
    return BlessTupleDesc(type);
}

TupleDesc lasting_result_row_type(FunctionCallInfo fcinfo) {
    TupleDesc type = result_row_type(fcinfo);
    MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    type = CreateTupleDescCopy(type);
    MemoryContextSwitchTo(caller);
    return type;
}

Datum row_of(TupleDesc type, std::span<const NullableDatum> columns) {
    constexpr std::size_t most_columns = 32;
    Datum values[most_columns];
    bool nulls[most_columns];
    Assert(columns.size() <= most_columns && columns.size() == static_cast<std::size_t>(type->natts));
    for (std::size_t i = 0; i < columns.size(); ++i) {
        values[i] = columns[i].value;
        nulls[i] = columns[i].isnull;
    }
    return HeapTupleGetDatum(heap_form_tuple(type, values, nulls));
}

}  // namespace clientele
