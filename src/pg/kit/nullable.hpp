// Values that may be NULL: PostgreSQL's NullableDatum.
#pragma once

#include "pg/kit/postgres.hpp"

namespace clientele {

constexpr NullableDatum null_datum{0, true};

inline NullableDatum known_datum(Datum value) { return {value, false}; }

inline NullableDatum nullable_argument(FunctionCallInfo fcinfo, int argument) { return fcinfo->args[argument]; }

// A copy in that memory, of a type of that length.
inline NullableDatum kept_in(MemoryContext memory, NullableDatum value, bool by_value, int length) {
    if (value.isnull) return null_datum;
    MemoryContext caller = MemoryContextSwitchTo(memory);
    value.value = datumCopy(value.value, by_value, length);
    MemoryContextSwitchTo(caller);
    return value;
}

}  // namespace clientele
