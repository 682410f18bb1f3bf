// Doing what may fail without failing: a trigger must never be the reason why an order is refused.
#pragma once

#include "pg/kit/postgres.hpp"

namespace clientele {

// Runs body(context) in a subtransaction, which is rolled back if an error occurs: the error, in the caller's memory,
// or nullptr. What ends the transaction whatever we do (a cancel, a timeout, a shutdown, a serialization failure) is
// raised again. Call it where no object with a destructor is alive.
ErrorData* attempt(void (*body)(void*), void* context);

}  // namespace clientele
