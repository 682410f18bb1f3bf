// Lift, power and the worth of arms: src/sql/21-lift.sql says what each function returns.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <type_traits>

#include "core/experiment/arm_value.hpp"
#include "core/experiment/experiment.hpp"
#include "core/experiment/lift.hpp"
#include "core/experiment/sequential.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/number_array.hpp"

using namespace clientele;

namespace {

// ---- The aggregates' state ----

// A bytea, so that partial states travel between workers and nodes; changed in place.
struct StateDatum {
    std::int32_t varlena_header;
    std::int32_t padding;
    Comparison comparison;
};
static_assert(std::is_trivially_destructible_v<Comparison> && std::is_trivially_copyable_v<Comparison>);
static_assert(std::has_unique_object_representations_v<Comparison>);

[[noreturn]] void refuse_state(const char* detail) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid state of an aggregate"),
                    errdetail("%s", detail), errhint("States are made by the aggregate itself.")));
    pg_unreachable();
}

MemoryContext aggregate_context(FunctionCallInfo fcinfo) {
    MemoryContext context;
    if (!AggCheckCallContext(fcinfo, &context)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("this function can only be called as part of an aggregate")));
    }
    return context;
}

StateDatum* state_argument(FunctionCallInfo fcinfo, int argument) {
    auto* state = reinterpret_cast<StateDatum*>(PG_GETARG_BYTEA_P(argument));
    if (VARSIZE(state) != sizeof(StateDatum)) refuse_state("It has not the length of a state.");
    return state;
}

// The state to add a row to: argument 0, or a new one.
StateDatum* growing_state(FunctionCallInfo fcinfo, Rows rows) {
    MemoryContext context = aggregate_context(fcinfo);
    if (!PG_ARGISNULL(0)) {
        StateDatum* state = state_argument(fcinfo, 0);
        if (state->comparison.rows != rows) refuse_state("It is not a state of this aggregate.");
        return state;
    }
    auto* state = static_cast<StateDatum*>(MemoryContextAllocZero(context, sizeof(StateDatum)));
    SET_VARSIZE(state, sizeof(StateDatum));
    state->comparison.rows = rows;
    return state;
}

// What a transition function returns where the row is skipped.
Datum unchanged_state(FunctionCallInfo fcinfo) {
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    return PG_GETARG_DATUM(0);
}

// Argument 0 of a final function, which may be aligned as a tuple aligns it; no rows where it is NULL.
Comparison comparison_argument(FunctionCallInfo fcinfo, Rows rows) {
    Comparison comparison;
    comparison.rows = rows;
    if (!PG_ARGISNULL(0)) {
        const auto* state = reinterpret_cast<const char*>(state_argument(fcinfo, 0));
        std::memcpy(&comparison, state + offsetof(StateDatum, comparison), sizeof comparison);
    }
    return comparison;
}

// ---- Composite values ----

// NaN is how the core says that something cannot be known; what is beyond doubles cannot either.
void set_member(double value, Datum& datum, bool& is_null) {
    is_null = !std::isfinite(value);
    if (!is_null) datum = Float8GetDatum(value);
}

// A row of the function's result type: bigints first, then the doubles.
Datum row_of(FunctionCallInfo fcinfo, std::span<const std::int64_t> counts, std::span<const double> numbers) {
    Datum values[17] = {};
    bool nulls[17] = {};
    TupleDesc type;
    get_call_result_type(fcinfo, nullptr, &type);
    for (std::size_t i = 0; i < counts.size(); ++i) values[i] = Int64GetDatum(counts[i]);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        set_member(numbers[i], values[counts.size() + i], nulls[counts.size() + i]);
    }
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(type), values, nulls));
}

// The members of a lift that are doubles, in the order of the SQL type.
constexpr double Lift::*lift_members[] = {&Lift::mean_control,
                                          &Lift::mean_treated,
                                          &Lift::sd_control,
                                          &Lift::sd_treated,
                                          &Lift::effect,
                                          &Lift::se,
                                          &Lift::df,
                                          &Lift::ci_low,
                                          &Lift::ci_high,
                                          &Lift::p_value,
                                          &Lift::relative_effect,
                                          &Lift::relative_ci_low,
                                          &Lift::relative_ci_high,
                                          &Lift::theta,
                                          &Lift::variance_reduction};
