// Objects of the core that outlive one thought, as several of them work on one: they go with a memory context, whatever
// error ends it.
#pragma once

#include "pg/kit/postgres.hpp"

namespace clientele {

// Where to put an object that was made by new, within think(): it is deleted with the current memory context.
template <class T>
T*& kept_object() {
    struct Kept {
        MemoryContextCallback callback;
        T* object;
    };
    auto* kept = static_cast<Kept*>(palloc0(sizeof(Kept)));
    kept->callback.func = [](void* argument) { delete static_cast<Kept*>(argument)->object; };
    kept->callback.arg = kept;
    MemoryContextRegisterResetCallback(CurrentMemoryContext, &kept->callback);
    return kept->object;
}

}  // namespace clientele
