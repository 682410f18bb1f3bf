// CALL issue_offers(): the chunks of src/sql/72-issue.sql, with a commit after each; and what every procedure that
// commits asks first.
#include "pg/kit/query.hpp"
#include "pg/store/store.hpp"

extern "C" {
#include "access/xact.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
}

using namespace clientele;

namespace {

// A procedure in C is told by its context whether it may commit, one in PL/pgSQL by its SPI connection.
void require_commits(const char* procedure, bool is_atomic, const char* hint) {
    char* command = psprintf("CALL %s", procedure);
    PreventCommandDuringRecovery(command);
    PreventCommandIfReadOnly(command);
    const bool in_block = IsTransactionBlock() || IsSubTransaction();
    if (!is_atomic && !in_block) return;
    ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                    errmsg("%s cannot run inside a %s", command, in_block ? "transaction block" : "function"),
                    errhint("%s", hint)));
}

// Runs a query for one value, which outlives transactions as its parameters do, and commits.
NullableDatum run_chunk(const char* query, Oid last_type, const NullableDatum* parameters, bool by_value, int length) {
    run_query(query, {{NAMEOID, parameters[0]}, {TEXTOID, parameters[1]}, {last_type, parameters[2]}});
    const NullableDatum result = kept_in(PortalContext, result_value(0, 1), by_value, length);
    SPI_commit();
    CHECK_FOR_INTERRUPTS();
    return result;
}

void issue_offers(NullableDatum store, NullableDatum program, NullableDatum chunk) {
    begin_queries(SPI_OPT_NONATOMIC);
    NullableDatum parameters[] = {store, program, chunk};
    run_chunk("SELECT clientele._begin_campaign($1, $2, $3)", INT4OID, parameters, true, 4);
    parameters[2] = null_datum;
    do {
        parameters[2] = run_chunk("SELECT clientele._settle_ordered($1, $3)", TEXTARRAYOID, parameters, false, -1);
    } while (!parameters[2].isnull);
    run_chunk("SELECT clientele._plan_budgets($1)", TEXTARRAYOID, parameters, true, 4);
    parameters[2] = chunk;
    parameters[2] = run_chunk("SELECT clientele._plan_campaign($1, $2, $3)", INT4OID, parameters, false, -1);
    NullableDatum more;
    do {
        more = run_chunk("SELECT clientele._continue_campaign($1, $2, $3)", TEXTARRAYOID, parameters, true, 1);
    } while (DatumGetBool(more.value));
    end_queries();
}

}  // namespace

CLIENTELE_FUNCTION(clientele_require_commits) {
    require_commits(text_to_cstring(PG_GETARG_TEXT_PP(0)), !SPI_inside_nonatomic_context(),
                    text_to_cstring(PG_GETARG_TEXT_PP(1)));
    PG_RETURN_VOID();
}

CLIENTELE_FUNCTION(clientele_issue_offers) {
    require_commits("clientele.issue_offers()", castNode(CallContext, fcinfo->context)->atomic,
                    "It commits after each chunk of customers. issue_offer() issues to one customer, in whatever "
                    "transaction it is called.");
    if (PG_ARGISNULL(0) || PG_ARGISNULL(2)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                        errmsg("%s must not be NULL", PG_ARGISNULL(0) ? "store" : "chunk")));
    }
    const char* name = NameStr(*PG_GETARG_NAME(0));
    if (!*name) ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a store needs a name")));
    resolve_store(name);
    issue_offers(kept_in(PortalContext, nullable_argument(fcinfo, 0), false, NAMEDATALEN),
                 kept_in(PortalContext, nullable_argument(fcinfo, 1), false, -1), nullable_argument(fcinfo, 2));
    PG_RETURN_VOID();
}
