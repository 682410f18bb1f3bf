// issue_offer(): decides for one customer, and writes down what it decided. Each step is a prepared query, so that
// row-level security, grants and changed definitions work as in any.
#include <algorithm>
#include <cstdint>

#include "core/offer/offer.hpp"

#include "pg/kit/query.hpp"
#include "pg/kit/row.hpp"
#include "pg/kit/unicode.hpp"
#include "pg/lookup/lookup.hpp"

extern "C" {
#include "access/xact.h"
#include "nodes/execnodes.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
}

using namespace clientele;

namespace {

// $2 is the program or NULL, $3 the programs whose budgets are known to be exhausted. affordable: NULL without a
// budget. The period belongs to the snapshot of the decision: where somebody else takes it meanwhile, the decision is
// made again.
constexpr StoreQuery decision = {
    "SELECT d.enrolled, d.open_exposure, d.open_program, d.is_held_out, d.period, d.as_of,"
    " (SELECT pg_catalog.jsonb_object_agg(m.kind, m.version) FROM %1$s.models m WHERE m.in_use),"
    " CASE WHEN clientele._has_budgets(%1$s._offer_book())"
    " THEN (SELECT pg_catalog.sum(b.available) OPERATOR(pg_catalog.>=) (d.enrolled).greatest_reward FROM %1$s.budgets b"
    " WHERE b.program OPERATOR(pg_catalog.=) (d.enrolled).program) END"
    " FROM (SELECT clientele._enrol(%1$s._offer_book(), i.input, $2, CASE WHEN "
    "clientele._has_budgets(%1$s._offer_book())"
    " THEN (SELECT pg_catalog.array_agg("
    "ROW(x.program, 0)::clientele.offer_budget) FROM pg_catalog.unnest($3) x (program)) END) AS enrolled,"
    " i.open_exposure, i.open_program, i.open_holdout IS NOT NULL AS is_held_out,"
    " COALESCE(i.last_period, 0) OPERATOR(pg_catalog.+) 1 AS period, i.as_of"
    " FROM %1$s.%2$s i WHERE i.customer_id OPERATOR(pg_catalog.=) $1) d",
    View::offer_inputs};
constexpr Oid decision_types[] = {TEXTOID, TEXTARRAYOID};

// $2 is the enrolment, $3 the period, $4 when, $5 the models, $6 the slot of the budget.
constexpr StoreQuery insertion = {.text = "_issuing_statement", .view = View::none, .written_in_sql = true};

// $2 is the exposure.
constexpr StoreQuery reading = {.text = "_issued_query", .view = View::none, .written_in_sql = true};
constexpr Oid reading_types[] = {INT8OID};

// One slot that has enough and that nobody holds: $2 is the enrolment, $3 a number that differs between sessions.
constexpr StoreQuery reservation = {
    "UPDATE %1$s.budgets b SET available = b.available OPERATOR(pg_catalog.-)"
    " clientele._greatest_cost(($2).reward, ($2).tiers)"
    " WHERE b.program OPERATOR(pg_catalog.=) ($2).program AND b.slot OPERATOR(pg_catalog.=)"
    " (SELECT f.slot FROM %1$s.budgets f WHERE f.program OPERATOR(pg_catalog.=) ($2).program"
    " AND f.available OPERATOR(pg_catalog.>=) clientele._greatest_cost(($2).reward, ($2).tiers)"
    " ORDER BY (f.slot OPERATOR(pg_catalog.+) $3) OPERATOR(pg_catalog.%%) clientele._budget_slots() LIMIT 1 FOR NO KEY "
    "UPDATE SKIP LOCKED)"
    " RETURNING b.slot",
    View::none};

// All slots, one after the other: $2 is the enrolment, $3 the store. Who is held out takes nothing.
constexpr StoreQuery thorough_reservation = {
    "SELECT clientele._reserve($3, ($2).program,"
    " CASE WHEN ($2).holdout IS NULL THEN clientele._greatest_cost(($2).reward, ($2).tiers) ELSE 0 END,"
    " ($2).greatest_reward)",
    View::none};

// For whom, in which store, of which program.
struct Request {
    Store store;
    Oid key_type;
    Datum customer;
    Datum program;
    bool program_given;
    Oid enrolment_type;
    MemoryContext caller;  // of the result; all else lives until end_queries()
};

// What was decided under one snapshot.
struct Decided {
    NullableDatum enrolled, open_exposure, open_program, is_held_out, period, as_of, models, affordable;
};

NullableDatum result_field(int column) { return result_value(0, column); }

// Runs a query with the customer as its first parameter, and fields as the others; whether it gave a row.
bool run(const Request& request, const StoreQuery& query, bool stored, Reads reads, int more, const Oid* types,
         const NullableDatum* fields) {
    NullableDatum parameters[8] = {known_datum(request.customer)};
    std::copy_n(fields, more, parameters + 1);
    SPIPlanPtr plan = plan_of(request.store, request.key_type, query, stored, more, types);
    return run_prepared(plan, {parameters, static_cast<std::size_t>(more) + 1}, reads) > 0;
}

// What runs of a statement before it knows of others' news would decide on old news: hence a snapshot of its own.
bool decide(const Request& request, ArrayBuildState* exhausted, Decided* decided) {
    const NullableDatum fields[] = {{request.program, !request.program_given},
                                    {makeArrayResult(exhausted, CurrentMemoryContext), exhausted->nelems == 0}};
    PushActiveSnapshot(GetTransactionSnapshot());
    const bool stored = stored_suffices(request.store, View::offer_inputs, request.key_type, request.customer);
    const bool known = run(request, decision, stored, Reads::as_its_caller, 2, decision_types, fields);
    PopActiveSnapshot();
    const Oid types[] = {request.enrolment_type, INT8OID, TEXTOID, BOOLOID, INT4OID, TIMESTAMPTZOID, JSONBOID, BOOLOID};
    check_result(request.store, result_columns(), types, lengthof(types));
    if (known) {
        *decided = {result_field(1), result_field(2), result_field(3), result_field(4),
                    result_field(5), result_field(6), result_field(7), result_field(8)};
    }
    return known;
}

NullableDatum enrolled_field(const Decided& decided, int column) {
    return field_of(DatumGetHeapTupleHeader(decided.enrolled.value), column);
}

// The only field of the result, in the caller's memory.
NullableDatum given_field(const Request& request) { return kept_in(request.caller, result_field(1), false, -1); }

NullableDatum open_offer(const Request& request, const Decided& decided) {
    const bool found = run(request, reading, false, Reads::as_of_now, 1, reading_types, &decided.open_exposure);
    return found ? given_field(request) : null_datum;
}

// Whether an exposure is open that is what the customer is offered.
bool has_offer(const Request& request, const Decided& decided) {
    if (decided.open_exposure.isnull || decided.open_program.isnull) return false;
    const OpenExposure open{text_of(decided.open_program.value), DatumGetBool(decided.is_held_out.value)};
    return is_offered(open, request.program_given ? text_of(request.program) : std::string_view{});
}

bool is_held_out(const Decided& decided) { return !enrolled_field(decided, 3).isnull; }

// One slot that has enough and that nobody holds.
bool reserve_quickly(const Request& request, const Decided& decided, NullableDatum* slot) {
    const Oid types[] = {request.enrolment_type, INT4OID};
    const NullableDatum fields[] = {decided.enrolled, {Int32GetDatum(MyProcPid), false}};
    if (!run(request, reservation, false, Reads::as_of_now, 2, types, fields)) return false;
    check_result(request.store, result_columns(), &types[1], 1);
    *slot = result_field(1);
    return true;
}

bool reserve_thoroughly(const Request& request, const Decided& decided, NullableDatum* slot) {
    const Oid types[] = {request.enrolment_type, NAMEOID};
    const NullableDatum fields[] = {decided.enrolled, known_datum(name_datum(schema_name(request.store.schema)))};
    run(request, thorough_reservation, false, Reads::as_of_now, 2, types, fields);
    *slot = result_field(1);
    return !slot->isnull;
}

// Writes the exposure down, and says what the caller gets: NULL where the customer is held out. False where the period,
// or by chance the code, is taken.
bool insert(const Request& request, const Decided& decided, NullableDatum slot, NullableDatum* issued) {
    const Oid types[] = {request.enrolment_type, INT4OID, TIMESTAMPTZOID, JSONBOID, INT4OID};
    if (is_held_out(decided)) slot.isnull = true;
    const NullableDatum fields[] = {decided.enrolled, decided.period, decided.as_of, decided.models, slot};
    if (!run(request, insertion, false, Reads::as_of_now, 5, types, fields)) return false;
    *issued = given_field(request);
    return true;
}

enum class Outcome { issued, taken, exhausted };
using Reserve = bool (*)(const Request&, const Decided&, NullableDatum*);

Outcome reserve_and_insert(const Request& request, const Decided& decided, Reserve reserve, NullableDatum* issued) {
    NullableDatum slot;
    if (!reserve(request, decided, &slot)) return Outcome::exhausted;
    return insert(request, decided, slot, issued) ? Outcome::issued : Outcome::taken;
}

// In a subtransaction. Rolling it back gives the reward back; and it lets go of slots, including those that were found
// wanting only when they were locked, so that nobody waits for a slot while holding another out of order.
Outcome try_to_issue(const Request& request, const Decided& decided, Reserve reserve, NullableDatum* issued) {
    MemoryContext memory = CurrentMemoryContext;
    ResourceOwner owner = CurrentResourceOwner;
    volatile Outcome outcome = Outcome::exhausted;
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(memory);
    PG_TRY();
    { outcome = reserve_and_insert(request, decided, reserve, issued); }
    PG_CATCH();
    {
        MemoryContextSwitchTo(memory);
        ErrorData* error = CopyErrorData();
        FlushErrorState();
        RollbackAndReleaseCurrentSubTransaction();
        MemoryContextSwitchTo(memory);
        CurrentResourceOwner = owner;
        ReThrowError(error);
    }
    PG_END_TRY();
    if (outcome == Outcome::issued) {
        ReleaseCurrentSubTransaction();
    } else {
        RollbackAndReleaseCurrentSubTransaction();
    }
    MemoryContextSwitchTo(memory);
    CurrentResourceOwner = owner;
    return outcome;
}

// The reward is set aside before it is promised. Who is held out takes nothing, but neither arm is enrolled where the
// budget is too small for the other.
Outcome write_down(const Request& request, const Decided& decided, NullableDatum* issued) {
    const bool unlimited = decided.affordable.isnull;
    const bool affordable = unlimited || DatumGetBool(decided.affordable.value);
    if (unlimited || (affordable && is_held_out(decided))) {
        return insert(request, decided, null_datum, issued) ? Outcome::issued : Outcome::taken;
    }
    if (affordable) {
        const Outcome quick = try_to_issue(request, decided, reserve_quickly, issued);
        if (quick != Outcome::exhausted) return quick;
    }
    return try_to_issue(request, decided, reserve_thoroughly, issued);
}

[[noreturn]] void give_up() {
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("could not issue an offer, because others went on writing to the customer's exposures"),
                    errhint("Try again.")));
    pg_unreachable();
}

