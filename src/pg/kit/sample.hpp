// The state of aggregates that need all of their rows at once, such as fits of models: a float8[] of rows of numbers.
//
// It is a type with text input and output, so partial states travel between workers and nodes; and it is PostgreSQL's
// own expanded array, grown in place, so that a row costs an append. Who uses it declares
//   STYPE = pg_catalog.float8[], INITCOND = '{}', a STRICT transition function and a STRICT combine function:
// rows with a NULL are then skipped by the executor, and no state is ever NULL. The order of the rows is that of the
// scan, so the final function sorts what it reads. A state may come from elsewhere: it is input like any other.
#pragma once

#include <span>

#include "pg/kit/postgres.hpp"

namespace clientele {

// The state of the aggregate that fcinfo is a call of (argument 0) with a row appended; raises an ERROR outside of
// aggregates, and where the state would grow beyond 1 GB.
Datum append_to_sample(FunctionCallInfo fcinfo, std::span<const double> row);

// The combine function: argument 0 with all rows of argument 1, rows of this width, appended.
Datum combine_samples(FunctionCallInfo fcinfo, std::size_t width);

// The numbers of a state, flat or expanded, one row of this width after the other; they live as long as the state does,
// or as the current memory context. Raises an ERROR for several dimensions, NULLs and half a row.
std::span<const double> sample_values(Datum state, std::size_t width);

}  // namespace clientele
