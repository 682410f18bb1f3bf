// Keeps a live store's table "pending" small where nobody calls refresh(): a background worker, so that no order waits.
#pragma once

#include "pg/kit/postgres.hpp"

extern "C" {
#include "storage/block.h"
}

namespace clientele {

// The setting clientele.fold_pending_at, in kB; -1: never.
extern int fold_pending_at;

// Called when a row went to that block of the table. Beyond the threshold it asks the server for a worker, now and
// then; where there is none to be had, a later order asks again.
void fold_if_large(Oid settings, BlockNumber block);

}  // namespace clientele