constexpr std::size_t lift_member_count = std::size(lift_members);

Datum lift_datum(FunctionCallInfo fcinfo, const Lift& lift) {
    const std::int64_t counts[] = {lift.n_control, lift.n_treated};
    double numbers[lift_member_count];
    std::transform(std::begin(lift_members), std::end(lift_members), numbers,
                   [&](auto member) { return lift.*member; });
    return row_of(fcinfo, counts, numbers);
}

std::int64_t count_member(HeapTupleHeader row, AttrNumber number) {
    bool is_null = false;
    const Datum value = GetAttributeByNum(row, number, &is_null);
    return is_null ? 0 : DatumGetInt64(value);
}

Lift lift_of_datum(Datum datum) {
    HeapTupleHeader row = DatumGetHeapTupleHeader(datum);
    Lift lift;
    lift.n_control = count_member(row, 1);
    lift.n_treated = count_member(row, 2);
    for (std::size_t i = 0; i < lift_member_count; ++i) {
        bool is_null = false;
        const Datum value = GetAttributeByNum(row, static_cast<AttrNumber>(i + 3), &is_null);
        if (!is_null) lift.*lift_members[i] = DatumGetFloat8(value);
    }
    return lift;
}

// The lifts of a lift_result[]; NULLs are left out.
std::span<const Lift> lifts_of(ArrayType* array) {
    Datum* elements;
    bool* nulls;
    int count;
    deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &elements, &nulls, &count);
    auto* lifts = static_cast<Lift*>(palloc(static_cast<std::size_t>(Max(count, 1)) * sizeof(Lift)));
    std::size_t used = 0;
    for (int i = 0; i < count; ++i) {
        if (!nulls[i]) lifts[used++] = lift_of_datum(elements[i]);
    }
    return {lifts, used};
}

// ---- Arguments ----

double number_or_zero(FunctionCallInfo fcinfo, int argument) {
    return PG_ARGISNULL(argument) ? 0 : PG_GETARG_FLOAT8(argument);
}

int nulls_among(FunctionCallInfo fcinfo, int first, int last) {
    int nulls = 0;
    for (int argument = first; argument <= last; ++argument) nulls += PG_ARGISNULL(argument);
    return nulls;
}

// The sums of one arm: three of the outcome from `outcome` on, three of the covariate from `covariate` on.
GivenMoments moments_argument(FunctionCallInfo fcinfo, int outcome, int covariate) {
    return {PG_GETARG_INT64(outcome),
            PG_GETARG_FLOAT8(outcome + 1),
            PG_GETARG_FLOAT8(outcome + 2),
            number_or_zero(fcinfo, covariate),
            number_or_zero(fcinfo, covariate + 1),
            number_or_zero(fcinfo, covariate + 2)};
}

std::span<const double> doubles_argument(FunctionCallInfo fcinfo, int argument, const char* name) {
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(argument);
    check_plain_array(array, name, "Write ARRAY[1.5, 2.5] for two arms.",
                      "Leave out the arms that it is not known of.");
    return doubles_of(array);
}

// A function of a lift that gives a number, or NULL.
Datum number_of_lift(FunctionCallInfo fcinfo, double (*function)(const Lift&)) {
    const Lift lift = lift_of_datum(PG_GETARG_DATUM(0));
    double number = 0;
    think([&] { number = function(lift); });
    if (std::isnan(number)) PG_RETURN_NULL();
    PG_RETURN_FLOAT8(number);
}

Power power_argument(FunctionCallInfo fcinfo, int argument) {
    return {PG_GETARG_FLOAT8(argument), PG_GETARG_FLOAT8(argument + 1)};
}

// A function of estimates of arms that gives a number for each.
template <class Function>
Datum number_per_arm(FunctionCallInfo fcinfo, Function function) {
    const std::span<const double> means = doubles_argument(fcinfo, 0, "means"),
                                  ses = doubles_argument(fcinfo, 1, "ses");
    auto* numbers = static_cast<double*>(palloc((means.size() + 1) * sizeof(double)));
    think([&] {
        const std::vector<double> result = function(means, ses);
        std::copy(result.begin(), result.end(), numbers);
    });
    return float_array({numbers, means.size()});
}

}  // namespace

