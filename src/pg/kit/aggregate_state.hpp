// States of aggregates that are flat memory of fixed size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "pg/kit/aggregate.hpp"
#include "pg/kit/boundary.hpp"

namespace clientele {

// A bytea, so that partial states travel between workers and nodes; changed in place.
template <class State>
struct StateDatum {
    std::int32_t varlena_header;
    std::int32_t padding;
    State state;

    static_assert(std::is_trivially_destructible_v<State> && std::is_trivially_copyable_v<State>);
    static_assert(std::has_unique_object_representations_v<State>);
};

template <class State>
StateDatum<State>* state_of(Datum datum) {
    auto* state = reinterpret_cast<StateDatum<State>*>(DatumGetByteaP(datum));
    if (VARSIZE(state) != sizeof(StateDatum<State>)) refuse_state("It has not the length of a state.");
    return state;
}

// A state that may be aligned as a tuple or an array aligns it.
template <class State>
State copied_state(Datum datum) {
    State state;
    std::memcpy(&state, reinterpret_cast<const char*>(state_of<State>(datum)) + offsetof(StateDatum<State>, state),
                sizeof state);
    return state;
}

template <class State>
State* new_state(MemoryContext context) {
    auto* state = static_cast<StateDatum<State>*>(MemoryContextAllocZero(context, sizeof(StateDatum<State>)));
    SET_VARSIZE(state, sizeof(StateDatum<State>));
    return &state->state;
}

// What a transition function returns of the state that it changed.
template <class State>
Datum state_datum(State* state) {
    return PointerGetDatum(reinterpret_cast<char*>(state) - offsetof(StateDatum<State>, state));
}

// Combines states of the same aggregate, the second into the first.
template <class State, class Check>
Datum combined_states(FunctionCallInfo fcinfo, Check check) {
    aggregate_context(fcinfo);
    State* state = &state_of<State>(PG_GETARG_DATUM(0))->state;
    const auto more = copied_state<State>(PG_GETARG_DATUM(1));
    think([&] {
        check(more);
        state->merge(more);
    });
    return state_datum(state);
}

}  // namespace clientele
