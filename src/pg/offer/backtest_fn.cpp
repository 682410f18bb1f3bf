// What offers of the past would have earned: src/sql/83-backtest.sql says what each function returns.
#include <algorithm>
#include <vector>

#include "core/offer/learned_terms.hpp"
#include "pg/kit/aggregate.hpp"
#include "pg/kit/boundary.hpp"
#include "pg/kit/nullable.hpp"
#include "pg/kit/number_array.hpp"
#include "pg/kit/unicode.hpp"
#include "pg/offer/offer_input.hpp"

extern "C" {
#include "utils/array.h"
}

using namespace clientele;

namespace {

constexpr std::size_t most_profits = 256;

ArrayType* copied_array(MemoryContext context, ArrayType* array) {
    const Size size = VARSIZE(array);
    return static_cast<ArrayType*>(std::memcpy(MemoryContextAlloc(context, size), array, size));
}

}  // namespace

// (book, input, program, min_spend, reward)
CLIENTELE_FUNCTION(clientele_offer_profits) {
    PreparedBook& prepared = prepared_book(PG_GETARG_JSONB_P(0));
    const OfferInput input = offer_input(PG_GETARG_DATUM(1));
    const Program* program = program_named(prepared.book, text_of(PG_GETARG_DATUM(2)));
    if (program == nullptr || input.customer.isnull || input.as_of.isnull) PG_RETURN_NULL();
    const Customer customer = read_customer(input, null_datum, Detail::explanation, prepared);
    const std::int64_t min_spend = units_in(PG_GETARG_DATUM(3), 1);
    const std::int64_t reward = units_in(PG_GETARG_DATUM(4), power_of_ten(prepared.book.decimals));
    double profits[most_profits];
    std::size_t count = 0;
    think([&] {
        const std::vector<double> found = offer_profits(prepared.book, customer, *program, min_spend, reward);
        count = std::min(found.size(), most_profits);
        std::copy_n(found.begin(), count, profits);
    });
    if (count == 0) PG_RETURN_NULL();
    return float_array({profits, count});
}

CLIENTELE_FUNCTION(clientele_profit_interval) {
    const std::span<const double> profits = doubles_of(PG_GETARG_ARRAYTYPE_P(0));
    if (profits.empty()) PG_RETURN_NULL();
    ProfitInterval interval;
    think([&] { interval = profit_interval(profits[0], {profits.begin() + 1, profits.end()}); });
    const double numbers[] = {interval.mode, interval.low, interval.high};
    return float_array(numbers);
}

CLIENTELE_FUNCTION(clientele_sum_of_rows) {
    MemoryContext context = aggregate_context(fcinfo);
    if (PG_ARGISNULL(1)) return unchanged_state(fcinfo);
    ArrayType* numbers = PG_GETARG_ARRAYTYPE_P(1);
    const std::span<const double> more = doubles_of(numbers);
    if (PG_ARGISNULL(0)) PG_RETURN_POINTER(copied_array(context, numbers));
    ArrayType* state = PG_GETARG_ARRAYTYPE_P(0);  // ours: changed in place
    const std::span<const double> sums = doubles_of(state);
    if (sums.size() != more.size()) refuse_state("Its rows have different lengths.");
    auto* sum = reinterpret_cast<double*>(ARR_DATA_PTR(state));
    for (std::size_t i = 0; i < more.size(); ++i) sum[i] += more[i];
    PG_RETURN_POINTER(state);
}
