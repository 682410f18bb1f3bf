// Bringing a store's profiles up to its orders: drives the SQL functions that do the work, with a commit after each
// chunk, and tells other sessions how far it is.
#pragma once

#include "pg/store/store.hpp"

extern "C" {
#include "storage/lockdefs.h"
}

namespace clientele {

// The lock on the store's settings that a refresh holds: one at a time. Taken for the session, it survives the commits
// between chunks; an error releases it.
constexpr LOCKMODE refresh_lock = ShareUpdateExclusiveLock;

// CALL refresh(). atomic: within a transaction block, so in one go and without commits.
void refresh_store(const Store& store, bool full, bool atomic);

// Folds a chunk of what is pending into the profiles, within a transaction of the caller's, unless a refresh is at it.
// Whether it was a whole chunk, and so there may be more.
bool fold_store(const Store& store);

}  // namespace clientele
