#include "pg/profile/profile_datum.hpp"

#include <cstring>

#include "pg/kit/boundary.hpp"

#include "pg/kit/zone.hpp"

namespace clientele {
namespace {

// Session memo: the last profile that was read, by its bytes.
struct LastRead {
    std::size_t size;  // 0: none
    std::uint8_t encoded[512];
    Summary summary;
};
LastRead last_read{};

}  // namespace

const Summary& profile_summary(Bytes encoded) {
    if (encoded.size() == last_read.size && std::memcmp(encoded.data(), last_read.encoded, encoded.size()) == 0) {
        return last_read.summary;
    }
    last_read.size = 0;
    think([&] { last_read.summary = decode_summary(encoded); });
    if (encoded.size() <= sizeof last_read.encoded) {
        std::memcpy(last_read.encoded, encoded.data(), encoded.size());
        last_read.size = encoded.size();
    }
    return last_read.summary;
}

const Zone& profile_zone(Bytes encoded) {
    ZoneName name{};
    think([&] { name = zone_name(encoded); });
    return find_zone(name.data, name.size);
}

Day day_as_of(Bytes encoded, TimestampTz as_of) {
    if (TIMESTAMP_NOT_FINITE(as_of)) {
        ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("as_of must be finite"),
                        errdetail("It is %s.", timestamptz_to_str(as_of))));
    }
    return day_of(profile_zone(encoded).local(as_of));
}

}  // namespace clientele
