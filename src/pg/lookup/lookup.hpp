// What asks for one customer has in common: the customer's key, and prepared queries that are kept for the session.
#pragma once

#include <span>

#include "pg/kit/query.hpp"
#include "pg/lookup/pending_probe.hpp"
#include "pg/store/store.hpp"

extern "C" {
#include "executor/spi.h"
}

namespace clientele {

// ---- Keys ----

// The type of the store's customer keys.
Oid key_type_of(const Store& store);

// A text as a key of that type; false where it is a whole number that the type has no room for.
bool key_from_text(Datum value, Oid key_type, Datum* key);

// The first argument of a look-up, a bigint, uuid or text, as a key of that type; false where no such key can exist.
bool key_argument(FunctionCallInfo fcinfo, Oid key_type, Datum* key);

// ---- Queries ----

// A query over a store; in its text %1$s is the quoted schema, %2$s the view. Known by its address.
struct StoreQuery {
    const char* text;
    View view;
    bool every_time = false;      // planned anew for each execution: what it reads is worth it
    bool written_in_sql = false;  // the text is the name of a function of clientele that returns it, given the store
};

// The query's plan, made once a session, whose first parameter is the customer's key, of the type that key_type_of()
// told when the key was read, followed by others of these types. Call it connected to SPI.
SPIPlanPtr plan_of(const Store& store, Oid key_type, const StoreQuery& query, bool stored, int more, const Oid* types);

// Runs such a query under the caller's snapshot and copies its only value, of this type, to the caller's memory; NULL
// where there is no row.
NullableDatum look_up(const Store& store, Oid key_type, const StoreQuery& query, bool stored, Datum key,
                      std::span<const Parameter> more, Oid type);

// Whether a store is detached or has lost what its offers are decided by, which is said in a warning. Whoever asks may
// be a till that has just taken an order: an error would take that back.
bool warns_of_no_offers(const Store& store);

}  // namespace clientele
