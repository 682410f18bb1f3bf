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

// The zone that a profile's days are counted in.
const Zone& profile_zone(Bytes encoded);

// The local calendar day of as_of in that zone; raises an ERROR for an infinite as_of.
Day day_as_of(Bytes encoded, TimestampTz as_of);

}  // namespace clientele
