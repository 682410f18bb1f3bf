// k-means: src/sql/17-kmeans.sql says what each function returns.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "core/score/kmeans.hpp"
#include "core/score/silhouette.hpp"

#include "pg/kit/interrupts.hpp"
#include "pg/kit/number_array.hpp"
#include "pg/kit/row.hpp"
#include "pg/kit/sample.hpp"

extern "C" {
#include "utils/typcache.h"
}

using namespace clientele;

namespace {

// ---- The aggregates' state: a header, then the rows ----

// All but `dimensions` are arguments of the aggregates.
struct Header {
    double dimensions, k, seed_high, seed_low, standardize, restarts;

    KmeansOptions options() const {
        const auto high = static_cast<std::uint64_t>(seed_high), low = static_cast<std::uint64_t>(seed_low);
        return {static_cast<int>(k), high << 32 | low, static_cast<int>(restarts)};
    }
};
constexpr std::size_t header_size = sizeof(Header) / sizeof(double);

struct State {
    Header header;
    std::span<const double> rows;
};

void refuse_null(FunctionCallInfo fcinfo, int argument, const char* name) {
    if (argument >= PG_NARGS() || !PG_ARGISNULL(argument)) return;
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", name),
                    errhint("A NULL among the features leaves a row out; the other arguments are settings.")));
}

// The settings among the arguments (state, features, k [, seed [, standardize [, restarts]]]).
Header settings_of(FunctionCallInfo fcinfo) {
    static constexpr const char* names[] = {"k", "seed", "standardize", "restarts"};
    for (int i = 0; i < 4; ++i) refuse_null(fcinfo, i + 2, names[i]);
    const auto seed = PG_NARGS() > 3 ? static_cast<std::uint64_t>(PG_GETARG_INT64(3)) : 0;
    return {0,
            static_cast<double>(PG_GETARG_INT32(2)),
            static_cast<double>(seed >> 32),
            static_cast<double>(seed & 0xFFFFFFFF),
            static_cast<double>(PG_NARGS() > 4 && PG_GETARG_BOOL(4)),
            static_cast<double>(PG_NARGS() > 5 ? PG_GETARG_INT32(5) : default_restarts)};
}

bool is_whole(double value, double least, double most) {
    return value >= least && value <= most && value == std::floor(value);
}

bool is_possible(const Header& header) {
    constexpr double half = 0xFFFFFFFF;
    return is_whole(header.dimensions, 1, max_dimensions) && is_whole(header.k, 1, max_clusters) &&
           is_whole(header.seed_high, 0, half) && is_whole(header.seed_low, 0, half) &&
           is_whole(header.standardize, 0, 1) && is_whole(header.restarts, 1, max_restarts);
}

// A state that is not empty. It may come from elsewhere, so it is checked.
State state_of(Datum datum) {
    const std::span<const double> values = sample_values(datum, 1);
    State state{};
    if (values.size() >= header_size) std::memcpy(&state.header, values.data(), sizeof state.header);
    if (!is_possible(state.header) || values.size() == header_size ||
        (values.size() - header_size) % static_cast<std::size_t>(state.header.dimensions) != 0) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid state of an aggregate"),
                        errdetail("Its first numbers are no settings of kmeans(), or its last row is not complete."),
                        errhint("States are made by the aggregate itself.")));
    }
    state.rows = values.subspan(header_size);
    return state;
}

bool is_empty(Datum state) { return sample_values(state, 1).empty(); }

void refuse_other_settings(const char* name, double first, double now) {
    if (first == now) return;
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be the same for all rows", name),
                    errdetail("It is %.0f in one row and %.0f in another.", first, now),
                    errhint("Use GROUP BY for a model of each group of rows.")));
}