// ---- Aggregates ----

CLIENTELE_FUNCTION(clientele_lift_add) {
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) return unchanged_state(fcinfo);
    StateDatum* state = growing_state(fcinfo, Rows::outcomes);
    const double outcome = PG_GETARG_FLOAT8(1);
    const bool is_treated = PG_GETARG_BOOL(2);
    think([&] { state->comparison.add_outcome(outcome, is_treated); });
    PG_RETURN_POINTER(state);
}

CLIENTELE_FUNCTION(clientele_lift_add_adjusted) {
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) return unchanged_state(fcinfo);
    StateDatum* state = growing_state(fcinfo, Rows::adjusted);
    const double outcome = PG_GETARG_FLOAT8(1), covariate = number_or_zero(fcinfo, 3);
    const bool is_treated = PG_GETARG_BOOL(2);
    think([&] { state->comparison.add_adjusted(outcome, covariate, is_treated); });
    PG_RETURN_POINTER(state);
}

CLIENTELE_FUNCTION(clientele_lift_ratio_add) {
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3)) return unchanged_state(fcinfo);
    StateDatum* state = growing_state(fcinfo, Rows::ratios);
    const double numerator = PG_GETARG_FLOAT8(1), denominator = PG_GETARG_FLOAT8(2);
    const bool is_treated = PG_GETARG_BOOL(3);
    think([&] { state->comparison.add_ratio(numerator, denominator, is_treated); });
    PG_RETURN_POINTER(state);
}

CLIENTELE_FUNCTION(clientele_arm_value_add) {
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) return unchanged_state(fcinfo);
    StateDatum* state = growing_state(fcinfo, Rows::weighted);
    const double outcome = PG_GETARG_FLOAT8(1), propensity = PG_GETARG_FLOAT8(2);
    think([&] { state->comparison.add_weighted(outcome, propensity); });
    PG_RETURN_POINTER(state);
}

CLIENTELE_FUNCTION(clientele_lift_combine) {
    aggregate_context(fcinfo);
    StateDatum* state = state_argument(fcinfo, 0);
    const auto* other = reinterpret_cast<const char*>(state_argument(fcinfo, 1));
    Comparison more;
    std::memcpy(&more, other + offsetof(StateDatum, comparison), sizeof more);
    think([&] {
        more.check(more.rows);
        state->comparison.merge(more);
    });
    PG_RETURN_POINTER(state);
}

CLIENTELE_FUNCTION(clientele_lift_final) {
    const Comparison comparison = comparison_argument(fcinfo, Rows::outcomes);
    Lift lift;
    think([&] { lift = lift_of(comparison); });
    return lift_datum(fcinfo, lift);
}

CLIENTELE_FUNCTION(clientele_arm_value_final) {
    const Comparison comparison = comparison_argument(fcinfo, Rows::weighted);
    ArmEstimate arm;
    think([&] { arm = arm_value(comparison); });
    const std::int64_t customers[] = {arm.customers};
    const double numbers[] = {arm.mean, arm.se, arm.ci_low, arm.ci_high};
    return row_of(fcinfo, customers, numbers);
}

// ---- Functions ----

CLIENTELE_FUNCTION(clientele_lift_from_moments) {
    if (nulls_among(fcinfo, 0, 5) > 0) PG_RETURN_NULL();
    const int without = nulls_among(fcinfo, 6, 11);
    if (without != 0 && without != 6) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("sums of the covariate are incomplete"),
                        errdetail("%d of 6 are NULL.", without),
                        errhint("Pass sum, sum of squares and sum of products of both arms, or none of them.")));
    }
    const GivenMoments control = moments_argument(fcinfo, 0, 6), treated = moments_argument(fcinfo, 3, 9);
    Lift lift;
    think([&] {
        Comparison comparison;
        comparison.rows = without == 0 ? Rows::adjusted : Rows::outcomes;
        comparison.control = checked_moments(control, "control");
        comparison.treated = checked_moments(treated, "treated");
        lift = lift_of(comparison);
    });
    return lift_datum(fcinfo, lift);
}

CLIENTELE_FUNCTION(clientele_combine_lift) {
    const std::span<const Lift> strata = lifts_of(PG_GETARG_ARRAYTYPE_P(0));
    Lift lift;
    think([&] { lift = combined_lift(strata); });
    return lift_datum(fcinfo, lift);
}

