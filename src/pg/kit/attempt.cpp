#include "pg/kit/attempt.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/resowner.h"
}

namespace clientele {
namespace {

bool must_pass(const ErrorData& error) {
    const int category = ERRCODE_TO_CATEGORY(error.sqlerrcode);
    return category == ERRCODE_OPERATOR_INTERVENTION || category == ERRCODE_TRANSACTION_ROLLBACK;
}

}  // namespace

ErrorData* attempt(void (*body)(void*), void* context) {
    MemoryContext memory = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;
    ErrorData* volatile error = nullptr;
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(memory);
    PG_TRY();
    {
        body(context);
        ReleaseCurrentSubTransaction();
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(memory);
        error = CopyErrorData();
        FlushErrorState();
        RollbackAndReleaseCurrentSubTransaction();
    }
    PG_END_TRY();
    MemoryContextSwitchTo(memory);
    CurrentResourceOwner = owner;
    if (error && must_pass(*error)) ReThrowError(error);
    return error;
}

}  // namespace clientele
