// Lift, power and the worth of arms: src/sql/21-lift.sql says what each function returns.
#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <type_traits>

#include "core/experiment/arm_value.hpp"
#include "core/experiment/experiment.hpp"
#include "core/experiment/lift.hpp"
#include "core/experiment/sequential.hpp"
#include "core/experiment/shrinkage.hpp"
#include "pg/kit/aggregate_state.hpp"
#include "pg/kit/boundary.hpp"
#include "pg/kit/number_array.hpp"
#include "pg/kit/row.hpp"

using namespace clientele;

namespace {

// ---- The aggregates' states ----

// The state to add a row to: argument 0, or a new one.
Comparison* growing_comparison(FunctionCallInfo fcinfo, Rows rows) {
    MemoryContext context = aggregate_context(fcinfo);
    if (PG_ARGISNULL(0)) {
        auto* comparison = new_state<Comparison>(context);
        comparison->rows = rows;
        return comparison;
    }
    Comparison* comparison = &state_of<Comparison>(PG_GETARG_DATUM(0))->state;
    if (comparison->rows != rows) refuse_state("It is not a state of this aggregate.");
    return comparison;
}

// Argument 0 of a final function; no rows where it is NULL.
Comparison comparison_argument(FunctionCallInfo fcinfo, Rows rows) {
    if (!PG_ARGISNULL(0)) return copied_state<Comparison>(PG_GETARG_DATUM(0));
    Comparison comparison;
    comparison.rows = rows;
    return comparison;
}

// The states in argument 0, an array, merged; NULLs are left out.
OutcomeSums merged_sums(FunctionCallInfo fcinfo) {
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(0);
    Datum* elements;
    bool* nulls;
    int count;
    deconstruct_array(array, BYTEAOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
    OutcomeSums sums;
    for (int i = 0; i < count; ++i) {
        if (nulls[i]) continue;
        const auto more = copied_state<OutcomeSums>(elements[i]);
        think([&] {
            more.check();
            sums.merge(more);
        });
    }
    return sums;
}

// ---- Composite values ----

// NaN is how the core says that something cannot be known; what is beyond doubles cannot either.
NullableDatum member_datum(double value) { return {Float8GetDatum(value), !std::isfinite(value)}; }

// A row of the function's result type: bigints first, then the doubles.
Datum result_row(FunctionCallInfo fcinfo, std::span<const std::int64_t> counts, std::span<const double> numbers) {
    NullableDatum members[17];
    NullableDatum* end = std::transform(counts.begin(), counts.end(), members,
                                        [](std::int64_t count) { return known_datum(Int64GetDatum(count)); });
    end = std::transform(numbers.begin(), numbers.end(), end, member_datum);
    return row_of(result_row_type(fcinfo), {members, end});
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
    return result_row(fcinfo, counts, numbers);
}

std::int64_t count_member(HeapTupleHeader row, int number) {
    const NullableDatum count = field_of(row, number);
    return count.isnull ? 0 : DatumGetInt64(count.value);
}

void set_from_member(HeapTupleHeader row, int number, double& member) {
    const NullableDatum value = field_of(row, number);
    if (!value.isnull) member = DatumGetFloat8(value.value);
}

Lift lift_of_datum(Datum datum) {
    HeapTupleHeader row = DatumGetHeapTupleHeader(datum);
    Lift lift;
    lift.n_control = count_member(row, 1);
    lift.n_treated = count_member(row, 2);
    for (std::size_t i = 0; i < lift_member_count; ++i) {
        set_from_member(row, static_cast<int>(i) + 3, lift.*lift_members[i]);
    }
    return lift;
}

// The members of an array of composites, read by `read`; NULLs are left out.
template <class Member>
std::span<const Member> members_of(ArrayType* array, Member (*read)(Datum)) {
    Datum* elements;
    bool* nulls;
    int count;
    deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &elements, &nulls, &count);
    auto* members = static_cast<Member*>(palloc(static_cast<std::size_t>(Max(count, 1)) * sizeof(Member)));
    std::size_t used = 0;
    for (int i = 0; i < count; ++i) {
        if (!nulls[i]) members[used++] = read(elements[i]);
    }
    return {members, used};
}

Datum arm_datum(FunctionCallInfo fcinfo, const ArmEstimate& arm) {
    const std::int64_t customers[] = {arm.customers};
    const double numbers[] = {arm.mean, arm.se, arm.ci_low, arm.ci_high};
    return result_row(fcinfo, customers, numbers);
}

ArmEstimate arm_of_datum(Datum datum) {
    HeapTupleHeader row = DatumGetHeapTupleHeader(datum);
    ArmEstimate arm;
    arm.customers = count_member(row, 1);
    set_from_member(row, 2, arm.mean);
    set_from_member(row, 3, arm.se);
    return arm;
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
    Comparison* comparison = growing_comparison(fcinfo, Rows::outcomes);
    const double outcome = PG_GETARG_FLOAT8(1);
    const bool is_treated = PG_GETARG_BOOL(2);
    think([&] { comparison->add_outcome(outcome, is_treated); });
    return state_datum(comparison);
}

CLIENTELE_FUNCTION(clientele_lift_add_adjusted) {
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) return unchanged_state(fcinfo);
    Comparison* comparison = growing_comparison(fcinfo, Rows::adjusted);
    const double outcome = PG_GETARG_FLOAT8(1), covariate = number_or_zero(fcinfo, 3);
    const bool is_treated = PG_GETARG_BOOL(2);
    think([&] { comparison->add_adjusted(outcome, covariate, is_treated); });
    return state_datum(comparison);
}

