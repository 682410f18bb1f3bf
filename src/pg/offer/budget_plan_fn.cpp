// What customers would take of a program's budget, and the price at which it suffices: src/sql/77-plan-budget.sql says
// what each function returns.
#include <algorithm>

#include "core/response/budget_price.hpp"
#include "pg/kit/aggregate.hpp"
#include "pg/kit/boundary.hpp"
#include "pg/kit/nullable.hpp"
#include "pg/kit/number_array.hpp"
#include "pg/kit/row.hpp"
#include "pg/kit/unicode.hpp"
#include "pg/offer/offer_input.hpp"

using namespace clientele;

namespace {

constexpr std::size_t most_offers = 1024;  // of a customer: the corners of a hull

// Numbers in turn: what is taken at any price, then cost and profit of each offer. Costs in the smallest units.
constexpr std::size_t numbers_of(std::size_t offers) { return 1 + 2 * offers; }

// The offers of all customers so far.
struct Offers {
    PricedOffer* values;
    std::size_t count, room;
    std::int64_t customers;  // who would take something
    std::int64_t at_any_price;
    std::int64_t budget;
};

Offers* new_offers(MemoryContext context) {
    constexpr std::size_t room = 1024;
    auto* offers = static_cast<Offers*>(MemoryContextAllocZero(context, sizeof(Offers)));
    offers->values = static_cast<PricedOffer*>(MemoryContextAlloc(context, room * sizeof(PricedOffer)));
    offers->room = room;
    return offers;
}

void make_room(Offers& offers, std::size_t more) {
    if (offers.count + more <= offers.room) return;
    offers.room = 2 * (offers.count + more);
    offers.values = static_cast<PricedOffer*>(repalloc_huge(offers.values, offers.room * sizeof(PricedOffer)));
}

void add(Offers& offers, std::span<const double> demand) {
    make_room(offers, demand.size() / 2);
    ++offers.customers;
    offers.at_any_price += static_cast<std::int64_t>(demand[0]);
    for (std::size_t i = 1; i + 1 < demand.size(); i += 2) {
        offers.values[offers.count++] = {offers.customers, static_cast<std::int64_t>(demand[i]), demand[i + 1]};
    }
}

struct Plans {
    BudgetPlan within, of_all;
};

}  // namespace

// (book, input, program, budgets); NULL: nothing.
CLIENTELE_FUNCTION(clientele_budget_demand) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2)) PG_RETURN_NULL();
    PreparedBook& prepared = prepared_book(PG_GETARG_JSONB_P(0));
    const OfferInput input = offer_input(PG_GETARG_DATUM(1));
    const Program* program = program_named(prepared.book, text_of(PG_GETARG_DATUM(2)));
    if (program == nullptr || input.customer.isnull || input.as_of.isnull) PG_RETURN_NULL();
    const Customer customer = read_customer(input, nullable_argument(fcinfo, 3), Detail::offer, prepared);
    double numbers[numbers_of(most_offers)];
    std::size_t count = 0;
    think([&] {
        const BudgetDemand demand = budget_demand(prepared.book, customer, *program);
        if (demand.at_any_price == 0 && demand.offers.empty()) return;
        numbers[count++] = static_cast<double>(demand.at_any_price);
        for (const PricedOffer& offer : demand.offers) {
            if (count + 2 > std::size(numbers)) break;
            numbers[count++] = static_cast<double>(offer.cost);
            numbers[count++] = offer.profit;
        }
    });
    if (count == 0) PG_RETURN_NULL();
    return float_array({numbers, count});
}

// (state, demand, budget in the smallest units)
CLIENTELE_FUNCTION(clientele_plan_budget_add) {
    MemoryContext context = aggregate_context(fcinfo);
    Offers* offers = PG_ARGISNULL(0) ? new_offers(context) : state_argument<Offers>(fcinfo, 0);
    if (!PG_ARGISNULL(2)) offers->budget = PG_GETARG_INT64(2);
    if (PG_ARGISNULL(1)) PG_RETURN_POINTER(offers);
    const std::span<const double> demand = doubles_of(PG_GETARG_ARRAYTYPE_P(1));
    if (!demand.empty()) add(*offers, demand);
    PG_RETURN_POINTER(offers);
}

CLIENTELE_FUNCTION(clientele_plan_budget_final) {
    aggregate_context(fcinfo);
    const Offers* state = state_argument<Offers>(fcinfo, 0);
    const Offers none{};
    const Offers& offers = state == nullptr ? none : *state;
    Plans plans;
    think([&] {
        const std::span<const PricedOffer> all(offers.values, offers.count);
        plans.within = plan_budget(all, std::max<std::int64_t>(offers.budget - offers.at_any_price, 0));
        plans.of_all = plan_budget(all, unlimited);
    });
    const NullableDatum columns[] = {
        known_datum(Float8GetDatum(plans.within.price)),    known_datum(Int64GetDatum(offers.at_any_price)),
        known_datum(Int64GetDatum(offers.customers)),       known_datum(Int64GetDatum(plans.within.customers)),
        known_datum(Int64GetDatum(plans.within.cost)),      known_datum(Float8GetDatum(plans.within.profit)),
        known_datum(Int64GetDatum(plans.of_all.customers)), known_datum(Int64GetDatum(plans.of_all.cost)),
        known_datum(Float8GetDatum(plans.of_all.profit))};
    return row_of(result_row_type(fcinfo), columns);
}
