// Types of ours by name, and rows: what a function returns, and what a composite value holds.
#pragma once

#include <span>

#include "pg/kit/nullable.hpp"

namespace clientele {

// A type of the schema clientele; InvalidOid where there is none, as before CREATE EXTENSION has made it.
Oid type_of_ours(const char* name);

// The row type that the function returns.
TupleDesc result_row_type(FunctionCallInfo fcinfo);

// The same for as long as the calling query lives, for functions that are called for each row of it.
TupleDesc lasting_result_row_type(FunctionCallInfo fcinfo);

// A row of a type from all of its columns.
Datum row_of(TupleDesc type, std::span<const NullableDatum> columns);

// A field of a composite value, counted from 1.
inline NullableDatum field_of(HeapTupleHeader row, int number) {
    NullableDatum field;
    field.value = GetAttributeByNum(row, static_cast<AttrNumber>(number), &field.isnull);
    return field;
}

}  // namespace clientele
