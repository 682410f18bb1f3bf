// Fits of purchase and value models: src/sql/18-clv.sql says what each function means.
#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "core/score/purchase_fit.hpp"
#include "core/score/value_fit.hpp"
#include "pg/kit/interrupts.hpp"
#include "pg/kit/number_array.hpp"
#include "pg/kit/row.hpp"

#include "pg/kit/sample.hpp"
#include "pg/score/model_argument.hpp"

using namespace clientele;

namespace {

// A state holds these one after the other.
constexpr std::size_t history_width = 3;
constexpr std::size_t value_width = 2;
static_assert(sizeof(PurchaseHistory) == history_width * sizeof(double));
static_assert(sizeof(PurchaseValue) == value_width * sizeof(double));

template <class Row>
std::span<const Row> rows_of(Datum state) {
    const std::span<const double> values = sample_values(state, sizeof(Row) / sizeof(double));
    return {reinterpret_cast<const Row*>(values.data()), values.size() / (sizeof(Row) / sizeof(double))};
}

template <class Row>
Datum append_row(FunctionCallInfo fcinfo, const Row& row) {
    think([&] { check(row); });
    return append_to_sample(fcinfo, {reinterpret_cast<const double*>(&row), sizeof(Row) / sizeof(double)});
}

// The composite that the function returns: the parameters, and what each fit reports.
Datum model_datum(FunctionCallInfo fcinfo, std::span<const double> parameters, const FitReport& report) {
    std::array<NullableDatum, 9> members;
    NullableDatum* end = std::transform(parameters.begin(), parameters.end(), members.data(),
                                        [](double parameter) { return known_datum(Float8GetDatum(parameter)); });
    // Beyond what can be computed, without a maximum, it is not finite.
    *end++ = {Float8GetDatum(report.log_likelihood), !std::isfinite(report.log_likelihood)};
    *end++ = report.standard_errors
                 ? known_datum(float_array(std::span(*report.standard_errors).first(parameters.size())))
                 : null_datum;
    *end++ = known_datum(Int64GetDatum(report.customers));
    *end++ = known_datum(Int32GetDatum(report.iterations));
    *end++ = known_datum(BoolGetDatum(report.converged));
    return row_of(result_row_type(fcinfo), {members.data(), end});
}

Datum fit_purchase_model(FunctionCallInfo fcinfo, PurchaseKind kind) {
    const std::span<const PurchaseHistory> histories = rows_of<PurchaseHistory>(PG_GETARG_DATUM(0));
    if (histories.empty()) PG_RETURN_NULL();
    PurchaseFit fit;
    think_interruptibly([&] { fit = fit_purchases(kind, histories, poll_interrupts); });
    return model_datum(fcinfo, fit.model.parameters, fit.report);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_add_purchase_history) {
    return append_row(fcinfo, PurchaseHistory{PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3)});
}

CLIENTELE_FUNCTION(clientele_combine_purchase_histories) { return combine_samples(fcinfo, history_width); }

CLIENTELE_FUNCTION(clientele_fit_bgnbd) { return fit_purchase_model(fcinfo, PurchaseKind::bgnbd); }

CLIENTELE_FUNCTION(clientele_fit_mbgnbd) { return fit_purchase_model(fcinfo, PurchaseKind::mbgnbd); }

CLIENTELE_FUNCTION(clientele_fit_pareto_nbd) { return fit_purchase_model(fcinfo, PurchaseKind::pareto_nbd); }

CLIENTELE_FUNCTION(clientele_purchase_log_likelihood) {
    PurchaseModel model{kind_of_name(text_to_cstring(PG_GETARG_TEXT_PP(0))), {}};
    std::copy_n(numbers_of(PG_GETARG_ARRAYTYPE_P(1), 4), 4, model.parameters.begin());
    const std::span<const PurchaseHistory> histories = rows_of<PurchaseHistory>(PG_GETARG_DATUM(2));
    double value = 0;
    think_interruptibly([&] { value = log_likelihood(model, histories, poll_interrupts); });
    PG_RETURN_FLOAT8(value);
}

CLIENTELE_FUNCTION(clientele_add_purchase_value) {
    return append_row(fcinfo, PurchaseValue{PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2)});
}

CLIENTELE_FUNCTION(clientele_combine_purchase_values) { return combine_samples(fcinfo, value_width); }

CLIENTELE_FUNCTION(clientele_fit_gamma_gamma) {
    const std::span<const PurchaseValue> values = rows_of<PurchaseValue>(PG_GETARG_DATUM(0));
    std::optional<ValueFit> fit;
    static_assert(std::is_trivially_destructible_v<decltype(fit)>);
    think_interruptibly([&] { fit = fit_values(values, poll_interrupts); });
    if (!fit) PG_RETURN_NULL();
    const std::array<double, 3> parameters = {fit->model.p, fit->model.q, fit->model.v};
    return model_datum(fcinfo, parameters, fit->report);
}
