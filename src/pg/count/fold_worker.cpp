#include "pg/count/fold_worker.hpp"

#include <cstring>

#include "pg/count/refresh.hpp"
#include "pg/kit/owner_scope.hpp"

extern "C" {
#include "access/xact.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/snapmgr.h"
}

namespace clientele {

int fold_pending_at = 1'024;

namespace {

// A session asks at most this often.
constexpr int pause_milliseconds = 2'000;

struct Order {
    Oid database;
    Oid settings;
};
static_assert(sizeof(Order) <= BGW_EXTRALEN);

// One chunk, as the store's owner, whose code a store is. Whether there may be more.
bool fold_once(Oid settings) {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    const Oid owner = owner_of(settings);
    bool more = false;
    if (OidIsValid(owner)) {
        const Identity worker = become_owner(owner);
        pgstat_report_activity(STATE_RUNNING, "clientele: folding what is pending");
        PushActiveSnapshot(GetTransactionSnapshot());
        more = fold_store({get_rel_namespace(settings), settings});
        PopActiveSnapshot();
        become_again(worker);
    }
    CommitTransactionCommand();
    pgstat_report_stat(true);
    pgstat_report_activity(STATE_IDLE, nullptr);
    return more;
}

}  // namespace

void fold_if_large(Oid settings, BlockNumber block) {
    static TimestampTz asked_at = 0;
    if (fold_pending_at < 0 || block < static_cast<BlockNumber>(fold_pending_at) / (BLCKSZ / 1024)) return;
    const TimestampTz now = GetCurrentTimestamp();
    if (!TimestampDifferenceExceeds(asked_at, now, pause_milliseconds)) return;
    asked_at = now;
    if (!ConditionalLockRelationOid(settings, refresh_lock)) return;  // somebody is at it
    UnlockRelationOid(settings, refresh_lock);
    BackgroundWorker worker{};
    strlcpy(worker.bgw_name, "clientele: fold", BGW_MAXLEN);
    strlcpy(worker.bgw_type, "clientele fold", BGW_MAXLEN);
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    strlcpy(worker.bgw_library_name, "clientele", MAXPGPATH);
    strlcpy(worker.bgw_function_name, "clientele_fold_worker", BGW_MAXLEN);
    const Order order = {MyDatabaseId, settings};
    std::memcpy(worker.bgw_extra, &order, sizeof order);
    RegisterDynamicBackgroundWorker(&worker, nullptr);
}

}  // namespace clientele

extern "C" PGDLLEXPORT void clientele_fold_worker(Datum) {
    using namespace clientele;
    Order order;
    std::memcpy(&order, MyBgworkerEntry->bgw_extra, sizeof order);
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnectionByOid(order.database, InvalidOid, 0);
    PortalContext = AllocSetContextCreate(TopMemoryContext, "clientele fold", ALLOCSET_DEFAULT_SIZES);
    while (fold_once(order.settings)) CHECK_FOR_INTERRUPTS();
    proc_exit(0);
}
