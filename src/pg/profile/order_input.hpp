// One order as a query gives it, checked: what may go into a profile, and how a row that may not is refused.
#pragma once

#include "core/base/calendar.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/kit/postgres.hpp"

namespace clientele {

[[noreturn]] void refuse_instant(TimestampTz at);

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

}  // namespace clientele