CLIENTELE_FUNCTION(clientele_lift_ratio_add) {
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3)) return unchanged_state(fcinfo);
    Comparison* comparison = growing_comparison(fcinfo, Rows::ratios);
    const double numerator = PG_GETARG_FLOAT8(1), denominator = PG_GETARG_FLOAT8(2);
    const bool is_treated = PG_GETARG_BOOL(3);
    think([&] { comparison->add_ratio(numerator, denominator, is_treated); });
    return state_datum(comparison);
}

CLIENTELE_FUNCTION(clientele_arm_value_add) {
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) return unchanged_state(fcinfo);
    Comparison* comparison = growing_comparison(fcinfo, Rows::weighted);
    const double outcome = PG_GETARG_FLOAT8(1), propensity = PG_GETARG_FLOAT8(2);
    think([&] { comparison->add_weighted(outcome, propensity); });
    return state_datum(comparison);
}

CLIENTELE_FUNCTION(clientele_outcome_add) {
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) return unchanged_state(fcinfo);
    MemoryContext context = aggregate_context(fcinfo);
    OutcomeSums* sums =
        PG_ARGISNULL(0) ? new_state<OutcomeSums>(context) : &state_of<OutcomeSums>(PG_GETARG_DATUM(0))->state;
    const double outcome = PG_GETARG_FLOAT8(1);
    const bool is_treated = PG_GETARG_BOOL(2);
    think([&] { sums->add(outcome, is_treated); });
    return state_datum(sums);
}

CLIENTELE_FUNCTION(clientele_lift_combine) {
    return combined_states<Comparison>(fcinfo, [](const Comparison& more) { more.check(more.rows); });
}

CLIENTELE_FUNCTION(clientele_outcome_combine) {
    return combined_states<OutcomeSums>(fcinfo, [](const OutcomeSums& more) { more.check(); });
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
    return arm_datum(fcinfo, arm);
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
    const std::span<const Lift> strata = members_of(PG_GETARG_ARRAYTYPE_P(0), lift_of_datum);
    Lift lift;
    think([&] { lift = combined_lift(strata); });
    return lift_datum(fcinfo, lift);
}

CLIENTELE_FUNCTION(clientele_combine_arm_values) {
    const std::span<const ArmEstimate> strata = members_of(PG_GETARG_ARRAYTYPE_P(0), arm_of_datum);
    ArrayType* counts = PG_GETARG_ARRAYTYPE_P(1);
    check_plain_array(counts, "sizes", "Write ARRAY[1000, 1200] for two strata.", "Give every estimate a size.");
    const std::span<const std::int64_t> sizes = bigints_of(counts);
    ArmEstimate arm;
    think([&] { arm = combined_arm(strata, sizes); });
    return arm_datum(fcinfo, arm);
}

CLIENTELE_FUNCTION(clientele_compare_arms) {
    const ArmEstimate arm = arm_of_datum(PG_GETARG_DATUM(0)), other = arm_of_datum(PG_GETARG_DATUM(1));
    ArmDifference difference;
    think([&] { difference = arm_difference(arm, other); });
    const double numbers[] = {difference.mean, difference.ci_low, difference.ci_high, difference.se};
    return result_row(fcinfo, {}, numbers);
}

CLIENTELE_FUNCTION(clientele_outcome_shape) {
    const OutcomeSums sums = merged_sums(fcinfo);
    std::int64_t rows = 0;
    think([&] { rows = normal_from(squared_skewness(sums)); });
    const std::int64_t counts[] = {sums.nonzero_control, rows};
    return result_row(fcinfo, counts, {});
}