void refuse_other_settings(const Header& first, const Header& now) {
    refuse_other_settings("k", first.k, now.k);
    refuse_other_settings("standardize", first.standardize, now.standardize);
    refuse_other_settings("restarts", first.restarts, now.restarts);
    if (first.seed_high != now.seed_high || first.seed_low != now.seed_low) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("seed must be the same for all rows"),
                        errhint("Use GROUP BY for a model of each group of rows.")));
    }
    if (first.dimensions != now.dimensions) {
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("features must have the same length in all rows"),
                 errdetail("There are %.0f in one row and %.0f in another.", first.dimensions, now.dimensions),
                 errhint("A feature that is not known of all rows can be NULL: that leaves the row out.")));
    }
}

// ---- Arrays ----

// The numbers of a row; nullptr as data where one of them is NULL. Only the shape is checked.
std::span<const double> features_of(ArrayType* array) {
    if (ARR_NDIM(array) > 1) {
        ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("features must be an array of one dimension"),
                        errdetail("It has %d dimensions.", ARR_NDIM(array))));
    }
    if (array_contains_nulls(array)) return {};
    const std::span<const double> features = doubles_of(array);
    return features.empty() ? std::span(reinterpret_cast<const double*>(array), 0) : features;
}

Datum float_matrix(const double* values, int rows, int columns) {
    int sizes[] = {rows, columns}, bounds[] = {1, 1};
    return PointerGetDatum(construct_md_array(reinterpret_cast<Datum*>(const_cast<double*>(values)), nullptr, 2, sizes,
                                              bounds, FLOAT8OID, sizeof(double), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

double* doubles(std::size_t count) { return static_cast<double*>(palloc0(count * sizeof(double))); }

// ---- Models as plain data, and as datums ----

struct PlainModel {
    int k, d;
    double* centroids;
    Datum* sizes;
    double inertia;
    int iterations;
    bool converged;
    double *means, *scales;  // nullptr where the features are not standardised
};

PlainModel room_for_model(const Header& header, int k) {
    const auto d = static_cast<std::size_t>(header.dimensions);
    const bool scaled = header.standardize == 1;
    return {k,
            static_cast<int>(d),
            doubles(static_cast<std::size_t>(k) * d),
            static_cast<Datum*>(palloc0(static_cast<std::size_t>(k) * sizeof(Datum))),
            0,
            0,
            false,
            scaled ? doubles(d) : nullptr,
            scaled ? doubles(d) : nullptr};
}

void copy_model(const KmeansModel& model, const PointSet& points, PlainModel& out) {
    std::copy(model.centroids.begin(), model.centroids.end(), out.centroids);
    std::transform(model.sizes.begin(), model.sizes.end(), out.sizes, [](std::int64_t n) { return Int64GetDatum(n); });
    out.inertia = model.inertia;
    out.iterations = model.iterations;
    out.converged = model.converged;
    if (!out.means) return;
    std::copy(points.means().begin(), points.means().end(), out.means);
    std::copy(points.scales().begin(), points.scales().end(), out.scales);
}

Datum model_datum(const PlainModel& model, TupleDesc type) {
    Datum sizes = PointerGetDatum(construct_array(model.sizes, model.k, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
    const auto d = static_cast<std::size_t>(model.d);
    const NullableDatum members[] = {known_datum(float_matrix(model.centroids, model.k, model.d)),
                                     known_datum(sizes),
                                     known_datum(Float8GetDatum(model.inertia)),
                                     known_datum(Int32GetDatum(model.iterations)),
                                     known_datum(BoolGetDatum(model.converged)),
                                     model.means ? known_datum(float_array({model.means, d})) : null_datum,
                                     model.means ? known_datum(float_array({model.scales, d})) : null_datum};
    return row_of(type, members);
}

struct PlainCandidate {
    double silhouette;
    bool chosen;
    PlainModel model;
};

// kmeans_candidate[], the declared result of the function.
Datum candidates_datum(FunctionCallInfo fcinfo, const PlainCandidate* candidates, int count) {
    const Oid row = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
    TupleDesc type = lookup_rowtype_tupdesc_copy(row, -1);
    TupleDesc model_type = lookup_rowtype_tupdesc_copy(TupleDescAttr(type, 4)->atttypid, -1);
    auto* rows = static_cast<Datum*>(palloc(static_cast<std::size_t>(count) * sizeof(Datum)));
    for (int i = 0; i < count; ++i) {
        const PlainCandidate& candidate = candidates[i];
        const NullableDatum members[] = {
            known_datum(Int32GetDatum(candidate.model.k)), known_datum(Float8GetDatum(candidate.silhouette)),
            known_datum(Float8GetDatum(candidate.model.inertia)), known_datum(BoolGetDatum(candidate.chosen)),
            known_datum(model_datum(candidate.model, model_type))};
        rows[i] = row_of(type, members);
    }
    return PointerGetDatum(construct_array(rows, count, row, -1, false, TYPALIGN_DOUBLE));
}

PointSet points_of(const State& state) {
    const auto d = static_cast<std::size_t>(state.header.dimensions);
    for (std::size_t at = 0; at < state.rows.size(); at += d) check_features(state.rows.subspan(at, d));
    PointSet points(state.rows, d, poll_interrupts);
    if (state.header.standardize == 1) points.standardize();
    return points;
}

// ---- Which centroid is nearest ----

// A model that was found to be sound, as its arrays were given; in the memory of the calling expression.
struct Checked {
    std::size_t size, scales_size;
    std::size_t k, d;
    const char* given;  // the arrays
    double *centroids, *factors;
};

[[noreturn]] void refuse_model(const char* detail) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid k-means model"), errdetail("%s", detail),
                    errhint("Models are made by the aggregate kmeans().")));
    pg_unreachable();
}

bool are_usable(std::span<const double> values) {
    return std::all_of(values.begin(), values.end(), [](double value) { return std::abs(value) <= max_feature; });
}

void check_centroids(ArrayType* centroids, ArrayType* scales) {
    if (ARR_NDIM(centroids) != 2 || array_contains_nulls(centroids)) {
        refuse_model("Centroids are an array of two dimensions without NULLs, one row for each cluster.");
    }
    if (ARR_DIMS(centroids)[0] > max_clusters || ARR_DIMS(centroids)[1] > static_cast<int>(max_dimensions)) {
        refuse_model("It has too many centroids or features.");
    }
    if (!are_usable(doubles_of(centroids))) refuse_model("A centroid is not finite, or beyond any feature.");
    if (!scales) return;
    if (ARR_NDIM(scales) != 1 || array_contains_nulls(scales) || ARR_DIMS(scales)[0] != ARR_DIMS(centroids)[1]) {
        refuse_model("There is not one scale for each feature.");
    }
    for (const double scale : doubles_of(scales)) {
        if (!(scale > 0 && std::isnormal(scale) && std::isnormal(1 / scale))) {
            refuse_model("A scale is not a positive number.");
        }
    }
}

bool is_cached(const Checked* cache, ArrayType* centroids, ArrayType* scales) {
    const std::size_t scales_size = scales ? VARSIZE(scales) : 0;
    return cache && cache->size == VARSIZE(centroids) && cache->scales_size == scales_size &&
           std::memcmp(cache->given, centroids, cache->size) == 0 &&
           (!scales || std::memcmp(cache->given + cache->size, scales, scales_size) == 0);
}

Checked* make_checked(FmgrInfo* function, ArrayType* centroids, ArrayType* scales) {
    check_centroids(centroids, scales);
    const std::size_t size = VARSIZE(centroids), scales_size = scales ? VARSIZE(scales) : 0;
    MemoryContext context = AllocSetContextCreate(function->fn_mcxt, "k-means model", ALLOCSET_SMALL_SIZES);
    MemoryContext before = MemoryContextSwitchTo(context);
    const auto k = static_cast<std::size_t>(ARR_DIMS(centroids)[0]),
               d = static_cast<std::size_t>(ARR_DIMS(centroids)[1]);
    auto* given = static_cast<char*>(palloc(size + scales_size));
    std::memcpy(given, centroids, size);
    if (scales) std::memcpy(given + size, scales, scales_size);
    auto* cache = static_cast<Checked*>(palloc(sizeof(Checked)));
    *cache = {size, scales_size, k, d, given, doubles(k * d), doubles(d)};
    std::copy_n(doubles_of(centroids).data(), k * d, cache->centroids);
    for (std::size_t j = 0; j < d; ++j) cache->factors[j] = scales ? 1 / doubles_of(scales)[j] : 1;
    MemoryContextSwitchTo(before);
    return cache;
}

// The model of these arrays, from the last call where they are the same.
const Checked& checked_model(FmgrInfo* function, ArrayType* centroids, ArrayType* scales) {
    auto* cache = static_cast<Checked*>(function->fn_extra);
    if (!is_cached(cache, centroids, scales)) {
        Checked* fresh = make_checked(function, centroids, scales);
        if (cache) MemoryContextDelete(GetMemoryChunkContext(cache));
        function->fn_extra = cache = fresh;
    }
    return *cache;
}

int nearest(const Checked& model, std::span<const double> features) {
    if (features.size() != model.d) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("features do not fit the k-means model"),
                        errdetail("There are %zu; the model has %zu.", features.size(), model.d),
                        errhint("Give the features that the model was fitted to, in the same order.")));
    }
    return 1 + nearest_centroid(features, {model.centroids, model.k * model.d}, {model.factors, model.d});
}

