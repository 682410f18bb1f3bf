// Fits of purchase and value models: src/sql/18-clv.sql says what each function means.
#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "core/score/purchase_fit.hpp"
#include "core/score/value_fit.hpp"
#include "pg/kit/boundary.hpp"

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

bool interrupted(void*) { return InterruptPending && INTERRUPTS_CAN_BE_PROCESSED(); }

// Fits; interrupts are served where no C++ object is alive. One that was no cancel costs a fresh start.
template <class Fit>
void think_interruptibly(Fit&& fit) {
    for (bool done = false; !done;) {
        think([&] {
            try {
                fit(StopRequest{interrupted, nullptr});
                done = true;
            } catch (const Stopped&) {
                done = false;
            }
        });
        CHECK_FOR_INTERRUPTS();
    }
}

Datum float8_array(std::span<const double> values) {
    std::array<Datum, 4> elements;
    for (std::size_t i = 0; i < values.size(); ++i) elements[i] = Float8GetDatum(values[i]);
    return PointerGetDatum(construct_array(elements.data(), static_cast<int>(values.size()), FLOAT8OID, sizeof(float8),
                                           FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

// The composite that the function returns: the parameters, and what each fit reports.
Datum model_datum(FunctionCallInfo fcinfo, std::span<const double> parameters, const FitReport& report) {
    TupleDesc type;
    if (get_call_result_type(fcinfo, nullptr, &type) != TYPEFUNC_COMPOSITE) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("a fit returns its model's composite type")));
    }
    std::array<Datum, 9> values{};
    std::array<bool, 9> nulls{};
    std::size_t at = 0;
    for (const double parameter : parameters) values[at++] = Float8GetDatum(parameter);
    nulls[at] = !std::isfinite(report.log_likelihood);  // beyond what can be computed, without a maximum
    values[at++] = Float8GetDatum(report.log_likelihood);
    nulls[at] = !report.standard_errors;
    if (report.standard_errors) {
        values[at] = float8_array(std::span(*report.standard_errors).first(parameters.size()));
    }
    ++at;
    values[at++] = Int64GetDatum(report.customers);
    values[at++] = Int32GetDatum(report.iterations);
    values[at] = BoolGetDatum(report.converged);
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(type), values.data(), nulls.data()));
}

Datum fit_purchase_model(FunctionCallInfo fcinfo, PurchaseKind kind) {
    const std::span<const PurchaseHistory> histories = rows_of<PurchaseHistory>(PG_GETARG_DATUM(0));
    if (histories.empty()) PG_RETURN_NULL();
    PurchaseFit fit;
    think_interruptibly([&](const StopRequest& stop) { fit = fit_purchases(kind, histories, stop); });
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
    think_interruptibly([&](const StopRequest& stop) { value = log_likelihood(model, histories, stop); });
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
    think_interruptibly([&](const StopRequest& stop) { fit = fit_values(values, stop); });
    if (!fit) PG_RETURN_NULL();
    const std::array<double, 3> parameters = {fit->model.p, fit->model.q, fit->model.v};
    return model_datum(fcinfo, parameters, fit->report);
}
