// Values of any type as text.
#pragma once

#include "pg/kit/postgres.hpp"

namespace clientele {

// An SQL expression for the text of another, as the type's output function writes it; NULL where it is NULL. A cast
// would run the code of the type's owner, who may make one at any time.
inline char* as_text(const char* expression) {
    return psprintf("CASE WHEN %1$s IS DISTINCT FROM NULL THEN pg_catalog.format('%%s', %1$s) END", expression);
}

}  // namespace clientele
