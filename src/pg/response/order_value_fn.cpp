// What customers' next orders would be worth: src/sql/29-order-value.sql says what each function returns.
#include <optional>

#include "core/response/order_value.hpp"
#include "pg/kit/aggregate_state.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/kit/row.hpp"
#include "pg/profile/profile_datum.hpp"
#include "pg/response/value_prior.hpp"

using namespace clientele;

namespace {

// Of the customer of argument 0, NULL without orders, by the prior of argument 1.
OrderValue value_argument(FunctionCallInfo fcinfo) {
    const Summary no_orders;
    const Summary& summary = PG_ARGISNULL(0) ? no_orders : profile_summary(profile_bytes(PG_GETARG_DATUM(0)));
    const ValuePrior prior = value_prior(PG_GETARG_HEAPTUPLEHEADER(1));
    OrderValue value;
    think([&] { value = order_value(log_values(summary), prior); });
    return value;
}

double amount_argument(FunctionCallInfo fcinfo, int argument, const char* what) {
    const Datum amount = PG_GETARG_DATUM(argument);
    const Scaled scaled = read_numeric(amount);
    if (scaled.kind != NumericKind::finite) refuse_amount(what, amount);
    return static_cast<double>(scaled.value) / money_units;
}

}  // namespace

CLIENTELE_FUNCTION(clientele_value_prior_add) {
    MemoryContext context = aggregate_context(fcinfo);
    if (PG_ARGISNULL(1)) return unchanged_state(fcinfo);
    const Summary& summary = profile_summary(profile_bytes(PG_GETARG_DATUM(1)));
    ValueSums* sums = PG_ARGISNULL(0) ? new_state<ValueSums>(context) : &state_of<ValueSums>(PG_GETARG_DATUM(0))->state;
    think([&] { sums->add(log_values(summary)); });
    return state_datum(sums);
}

CLIENTELE_FUNCTION(clientele_value_prior_combine) {
    return combined_states<ValueSums>(fcinfo, [](const ValueSums& more) { more.check(); });
}

CLIENTELE_FUNCTION(clientele_value_prior_final) {
    const auto sums = copied_state<ValueSums>(PG_GETARG_DATUM(0));
    std::optional<ValuePrior> prior;
    static_assert(std::is_trivially_destructible_v<decltype(prior)>);
    think([&] {
        sums.check();
        prior = sums.prior();
    });
    if (!prior) PG_RETURN_NULL();
    const NullableDatum members[] = {known_datum(Float8GetDatum(prior->d0)), known_datum(Float8GetDatum(prior->s0)),
                                     known_datum(Float8GetDatum(prior->m0)), known_datum(Float8GetDatum(prior->tau2))};
    return row_of(result_row_type(fcinfo), members);
}

CLIENTELE_FUNCTION(clientele_log_value_mean) { PG_RETURN_FLOAT8(value_argument(fcinfo).mu); }

CLIENTELE_FUNCTION(clientele_log_value_sd) { PG_RETURN_FLOAT8(value_argument(fcinfo).sigma); }

CLIENTELE_FUNCTION(clientele_natural_share) {
    const double min_spend = amount_argument(fcinfo, 2, "min_spend");
    PG_RETURN_FLOAT8(natural_share(value_argument(fcinfo), min_spend));
}

CLIENTELE_FUNCTION(clientele_natural_share_of_anybody) {
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) PG_RETURN_NULL();
    return clientele_natural_share(fcinfo);
}
