#include "store.hpp"

extern "C" {
#include "utils/guc.h"

PG_MODULE_MAGIC;

void _PG_init(void);
}

namespace clientele {
char* store_setting = nullptr;
}

void _PG_init(void) {
    DefineCustomStringVariable("clientele.store", "The store that functions use where none is named.", nullptr,
                               &clientele::store_setting, "", PGC_USERSET, 0, nullptr, nullptr, nullptr);
    MarkGUCPrefixReserved("clientele");
}
