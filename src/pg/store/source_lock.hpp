// Locks on what a store is counted from.
//
// Whoever holds the store while reading its orders locks these first: a transaction that has written orders and then
// refreshes waits for the store, and the store's holder must not wait for those orders, nor for somebody who does.
#pragma once

#include "pg/store/store.hpp"

extern "C" {
#include "nodes/pg_list.h"
}

namespace clientele {

// Takes ACCESS SHARE on the orders and lines of a store, partitions included, if the caller may read them: until the
// end of the transaction, or of the session. Returns their oids. The caller is connected to SPI.
List* share_sources(const Store& store, bool for_session);

// Gives back those that were taken for the session; an error does so by itself.
void release_sources(const List* sources);

}  // namespace clientele
