#include "pg/kit/sample.hpp"

#include <algorithm>
#include <cstring>

#include "pg/kit/aggregate.hpp"

extern "C" {
#include "utils/expandeddatum.h"
}

namespace clientele {
namespace {

// An expanded array keeps its elements as Datums: here those are the doubles themselves.
static_assert(FLOAT8PASSBYVAL && sizeof(Datum) == sizeof(double), "clientele needs a 64-bit PostgreSQL");

// What the flat form, header included, can hold within PostgreSQL's limit of 1 GB.
constexpr std::size_t max_values = (MaxAllocSize - 64) / sizeof(double);
constexpr std::size_t first_room = 48;

std::span<const double> values_of(const void* data, int dimensions, const int* sizes, bool nulls) {
    if (dimensions > 1) refuse_state("The array has several dimensions.");
    if (nulls) refuse_state("The array has NULLs.");
    return {static_cast<const double*>(data), static_cast<std::size_t>(ArrayGetNItems(dimensions, sizes))};
}

std::span<const double> values_of(const ArrayType* array) {
    return values_of(ARR_DATA_PTR(array), ARR_NDIM(array), ARR_DIMS(array), ARR_HASNULL(array));
}

std::span<const double> values_of(Datum state) {
    if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(state))) return values_of(DatumGetArrayTypeP(state));
    const auto* array = reinterpret_cast<const ExpandedArrayHeader*>(DatumGetEOHP(state));
    if (!array->dvalues) return values_of(array->fvalue);
    return values_of(array->dvalues, array->ndims, array->dims, array->dnulls != nullptr);
}

// The state as an array that can grow in place; nullptr where it is none yet.
ExpandedArrayHeader* growing(Datum state) {
    if (!VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(state))) return nullptr;
    auto* array = reinterpret_cast<ExpandedArrayHeader*>(DatumGetEOHP(state));
    return array->dvalues && array->ndims == 1 && !array->dnulls ? array : nullptr;
}

// A copy of these values that can grow.
ExpandedArrayHeader* grow_from(std::span<const double> values, MemoryContext context) {
    ExpandedArrayHeader* array = construct_empty_expanded_array(FLOAT8OID, context, nullptr);
    MemoryContext own = array->hdr.eoh_context;
    const std::size_t room = std::max(first_room, values.size());
    array->dvalues = static_cast<Datum*>(MemoryContextAlloc(own, room * sizeof(Datum)));
    array->dvalueslen = static_cast<int>(room);
    array->dims = static_cast<int*>(MemoryContextAlloc(own, sizeof(int)));
    array->lbound = static_cast<int*>(MemoryContextAlloc(own, sizeof(int)));
    array->lbound[0] = 1;
    array->dims[0] = array->nelems = static_cast<int>(values.size());
    array->ndims = 1;
    array->flat_size = 0;
    array->fvalue = nullptr;
    array->fstartptr = array->fendptr = nullptr;
    if (!values.empty()) std::memcpy(array->dvalues, values.data(), values.size_bytes());
    return array;
}

void make_room(ExpandedArrayHeader* array, std::size_t needed) {
    if (needed > max_values) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many rows for one aggregate"),
                        errdetail("Its state would exceed 1 GB, or %zu numbers.", max_values),
                        errhint("Take a random sample of the rows.")));
    }
    const std::size_t room = std::min(std::max(needed, 2 * static_cast<std::size_t>(array->dvalueslen)), max_values);
    array->dvalues = static_cast<Datum*>(repalloc(array->dvalues, room * sizeof(Datum)));
    array->dvalueslen = static_cast<int>(room);
}

Datum append(FunctionCallInfo fcinfo, std::span<const double> values) {
    MemoryContext context = aggregate_context(fcinfo);
    ExpandedArrayHeader* array = growing(PG_GETARG_DATUM(0));
    if (!array) array = grow_from(values_of(PG_GETARG_DATUM(0)), context);
    const std::size_t used = static_cast<std::size_t>(array->nelems);
    const std::size_t needed = used + values.size();
    if (needed > static_cast<std::size_t>(array->dvalueslen)) make_room(array, needed);
    if (!values.empty()) std::memcpy(array->dvalues + used, values.data(), values.size_bytes());
    array->dims[0] = array->nelems = static_cast<int>(needed);
    array->flat_size = 0;
    return EOHPGetRWDatum(&array->hdr);
}

}  // namespace

Datum append_to_sample(FunctionCallInfo fcinfo, std::span<const double> row) { return append(fcinfo, row); }

Datum combine_samples(FunctionCallInfo fcinfo, std::size_t width) {
    return append(fcinfo, sample_values(PG_GETARG_DATUM(1), width));
}

std::span<const double> sample_values(Datum state, std::size_t width) {
    const std::span<const double> values = values_of(state);
    if (values.size() % width != 0) refuse_state("The last row is not complete.");
    return values;
}

}  // namespace clientele