// An array of a model's row; nullptr where it is NULL.
ArrayType* array_field(HeapTupleHeader row, int number) {
    const NullableDatum array = field_of(row, number);
    return array.isnull ? nullptr : DatumGetArrayTypeP(array.value);
}

bool has_length(ArrayType* array, int length) {
    return ARR_NDIM(array) == 1 && ARR_DIMS(array)[0] == length && !array_contains_nulls(array);
}

}  // namespace

// ---- Aggregates ----

CLIENTELE_FUNCTION(clientele_kmeans_add) {
    if (PG_ARGISNULL(0)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the state of an aggregate must not be NULL"),
                        errhint("An aggregate with this transition function needs INITCOND = '{}'.")));
    }
    Header header = settings_of(fcinfo);
    KmeansOptions options = header.options();
    think([&] { check(options); });
    if (PG_ARGISNULL(1)) PG_RETURN_DATUM(PG_GETARG_DATUM(0));
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(1);
    const std::span<const double> features = features_of(array);
    if (!features.data()) PG_RETURN_DATUM(PG_GETARG_DATUM(0));
    think([&] { check_features(features); });
    header.dimensions = static_cast<double>(features.size());
    if (is_empty(PG_GETARG_DATUM(0))) {
        PG_GETARG_DATUM(0) = append_to_sample(fcinfo, {&header.dimensions, header_size});
    } else {
        refuse_other_settings(state_of(PG_GETARG_DATUM(0)).header, header);
    }
    PG_RETURN_DATUM(append_to_sample(fcinfo, features));
}

