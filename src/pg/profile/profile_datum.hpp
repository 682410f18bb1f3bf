// Order profiles as PostgreSQL's datums.
#pragma once

#include "core/profile/profile.hpp"

#include "pg/kit/postgres.hpp"

namespace clientele {

// The encoded profile behind a datum, without a copy unless it is toasted.
inline Bytes profile_bytes(Datum datum) {
    struct varlena* stored = PG_DETOAST_DATUM_PACKED(datum);
    return {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(stored)), VARSIZE_ANY_EXHDR(stored)};
}

// A stored profile without its days. A row's figures are asked for one by one, so the last profile is remembered; the
// reference holds until the next call.
const Summary& profile_summary(Bytes encoded);

// The zone that a profile's days are counted in; an ERROR where this server does not know it.
const Zone& profile_zone(Bytes encoded);
const char* profile_zone_name(Bytes encoded);

// The zone of a profile that comes from outside: nullptr where this server does not know it, as when a dump comes from
// another. Raises an ERROR where it can be none.
const Zone* zone_of_input(ZoneName name);

// Once a session for each zone: the profiles are kept as they are, and only a count of the orders can mend them.
void warn_of_other_rules(const char* zone);

// The local calendar day of as_of in that zone; raises an ERROR for an infinite as_of.
Day day_as_of(Bytes encoded, TimestampTz as_of);

}  // namespace clientele
