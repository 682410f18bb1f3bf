#include "pg/kit/number_array.hpp"

namespace clientele {
namespace {

template <class Number>
std::span<const Number> numbers_of(ArrayType* array) {
    const auto count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    return {reinterpret_cast<const Number*>(ARR_DATA_PTR(array)), static_cast<std::size_t>(count)};
}

}  // namespace

void check_plain_array(ArrayType* array, const char* name, const char* shape_hint, const char* null_hint) {
    if (ARR_NDIM(array) > 1) {
        ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("%s must be an array of one dimension", name),
                        errdetail("It has %d dimensions.", ARR_NDIM(array)), errhint("%s", shape_hint)));
    }
    if (null_hint && array_contains_nulls(array)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not contain NULL", name),
                        errhint("%s", null_hint)));
    }
}

std::span<const double> doubles_of(ArrayType* array) { return numbers_of<double>(array); }
std::span<const std::int64_t> bigints_of(ArrayType* array) { return numbers_of<std::int64_t>(array); }

Datum float_array(std::span<const double> values) {
    auto* elements = reinterpret_cast<Datum*>(const_cast<double*>(values.data()));
    return PointerGetDatum(construct_array(elements, static_cast<int>(values.size()), FLOAT8OID, sizeof(double),
                                           FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

}  // namespace clientele
