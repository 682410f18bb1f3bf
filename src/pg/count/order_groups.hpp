// Orders grouped by customer into order profiles, in bounded memory and at the speed of a scan: exactly what the
// aggregate order_profile() would give.
//
// begin_groups(); add_order() for each order; next_group() until it returns false; end_groups(). After an error the
// transaction frees everything.
#pragma once

#include <cstdint>

#include "core/profile/profile.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/kit/postgres.hpp"

namespace clientele {

struct OrderGroups;

// Whether keys of that type can be grouped: smallint, integer, bigint, uuid, text and varchar. Keys are the same where
// their bytes are: a nondeterministic collation is not looked at.
bool can_group(Oid key_type);

// A child of the current memory context holds all of it. memory_limit: bytes, from where on temporary files are used
// (get_hash_memory_limit()); at least 512 kB.
OrderGroups* begin_groups(Oid key_type, const Zone& zone, std::int64_t memory_limit);

// The amount must be finite and the time in range: see order_input.hpp. Keeps nothing of the key's memory.
void add_order(OrderGroups& groups, Datum key, Instant at, const Scaled& amount, Tie tie);

// The next customer and its order profile; false at the end. Both stay valid until the next call. Numbers come in
// ascending order and uuids in that of their first eight bytes, as far as memory holds the profiles; texts in none.
bool next_group(OrderGroups& groups, Datum* key, Datum* profile);

void end_groups(OrderGroups* groups);

// The order profile of one order alone, in the current memory.
Datum profile_of_one(Instant at, const Scaled& amount, Tie tie, const Zone& zone);

}  // namespace clientele