CLIENTELE_FUNCTION(clientele_sequential_interval) {
    if (nulls_among(fcinfo, 0, 2) > 0) PG_RETURN_NULL();
    const Lift lift = lift_of_datum(PG_GETARG_DATUM(0));
    const double alpha = PG_GETARG_FLOAT8(1), tuning = PG_GETARG_FLOAT8(2);
    std::optional<std::int64_t> nonzero_control;
    if (!PG_ARGISNULL(3)) nonzero_control = PG_GETARG_INT64(3);
    SequentialInterval interval;
    think([&] { interval = sequential_interval(lift, alpha, tuning, nonzero_control); });
    const double numbers[] = {interval.low, interval.high};
    return result_row(fcinfo, {}, numbers);
}

CLIENTELE_FUNCTION(clientele_relative_se) { return number_of_lift(fcinfo, relative_se); }

CLIENTELE_FUNCTION(clientele_relative_p_value) { return number_of_lift(fcinfo, relative_p_value); }

CLIENTELE_FUNCTION(clientele_incremental_share) {
    const Lift turned = lift_of_datum(PG_GETARG_DATUM(0));
    IncrementalShare found;
    think([&] { found = incremental_share(turned); });
    const double numbers[] = {found.share, found.ci_low, found.ci_high};
    return result_row(fcinfo, {}, numbers);
}

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

CLIENTELE_FUNCTION(clientele_shrunken_means) {
    return number_per_arm(fcinfo, [](auto means, auto ses) { return shrunken(means, ses).means; });
}

CLIENTELE_FUNCTION(clientele_shrunken_ses) {
    return number_per_arm(fcinfo, [](auto means, auto ses) { return shrunken(means, ses).ses; });
}

CLIENTELE_FUNCTION(clientele_spread_of_means) {
    const std::span<const double> means = doubles_argument(fcinfo, 0, "means"),
                                  ses = doubles_argument(fcinfo, 1, "ses");
    Spread spread;
    think([&] { spread = spread_of(means, ses); });
    const double numbers[] = {spread.tau, spread.p_value};
    return result_row(fcinfo, {}, numbers);
}

CLIENTELE_FUNCTION(clientele_arms_told_apart) {
    const std::span<const double> means = doubles_argument(fcinfo, 0, "means"),
                                  ses = doubles_argument(fcinfo, 1, "ses");
    bool told_apart = false;
    think([&] { told_apart = spread_of(means, ses).told_apart(); });
    PG_RETURN_BOOL(told_apart);
}

CLIENTELE_FUNCTION(clientele_enrolments_to_tell_apart) {
    const std::span<const double> means = doubles_argument(fcinfo, 0, "means"),
                                  ses = doubles_argument(fcinfo, 1, "ses");
    const std::span<const std::int64_t> enrolments = bigints_of(PG_GETARG_ARRAYTYPE_P(2));
    std::int64_t needed = 0;
    think([&] { needed = enrolments_to_tell_apart(means, ses, enrolments); });
    if (needed == 0) PG_RETURN_NULL();
    PG_RETURN_INT64(needed);
}

CLIENTELE_FUNCTION(clientele_normal_se) { PG_RETURN_FLOAT8(normal_se(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1))); }

CLIENTELE_FUNCTION(clientele_shrunken_profit) {
    const ArmEstimate drawn{.mean = PG_GETARG_FLOAT8(0), .se = PG_GETARG_FLOAT8(1)};
    const ArmEstimate arm{.mean = PG_GETARG_FLOAT8(2), .se = PG_GETARG_FLOAT8(3)};
    const ArmDifference found = difference_of_replaced(drawn, arm, PG_GETARG_FLOAT8(4), PG_GETARG_FLOAT8(5));
    const double numbers[] = {found.mean, found.ci_low, found.ci_high};
    return result_row(fcinfo, {}, numbers);
}

CLIENTELE_FUNCTION(clientele_adjusted_outcome) {
    PG_RETURN_FLOAT8(
        adjusted_outcome(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3)));
}

CLIENTELE_FUNCTION(clientele_best_arm_probabilities) {
    return number_per_arm(fcinfo, [](auto means, auto ses) { return best_arm_probabilities(means, ses); });
}

CLIENTELE_FUNCTION(clientele_propose_weights) {
    const double floor = PG_GETARG_FLOAT8(2);
    return number_per_arm(fcinfo, [&](auto means, auto ses) { return propose_weights(means, ses, floor); });
}

CLIENTELE_FUNCTION(clientele_least_weight) { PG_RETURN_FLOAT8(least_weight(PG_GETARG_INT64(0))); }