CLIENTELE_FUNCTION(clientele_kmeans_combine) {
    if (is_empty(PG_GETARG_DATUM(1))) PG_RETURN_DATUM(PG_GETARG_DATUM(0));
    const State other = state_of(PG_GETARG_DATUM(1));
    if (is_empty(PG_GETARG_DATUM(0))) PG_RETURN_DATUM(combine_samples(fcinfo, 1));
    refuse_other_settings(state_of(PG_GETARG_DATUM(0)).header, other.header);
    PG_RETURN_DATUM(append_to_sample(fcinfo, other.rows));
}

CLIENTELE_FUNCTION(clientele_kmeans_final) {
    if (is_empty(PG_GETARG_DATUM(0))) PG_RETURN_NULL();
    const State state = state_of(PG_GETARG_DATUM(0));
    TupleDesc type = result_row_type(fcinfo);
    PlainModel model = room_for_model(state.header, static_cast<int>(state.header.k));
    think_interruptibly([&] {
        const PointSet points = points_of(state);
        copy_model(fit_kmeans(points, state.header.options(), poll_interrupts), points, model);
    });
    PG_RETURN_DATUM(model_datum(model, type));
}

CLIENTELE_FUNCTION(clientele_kmeans_start_final) {
    if (is_empty(PG_GETARG_DATUM(0))) PG_RETURN_NULL();
    const State state = state_of(PG_GETARG_DATUM(0));
    const PlainModel model = room_for_model(state.header, static_cast<int>(state.header.k));
    think_interruptibly([&] {
        const auto start = kmeans_start(points_of(state), state.header.options(), 0, poll_interrupts);
        std::copy(start.begin(), start.end(), model.centroids);
    });
    PG_RETURN_DATUM(float_matrix(model.centroids, model.k, model.d));
}

