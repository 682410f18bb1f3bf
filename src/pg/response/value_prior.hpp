// The type clientele.value_prior as an argument.
#pragma once

#include "core/response/order_value.hpp"

#include "pg/kit/postgres.hpp"

namespace clientele {

// Checked: a NULL in it, or a number that no store can have, raises an ERROR.
ValuePrior value_prior(HeapTupleHeader row);

}  // namespace clientele
