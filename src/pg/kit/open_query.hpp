// A prepared query that stays open, to be asked again with another first parameter.
//
// Starting and ending the executor is most of what a look-up by key costs. A set-returning function that is called for
// each row of a query starts it once, and then only rescans. The open query ends with the query that calls the
// function.
#pragma once

#include "pg/kit/postgres.hpp"

extern "C" {
#include "executor/spi.h"
}

namespace clientele {

struct OpenQuery;

// Opens a saved plan of one SELECT; `lifetime` is the memory context of the calling query. nullptr where the plan keeps
// results of one parameter for the next (a hash table, a sort, a sub-plan): such a query has to be started anew each
// time. Call it connected to SPI.
OpenQuery* open_query(SPIPlanPtr plan, const Oid* types, const Datum* values, const char* nulls, int count,
                      MemoryContext lifetime);

// What it gives. Its plan is its own: that stays so.
TupleDesc columns_of(const OpenQuery& query);

// Whether the query may be asked by who calls now: same snapshot, same resource owner.
bool may_ask(const OpenQuery& query);

// The first column of the first row for this first parameter, copied to the current memory context; false where there
// is no row or it is NULL.
bool ask(OpenQuery& query, Datum parameter, Datum* result);

}  // namespace clientele
