// Order profiles as PostgreSQL's datums.
#pragma once

#include "core/profile.hpp"

#include "postgres.hpp"

namespace clientele {

// The encoded profile behind a datum, without a copy unless it is toasted.
inline Bytes profile_bytes(Datum datum) {
    struct varlena* stored = PG_DETOAST_DATUM_PACKED(datum);
    return {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(stored)), VARSIZE_ANY_EXHDR(stored)};
}

// The zone that a profile's days are counted in.
const Zone& profile_zone(Bytes encoded);

}  // namespace clientele
