// What functions of aggregates have in common: the memory that states live in, and states as arguments.
#pragma once

#include "pg/kit/postgres.hpp"

namespace clientele {

// The memory of the aggregate that fcinfo is a call for; an ERROR anywhere else. `of`: of which aggregate the function
// is, where it is not its own.
inline MemoryContext aggregate_context(FunctionCallInfo fcinfo, const char* of = nullptr) {
    MemoryContext context;
    if (AggCheckCallContext(fcinfo, &context)) return context;
    const char* which = of ? psprintf("of %s ", of) : "";
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("this function %scan only be called as part of an aggregate", which)));
    pg_unreachable();
}

// An internal state in an argument; nullptr where there is none yet.
template <class State>
State* state_argument(FunctionCallInfo fcinfo, int argument) {
    return PG_ARGISNULL(argument) ? nullptr : reinterpret_cast<State*>(PG_GETARG_POINTER(argument));
}

// What a transition or combine function returns where its first argument stays as it is.
inline Datum unchanged_state(FunctionCallInfo fcinfo) {
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    return PG_GETARG_DATUM(0);
}

// A state of a type that anybody can write is input like any other.
[[noreturn]] inline void refuse_state(const char* detail) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid state of an aggregate"),
                    errdetail("%s", detail), errhint("States are made by the aggregate itself.")));
    pg_unreachable();
}

}  // namespace clientele