CLIENTELE_FUNCTION(clientele_kmeans_candidate_final) {
    if (is_empty(PG_GETARG_DATUM(0))) PG_RETURN_NULL();
    const State state = state_of(PG_GETARG_DATUM(0));
    PlainCandidate plain{0, true, room_for_model(state.header, static_cast<int>(state.header.k))};
    think_interruptibly([&] {
        const PointSet points = points_of(state);
        const KmeansCandidate candidate = kmeans_candidate(points, state.header.options(), poll_interrupts);
        plain.silhouette = candidate.silhouette;
        copy_model(candidate.model, points, plain.model);
    });
    PG_RETURN_DATUM(candidates_datum(fcinfo, &plain, 1));
}

CLIENTELE_FUNCTION(clientele_kmeans_candidates_final) {
    if (is_empty(PG_GETARG_DATUM(0))) PG_RETURN_NULL();
    const State state = state_of(PG_GETARG_DATUM(0));
    const int most = static_cast<int>(state.header.k);
    if (most < 2 || most > max_candidate) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_k is out of range"),
                        errdetail("It is %d.", most), errhint("max_k is from 2 to %d.", max_candidate)));
    }
    PlainCandidate plain[max_candidate];
    for (int k = 2; k <= most; ++k) plain[k - 2] = {0, false, room_for_model(state.header, k)};
    int count = 0;
    think_interruptibly([&] {
        const PointSet points = points_of(state);
        for (const KmeansCandidate& candidate : kmeans_candidates(points, state.header.options(), poll_interrupts)) {
            plain[count].silhouette = candidate.silhouette;
            plain[count].chosen = candidate.chosen;
            copy_model(candidate.model, points, plain[count++].model);
        }
    });
    PG_RETURN_DATUM(candidates_datum(fcinfo, plain, count));
}

// ---- Assignment ----

CLIENTELE_FUNCTION(clientele_nearest_cluster) {
    HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(0);
    ArrayType *centroids = array_field(row, 1), *sizes = array_field(row, 2);
    ArrayType *means = array_field(row, 6), *scales = array_field(row, 7);
    if (!centroids) refuse_model("It has no centroids.");
    const Checked& model = checked_model(fcinfo->flinfo, centroids, scales);
    if (!sizes || !has_length(sizes, static_cast<int>(model.k)))
        refuse_model("There is not one size for each cluster.");
    if (!means != !scales || (means && !has_length(means, static_cast<int>(model.d)))) {
        refuse_model("Means and scales are given both, one for each feature, or not at all.");
    }
    const std::span<const double> features = features_of(PG_GETARG_ARRAYTYPE_P(1));
    if (!features.data()) PG_RETURN_NULL();
    think([&] { check_features(features); });
    PG_RETURN_INT32(nearest(model, features));
}

CLIENTELE_FUNCTION(clientele_nearest_centroid) {
    const Checked& model = checked_model(fcinfo->flinfo, PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_ARRAYTYPE_P(1));
    const std::span<const double> features = features_of(PG_GETARG_ARRAYTYPE_P(2));
    if (!features.data() || !are_usable(features)) PG_RETURN_NULL();
    PG_RETURN_INT32(nearest(model, features));
}
