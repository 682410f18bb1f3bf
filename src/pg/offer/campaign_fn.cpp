// CALL issue_offers(): the chunks of src/sql/72-issue.sql, with a commit after each; and what every procedure that
// commits asks first.
#include "pg/kit/postgres.hpp"

#include "pg/store/store.hpp"

extern "C" {
#include "access/xact.h"
#include "executor/spi.h"
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

// A parameter that outlives transactions, or NULL.
struct Parameter {
    Datum value;
    bool is_null;
};

Parameter kept(Datum value, bool is_null, bool by_value, int length) {
    MemoryContext caller = MemoryContextSwitchTo(PortalContext);
    const Parameter parameter = {is_null ? 0 : datumCopy(value, by_value, length), is_null};
    MemoryContextSwitchTo(caller);
    return parameter;
}

// Runs a query for one value, and commits.
Parameter run_chunk(const char* query, Oid last_type, const Parameter* parameters, bool by_value, int length) {
    Oid types[] = {NAMEOID, TEXTOID, last_type};
    Datum values[3];
    char nulls[4] = "   ";
    for (int i = 0; i < 3; ++i) {
        values[i] = parameters[i].value;
        if (parameters[i].is_null) nulls[i] = 'n';
    }
    const int code = SPI_execute_with_args(query, 3, types, values, nulls, false, 1);
    if (code != SPI_OK_SELECT) elog(ERROR, "issuing failed: %s", SPI_result_code_string(code));
    bool is_null;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
    const Parameter result = kept(value, is_null, by_value, length);
    SPI_commit();
    CHECK_FOR_INTERRUPTS();
    return result;
}

void issue_offers(Parameter store, Parameter program, Parameter chunk) {
    SPI_connect_ext(SPI_OPT_NONATOMIC);
    Parameter parameters[] = {store, program, chunk};
    run_chunk("SELECT clientele._begin_campaign($1, $2, $3)", INT4OID, parameters, true, 4);
    parameters[2] = {0, true};
    do {
        parameters[2] = run_chunk("SELECT clientele._settle_ordered($1, $3)", TEXTARRAYOID, parameters, false, -1);
    } while (!parameters[2].is_null);
    parameters[2] = chunk;
    parameters[2] = run_chunk("SELECT clientele._plan_campaign($1, $2, $3)", INT4OID, parameters, false, -1);
    Parameter more;
    do {
        more = run_chunk("SELECT clientele._continue_campaign($1, $2, $3)", TEXTARRAYOID, parameters, true, 1);
    } while (DatumGetBool(more.value));
    SPI_finish();
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
    issue_offers(kept(PG_GETARG_DATUM(0), false, false, NAMEDATALEN),
                 kept(PG_ARGISNULL(1) ? 0 : PG_GETARG_DATUM(1), PG_ARGISNULL(1), false, -1),
                 {PG_GETARG_DATUM(2), false});
    PG_RETURN_VOID();
}
