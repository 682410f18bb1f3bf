// Purchase and value models as arguments: the name of a kind, and the parameters as an array of numbers or a row.
#pragma once

#include <string_view>

#include "core/score/purchase_model.hpp"
#include "pg/kit/postgres.hpp"

namespace clientele {

// The composite types have the names of the kinds; any other raises an ERROR.
PurchaseKind kind_of_name(std::string_view name);

// The `count` numbers behind a float8[]; another count, or a NULL, raises an ERROR.
const double* numbers_of(ArrayType* array, int count);

// The member of a model's row that has this number, from 1; a NULL raises an ERROR.
double parameter_of(HeapTupleHeader row, int number);

}  // namespace clientele
