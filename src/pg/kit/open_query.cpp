#include "pg/kit/open_query.hpp"

#include <cstring>

extern "C" {
#include "access/xact.h"
#include "executor/executor.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
}

namespace clientele {

struct OpenQuery {
    MemoryContext memory;  // below the transaction: a child of the caller's would be deleted before close() runs
    ResourceOwner owner;
    CachedPlan* plan;
    QueryDesc* executor;
    ParamListInfo parameters;
    bool started;
};

namespace {

// Whether a node, or one below it, would not compute everything anew when rescanned. PostgreSQL tells what has changed
// by the executor's own parameters, and does not know that one from outside changes.
bool keeps_results(PlanState* node) {
    if (node == nullptr) return false;
    switch (nodeTag(node)) {
        case T_SubqueryScanState:
            return keeps_results(castNode(SubqueryScanState, node)->subplan);
        case T_AggState:
            if (castNode(AggState, node)->aggstrategy > AGG_SORTED) return true;
            break;
        case T_ResultState:
        case T_NestLoopState:
        case T_SeqScanState:
        case T_IndexScanState:
        case T_IndexOnlyScanState:
        case T_BitmapHeapScanState:
        case T_BitmapIndexScanState:
            break;
        default:
            return true;
    }
    return keeps_results(outerPlanState(node)) || keeps_results(innerPlanState(node));
}

// What a sub-plan keeps is right for as long as the snapshot is the same, unless it knows a parameter from outside.
bool knows_parameters(const List* subplans) {
    const char* text = nodeToString(subplans);
    return std::strstr(text, psprintf("{PARAM :paramkind %d ", PARAM_EXTERN)) != nullptr;
}

bool can_be_rescanned(const QueryDesc& executor) {
    return !keeps_results(executor.planstate) && !knows_parameters(executor.plannedstmt->subplans);
}

void close(OpenQuery* query) {
    ResourceOwner caller = CurrentResourceOwner;
    CurrentResourceOwner = query->owner;
    ExecutorFinish(query->executor);
    ExecutorEnd(query->executor);
    FreeQueryDesc(query->executor);
    ReleaseCachedPlan(query->plan, query->owner);
    CurrentResourceOwner = caller;
    MemoryContextDelete(query->memory);
}

// What the calling query's memory knows of an open query. The callback stands there too: on an abort the transaction
// may have deleted the open query's memory before the caller's.
struct Ending {
    MemoryContextCallback callback;
    OpenQuery* query;
    MemoryContext memory;
};

// After an error the transaction has released all resources already. Then the memory goes with the transaction; where a
// mere subtransaction failed, that would be late.
void close_at_end(void* argument) {
    auto* ending = static_cast<Ending*>(argument);
    if (IsTransactionState()) {
        close(ending->query);
    } else if (GetCurrentTransactionNestLevel() > 1) {
        MemoryContextDelete(ending->memory);
    }
}

void close_with(MemoryContext lifetime, OpenQuery* query) {
    auto* ending = static_cast<Ending*>(MemoryContextAllocZero(lifetime, sizeof(Ending)));
    ending->query = query;
    ending->memory = query->memory;
    ending->callback.func = close_at_end;
    ending->callback.arg = ending;
    MemoryContextRegisterResetCallback(lifetime, &ending->callback);
}

ParamListInfo parameter_list(const Oid* types, const Datum* values, const char* nulls, int count) {
    ParamListInfo parameters = makeParamList(count);
    for (int i = 0; i < count; ++i) {
        const bool is_null = nulls[i] != ' ';
        int16 length;
        bool by_value;
        get_typlenbyval(types[i], &length, &by_value);
        parameters->params[i] = {is_null ? 0 : datumCopy(values[i], by_value, length), is_null, PARAM_FLAG_CONST,
                                 types[i]};
    }
    return parameters;
}

}  // namespace

OpenQuery* open_query(SPIPlanPtr plan, const Oid* types, const Datum* values, const char* nulls, int count,
                      MemoryContext lifetime) {
    MemoryContext memory = AllocSetContextCreate(TopTransactionContext, "clientele look-up", ALLOCSET_SMALL_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(memory);
    auto* query = static_cast<OpenQuery*>(palloc0(sizeof(OpenQuery)));
    query->memory = memory;
    query->owner = CurrentResourceOwner;
    query->parameters = parameter_list(types, values, nulls, count);
    query->plan = SPI_plan_get_cached_plan(plan);
    if (!query->plan || list_length(query->plan->stmt_list) != 1) elog(ERROR, "a look-up is not one query");
    query->executor = CreateQueryDesc(linitial_node(PlannedStmt, query->plan->stmt_list), "", GetActiveSnapshot(),
                                      InvalidSnapshot, None_Receiver, query->parameters, nullptr, 0);
    ExecutorStart(query->executor, 0);
    MemoryContextSwitchTo(caller);
    if (!can_be_rescanned(*query->executor)) {
        close(query);
        return nullptr;
    }
    close_with(lifetime, query);
    return query;
}

TupleDesc columns_of(const OpenQuery& query) { return query.executor->tupDesc; }

// While the query holds its snapshot, no other can have the same address.
bool may_ask(const OpenQuery& query) {
    return query.executor->snapshot == GetActiveSnapshot() && query.owner == CurrentResourceOwner;
}

bool ask(OpenQuery& query, Datum parameter, Datum* result) {
    PlanState* top = query.executor->planstate;
    query.parameters->params[0].value = parameter;
    MemoryContext caller = MemoryContextSwitchTo(query.executor->estate->es_query_cxt);
    if (query.started) ExecReScan(top);
    query.started = true;
    TupleTableSlot* row = ExecProcNode(top);
    MemoryContextSwitchTo(caller);
    if (TupIsNull(row)) return false;
    bool is_null;
    const Datum value = slot_getattr(row, 1, &is_null);
    if (is_null) return false;
    Form_pg_attribute column = TupleDescAttr(row->tts_tupleDescriptor, 0);
    *result = datumCopy(value, column->attbyval, column->attlen);
    return true;
}

}  // namespace clientele