CLIENTELE_FUNCTION(clientele_sequential_interval) {
    const Lift lift = lift_of_datum(PG_GETARG_DATUM(0));
    const double alpha = PG_GETARG_FLOAT8(1), tuning = PG_GETARG_FLOAT8(2);
    SequentialInterval interval;
    think([&] { interval = sequential_interval(lift, alpha, tuning); });
    const double numbers[] = {interval.low, interval.high};
    return row_of(fcinfo, {}, numbers);
}

CLIENTELE_FUNCTION(clientele_relative_se) { return number_of_lift(fcinfo, relative_se); }

CLIENTELE_FUNCTION(clientele_relative_p_value) { return number_of_lift(fcinfo, relative_p_value); }

CLIENTELE_FUNCTION(clientele_srm_pvalue) {
    ArrayType* counts = PG_GETARG_ARRAYTYPE_P(0);
    check_plain_array(counts, "observed", "Write ARRAY[1000, 1200] for two arms.", "Give an arm without units a 0.");
    const std::span<const std::int64_t> observed = bigints_of(counts);
    ArrayType* weights = PG_GETARG_ARRAYTYPE_P(1);
    check_plain_array(weights, "expected", "Write ARRAY[0.5, 0.5] for two halves.",
                      "Give an arm that is not part of the experiment the weight 0.");
    const std::span<const double> expected = doubles_of(weights);
    double p = 0;
    think([&] { p = srm_pvalue(observed, expected); });
    PG_RETURN_FLOAT8(p);
}

CLIENTELE_FUNCTION(clientele_minimum_detectable_effect) {
    const ArmSpread control{PG_GETARG_FLOAT8(0), PG_GETARG_INT64(1)}, treated{PG_GETARG_FLOAT8(2), PG_GETARG_INT64(3)};
    const Power power = power_argument(fcinfo, 4);
    double effect = 0;
    think([&] { effect = minimum_detectable_effect(control, treated, power); });
    if (std::isnan(effect)) PG_RETURN_NULL();
    PG_RETURN_FLOAT8(effect);
}

CLIENTELE_FUNCTION(clientele_lift_sample_size) {
    const double effect = PG_GETARG_FLOAT8(0), sd_control = PG_GETARG_FLOAT8(1), sd_treated = PG_GETARG_FLOAT8(2),
                 share = PG_GETARG_FLOAT8(3);
    const Power power = power_argument(fcinfo, 4);
    std::int64_t size = 0;
    think([&] { size = lift_sample_size(effect, sd_control, sd_treated, share, power); });
    PG_RETURN_INT64(size);
}

CLIENTELE_FUNCTION(clientele_holm) {
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(0);
    check_plain_array(array, "p", "Write ARRAY[0.01, 0.04] for two tests.", nullptr);
    Datum* elements;
    bool* nulls;
    int count;
    deconstruct_array(array, FLOAT8OID, sizeof(double), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &count);
    const auto size = static_cast<std::size_t>(count);
    auto* p = static_cast<double*>(palloc((size + 1) * sizeof(double)));
    for (int i = 0; i < count; ++i) {
        p[i] = nulls[i] ? unknown : DatumGetFloat8(elements[i]);
        if (nulls[i] || !std::isnan(p[i])) continue;
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("p-value out of range"),
                        errdetail("Element %d is NaN.", i + 1),
                        errhint("A p-value is from 0 to 1, or NULL where there was no test.")));
    }
    think([&] { adjust_holm({p, size}); });
    for (int i = 0; i < count; ++i) elements[i] = Float8GetDatum(p[i]);
    int bound = 1;
    return PointerGetDatum(construct_md_array(elements, nulls, ARR_NDIM(array), &count, &bound, FLOAT8OID,
                                              sizeof(double), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

CLIENTELE_FUNCTION(clientele_best_arm_probabilities) {
    return number_per_arm(fcinfo, [](auto means, auto ses) { return best_arm_probabilities(means, ses); });
}

CLIENTELE_FUNCTION(clientele_propose_weights) {
    const double floor = PG_GETARG_FLOAT8(2);
    return number_per_arm(fcinfo, [&](auto means, auto ses) { return propose_weights(means, ses, floor); });
}
