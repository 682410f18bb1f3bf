// Stores, as the look-ups of one customer see them.
#pragma once

#include "pg/kit/postgres.hpp"

namespace clientele {

// The setting clientele.store.
extern char* store_setting;

struct Store {
    Oid schema;
    Oid settings;  // the table by which the store was found
};

// The store of that name; where it is empty, the setting clientele.store; else the only one that the caller may use.
// Raises an ERROR that lists those where none is meant.
Store resolve_store(const char* name);

// Raises an ERROR unless the caller is the store's owner, or a member of it.
void require_owner(const Store& store);

// Raises an ERROR unless the columns of a query over the store have these types. Values are taken as what they should
// be, and the owner of a store may have put something else in the place of its views and tables.
void check_result(const Store& store, TupleDesc columns, const Oid* types, int count);

// A schema's name; an ERROR where another session has dropped it.
const char* schema_name(Oid schema);

// Whether a store has let go of its orders: its views cannot be read then. The answer holds as long as the lock on its
// profiles, which is taken here: until the end of the transaction.
bool is_detached(const Store& store);

// The settings table in a schema, where that is a store: an ordinary table whose columns begin with those of
// clientele.store_settings, so that whoever reads it finds the types that are expected.
Oid settings_table(Oid schema);

}  // namespace clientele