// Whoever is second to write to a customer's exposures waits for the first, and looks again. NULL: nothing is offered.
NullableDatum issue(const Request& request) {
    constexpr int most_attempts = 100;
    ArrayBuildState* exhausted = initArrayResult(TEXTOID, CurrentMemoryContext, false);
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        CHECK_FOR_INTERRUPTS();
        Decided decided;
        if (!decide(request, exhausted, &decided)) return null_datum;
        if (has_offer(request, decided)) return open_offer(request, decided);
        if (decided.enrolled.isnull) return null_datum;
        NullableDatum issued;
        const Outcome outcome = write_down(request, decided, &issued);
        if (outcome == Outcome::issued) return issued;
        if (outcome == Outcome::exhausted) {
            accumArrayResult(exhausted, enrolled_field(decided, 1).value, false, TEXTOID, CurrentMemoryContext);
        }
    }
    give_up();
}

NullableDatum issue_offer(FunctionCallInfo fcinfo) {
    PreventCommandDuringRecovery("clientele.issue_offer()");
    PreventCommandIfReadOnly("clientele.issue_offer()");
    PreventCommandIfParallelMode("clientele.issue_offer()");
    Request request{};
    request.caller = CurrentMemoryContext;
    request.store = resolve_store(PG_ARGISNULL(1) ? nullptr : NameStr(*PG_GETARG_NAME(1)));
    request.key_type = key_type_of(request.store);
    if (!key_argument(fcinfo, request.key_type, &request.customer)) return null_datum;
    request.program_given = !PG_ARGISNULL(2);
    if (request.program_given) request.program = PG_GETARG_DATUM(2);
    request.enrolment_type = type_of_ours("enrolment");
    // Before the book is read: whoever gives a program its first budget waits until all that was issued without one is
    // written.
    LockRelationOid(get_relname_relid("ledger", request.store.schema), RowExclusiveLock);
    begin_queries();
    const NullableDatum issued = issue(request);
    end_queries();
    return issued;
}

}  // namespace

// A set of one row or none, so that the protocol for sets needs no state between calls.
CLIENTELE_FUNCTION(clientele_issue_offer) {
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    if (!result || !IsA(result, ReturnSetInfo)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("set-valued function called in context that cannot accept a set")));
    }
    const NullableDatum issued = PG_ARGISNULL(0) ? null_datum : issue_offer(fcinfo);
    result->isDone = issued.isnull ? ExprEndResult : ExprSingleResult;
    fcinfo->isnull = issued.isnull;
    return issued.value;
}
