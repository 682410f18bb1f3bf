// Slots of budgets: src/sql/77-budget.sql says what each function returns.
#include "core/offer/budget_slots.hpp"

#include "pg/kit/boundary.hpp"

#include "pg/kit/postgres.hpp"

using namespace clientele;

CLIENTELE_FUNCTION(clientele_slot_share) {
    std::int64_t share = 0;
    think([&] { share = slot_share(PG_GETARG_INT64(0), PG_GETARG_INT32(1), PG_GETARG_INT32(2)); });
    PG_RETURN_INT64(share);
}

CLIENTELE_FUNCTION(clientele_is_nearly_spent) {
    PG_RETURN_BOOL(is_nearly_spent(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1)));
}
