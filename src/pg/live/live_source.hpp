// What the table of a trigger is to a live store: found once in a session, and again when something about it changes.
#pragma once

#include "core/base/calendar.hpp"

#include "pg/kit/postgres.hpp"

extern "C" {
#include "commands/trigger.h"
#include "executor/spi.h"
}

namespace clientele {

// One statement of a trigger on the order lines, prepared when it is first needed.
enum class ItemQuery : int { inserted, deleted, updated, inserted_blind, deleted_blind, updated_blind, count };

struct LiveSource {
    Oid key;  // the trigger
    bool known;
    bool changed;     // while it was being found
    bool appendable;  // pending was found to take rows, and has not changed since
    bool placed;      // it is known whether the table is watched
    bool watched;  // it is a part of the store's orders (a detached partition is not), and the trigger is the store's
                   // own
    Oid relation;
    Oid schema;
    Oid settings;
    Oid owner;
    Oid view;  // _orders or _items
    Oid pending;
    Oid failures;
    Oid reversals;
    Oid ledger;
    bool ledger_known;  // its indexes were found, and it has not changed since
    Oid redeemed;       // that of redemptions, by order
    Oid by_customer;
    Oid orders;
    Oid key_type;
    Oid order_type;  // of pending's column
    Oid profile_type;
    bool has_items;
    bool has_order_id;
    bool has_local_times;  // dates, or timestamps without time zone
    bool foreign_code;     // the filter calls what is neither PostgreSQL's nor ours
    const Zone* zone;
    MemoryContext memory;
    List* columns;  // of orders: planned expressions over the table: customer, time, amount, and order id where there
                    // is one
    List* filter;
    List* generated;             // of orders: columns that these read and that a transition table may lack
    char* item_columns[3];       // of lines: their names
    bool foreign_category;       // of a type that is not PostgreSQL's own
    bool generated_lines;        // a transition table may lack a category or an amount,
    bool generated_line_orders;  // or which order a line belongs to
    bool owes_failure;           // one could not be recorded: the next statement does it
    SPIPlanPtr item_queries[static_cast<int>(ItemQuery::count)];
};

// Raises an ERROR where the store is gone or was changed by hand: then the caller sets known to false. What was found
// until then stays: `failures` may be there to report to.
LiveSource& live_source(const TriggerData& trigger);

// The entry of a trigger, as far as it is known.
LiveSource& cached_source(const TriggerData& trigger);

// Whether a failure of this trigger is the store's affair. Where that could not be found out: whether its owner may
// have triggers on the table.
bool concerns_store(const LiveSource& source, const TriggerData& trigger);

// The table of settings of the store that a trigger belongs to; InvalidOid where it is gone.
Oid store_of_trigger(const Trigger& trigger, Oid relation);

}  // namespace clientele
