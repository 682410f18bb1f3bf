// Reading the orders of a transition table, as the store defines them.
#pragma once

#include "core/profile/profile.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/live/live_source.hpp"

namespace clientele {

struct OrderReader;

struct OrderRow {
    bool counts;
    bool incomplete;  // a generated column is missing: all that is known is whose it is, and from when it may count,
    bool unknown;     // or not even this
    bool has_customer;
    Datum customer;
    Instant at;
    Datum value;    // the amount, as a numeric
    Scaled amount;  // and as profiles take it
    Tie tie;
    bool has_order;
    Datum order;
};

// Evaluates the store's definition of an order over these rows. Order ids are read only where they are asked for.
OrderReader* read_orders(const LiveSource& source, const TriggerData& trigger, TimestampTz now, Tuplestorestate* rows,
                         bool with_order_ids);

// The next row; false at the end. By-reference values hold until the row after it.
bool next_order(OrderReader& reader, OrderRow* row);

void end_reading(OrderReader* reader);

// Whose order it is, and by which id it is found.
bool same_hands(const OrderReader& reader, const OrderRow& a, const OrderRow& b);

bool same_order(const OrderReader& reader, const OrderRow& a, const OrderRow& b);

}  // namespace clientele
