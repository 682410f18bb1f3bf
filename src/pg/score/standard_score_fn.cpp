// Features in standard deviations: src/sql/57-learn.sql says what each function returns.
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "core/score/standard_score.hpp"

#include "pg/kit/boundary.hpp"
#include "pg/kit/number_array.hpp"

using namespace clientele;

namespace {

// The rows of an array of two dimensions.
struct Matrix {
    std::span<const double> values;
    std::size_t rows;

    std::span<const double> row(int number) const {
        const std::size_t columns = values.size() / rows;
        return values.subspan(static_cast<std::size_t>(number - 1) * columns, columns);
    }
    bool has_row(int number) const { return number >= 1 && static_cast<std::size_t>(number) <= rows; }
};

// None where the array has another shape, or NULLs: a model that somebody wrote by hand is compared with nothing.
Matrix matrix_argument(FunctionCallInfo fcinfo, int argument, std::size_t columns) {
    if (PG_ARGISNULL(argument)) return {};
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(argument);
    if (ARR_NDIM(array) != 2 || static_cast<std::size_t>(ARR_DIMS(array)[1]) != columns || array_contains_nulls(array))
        return {};
    return {doubles_of(array), static_cast<std::size_t>(ARR_DIMS(array)[0])};
}

std::span<const double> deviations_argument(FunctionCallInfo fcinfo, int argument) {
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(argument);
    check_plain_array(array, "deviations", "Give one for each feature.", "Give one for each feature.");
    return doubles_of(array);
}

// NaN for a NULL.
std::span<const double> values_or_unknown(ArrayType* array) {
    Datum* elements;
    bool* nulls;
    int count;
    deconstruct_array(array, FLOAT8OID, sizeof(double), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &count);
    auto* values = static_cast<double*>(palloc(static_cast<std::size_t>(Max(count, 1)) * sizeof(double)));
    for (int i = 0; i < count; ++i) {
        values[i] = nulls[i] ? std::numeric_limits<double>::quiet_NaN() : DatumGetFloat8(elements[i]);
    }
    return {values, static_cast<std::size_t>(count)};
}

// An array of these, NULL for those that are not known.
Datum array_with_nulls(Datum* elements, bool* nulls, std::size_t count, Oid type, int size, bool by_value,
                       char alignment) {
    int length = static_cast<int>(count), bound = 1;
    return PointerGetDatum(
        construct_md_array(elements, nulls, count > 0 ? 1 : 0, &length, &bound, type, size, by_value, alignment));
}

}  // namespace

CLIENTELE_FUNCTION(clientele_standard_scores) {
    const std::span<const double> values = values_or_unknown(PG_GETARG_ARRAYTYPE_P(0)),
                                  means = values_or_unknown(PG_GETARG_ARRAYTYPE_P(1)),
                                  deviations = values_or_unknown(PG_GETARG_ARRAYTYPE_P(2));
    const std::size_t count = std::min({values.size(), means.size(), deviations.size()});
    auto* scores = static_cast<Datum*>(palloc((count + 1) * sizeof(Datum)));
    auto* nulls = static_cast<bool*>(palloc((count + 1) * sizeof(bool)));
    for (std::size_t i = 0; i < count; ++i) {
        const double score = standard_score(values[i], means[i], deviations[i]);
        scores[i] = Float8GetDatum(score);
        nulls[i] = std::isnan(score);
    }
    PG_RETURN_DATUM(
        array_with_nulls(scores, nulls, count, FLOAT8OID, sizeof(double), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

CLIENTELE_FUNCTION(clientele_standard_distance) {
    const std::span<const double> deviations = deviations_argument(fcinfo, 4);
    const Matrix a = matrix_argument(fcinfo, 0, deviations.size()), b = matrix_argument(fcinfo, 2, deviations.size());
    const int i = PG_GETARG_INT32(1), j = PG_GETARG_INT32(3);
    if (!a.has_row(i) || !b.has_row(j)) PG_RETURN_NULL();
    PG_RETURN_FLOAT8(standard_distance(a.row(i), b.row(j), deviations));
}

CLIENTELE_FUNCTION(clientele_match_centroids) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(2)) PG_RETURN_NULL();
    const std::span<const double> deviations = deviations_argument(fcinfo, 2);
    const Matrix centroids = matrix_argument(fcinfo, 0, deviations.size()),
                 former = matrix_argument(fcinfo, 1, deviations.size());
    auto* matched = static_cast<Datum*>(palloc0((centroids.rows + 1) * sizeof(Datum)));
    auto* nulls = static_cast<bool*>(palloc0((centroids.rows + 1) * sizeof(bool)));
    think([&] {
        const std::vector<int> numbers = match_points(centroids.values, former.values, deviations);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            matched[i] = Int32GetDatum(numbers[i] + 1);
            nulls[i] = numbers[i] < 0;
        }
    });
    PG_RETURN_DATUM(
        array_with_nulls(matched, nulls, centroids.rows, INT4OID, sizeof(std::int32_t), true, TYPALIGN_INT));
}

CLIENTELE_FUNCTION(clientele_cubed_score) {
    const double cube = cubed_score(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2));
    if (std::isnan(cube)) PG_RETURN_NULL();
    PG_RETURN_FLOAT8(cube);
}

CLIENTELE_FUNCTION(clientele_is_skewed) {
    PG_RETURN_BOOL(is_skewed(
        {PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4)}));
}
