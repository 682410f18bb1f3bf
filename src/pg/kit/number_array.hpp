// Arrays of numbers as arguments and results.
#pragma once

#include <cstdint>
#include <span>

#include "pg/kit/postgres.hpp"

namespace clientele {

// Refuses an array of several dimensions, and one with NULLs where `null_hint` is given, which says what to do instead.
void check_plain_array(ArrayType* array, const char* name, const char* shape_hint, const char* null_hint);

// The numbers of a float8[] or bigint[] of one dimension without NULLs; they live as long as the array.
std::span<const double> doubles_of(ArrayType* array);
std::span<const std::int64_t> bigints_of(ArrayType* array);

// A float8[] of these numbers.
Datum float_array(std::span<const double> values);

}  // namespace clientele
