#include "pg/count/fold_worker.hpp"
#include "pg/store/store.hpp"

extern "C" {
#include "utils/guc.h"

PG_MODULE_MAGIC;

void _PG_init(void);  // NOLINT(bugprone-reserved-identifier): the name that PostgreSQL looks for
}

namespace clientele {
char* store_setting = nullptr;
}

void _PG_init(void) {
    DefineCustomStringVariable("clientele.store", "The store that functions use where none is named.", nullptr,
                               &clientele::store_setting, "", PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable(
        "clientele.fold_pending_at",
        "Size of a live store's table \"pending\" from which a background worker folds it; -1: none does.", nullptr,
        &clientele::fold_pending_at, clientele::fold_pending_at, -1, MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB, nullptr,
        nullptr, nullptr);
    MarkGUCPrefixReserved("clientele");
}
