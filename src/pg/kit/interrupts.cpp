#include "pg/kit/interrupts.hpp"

namespace clientele {
namespace {

// The backend's jump must not pass a frame with C++ objects: it ends here, and goes on as an exception.
ErrorData* interrupt_error() {
    MemoryContext memory = CurrentMemoryContext;
    ErrorData* volatile error = nullptr;
    PG_TRY();
    { CHECK_FOR_INTERRUPTS(); }
    PG_CATCH();
    {
        MemoryContextSwitchTo(memory);
        error = CopyErrorData();
        FlushErrorState();
    }
    PG_END_TRY();
    return error;
}

}  // namespace

void poll_interrupts() {
    if (!INTERRUPTS_PENDING_CONDITION()) return;
    if (ErrorData* error = interrupt_error()) throw detail::Interrupted{error};
}

}  // namespace clientele
