// One order as a query gives it, checked: what may go into a profile, and how a row that may not is refused.
#pragma once

#include "core/profile/profile.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/kit/postgres.hpp"

extern "C" {
#include "access/detoast.h"
}

namespace clientele {

[[noreturn]] void refuse_instant(TimestampTz at);

// The tie of an order in a store whose times may be days: of an order that is dated by its day its id, as a number that
// sorts as ids do. Of texts it is the number that they end in, of others and uuids their first eight bytes; other types
// than these and numbers have none.
Tie tie_of(Instant at, const Zone& zone, Oid id_type, Datum id);

inline Instant checked_instant(TimestampTz at) {
    if (unlikely(TIMESTAMP_NOT_FINITE(at) || at < first_supported_instant || at > last_supported_instant)) {
        refuse_instant(at);
    }
    return at;
}

inline Scaled checked_amount(Datum datum) {
    const Scaled amount = read_numeric(datum);
    if (unlikely(amount.kind != NumericKind::finite)) refuse_amount("order amount", datum);
    return amount;
}

// What an index can take, whatever compression makes of it.
constexpr Size max_key_size = 2'000;

inline bool fits_index(Datum varlena) { return toast_raw_datum_size(varlena) - VARHDRSZ <= max_key_size; }

}  // namespace clientele
