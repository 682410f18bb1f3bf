#pragma once

#include "pg/kit/postgres.hpp"

namespace clientele {

// Notes in a store's table health, which monitoring reads, that a statement could not be noted; once, until a refresh
// has taken it back. As the store's owner. Raises an ERROR where that would have to wait.
void write_failure_to_health(Oid schema);

}  // namespace clientele
