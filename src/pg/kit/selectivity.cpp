// What the planner is told of functions that it cannot know: without it, it takes a third of the rows for granted.
#include "pg/kit/postgres.hpp"

extern "C" {
#include "nodes/supportnodes.h"
}

namespace {

Datum answer(FunctionCallInfo fcinfo, Selectivity selectivity) {
    auto* node = reinterpret_cast<Node*>(PG_GETARG_POINTER(0));
    if (!IsA(node, SupportRequestSelectivity)) PG_RETURN_POINTER(nullptr);
    reinterpret_cast<SupportRequestSelectivity*>(node)->selectivity = selectivity;
    PG_RETURN_POINTER(node);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_hardly_any) { return answer(fcinfo, 1e-6); }
CLIENTELE_FUNCTION(clientele_nearly_all) { return answer(fcinfo, 1.0); }
