#include "pg/profile/profile_datum.hpp"

#include <cstring>

#include "core/base/zone_names.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/zone.hpp"

extern "C" {
#include "nodes/pg_list.h"
}

namespace clientele {
namespace {

// Session memo: the last profile that was read, by its bytes.
struct LastRead {
    std::size_t size;  // 0: none
    std::uint8_t encoded[512];
    Summary summary;
};
LastRead last_read{};

// Session memo: the zones that it has been warned of.
List* warned = NIL;

ZoneName zone_name_of(Bytes encoded) {
    ZoneName name{};
    think([&] { name = zone_name(encoded); });
    return name;
}

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
    const ZoneName name = zone_name_of(encoded);
    return find_zone(name.data, name.size);
}

const char* profile_zone_name(Bytes encoded) {
    const ZoneName name = zone_name_of(encoded);
    return pnstrdup(name.data, name.size);
}

const Zone* zone_of_input(ZoneName name) {
    const Zone* zone = known_zone(name.data, name.size);
    if (!zone && (name.size > TZ_STRLEN_MAX || !may_be_zone_name({name.data, name.size}))) {
        find_zone(name.data, name.size);
    }
    return zone;
}

void warn_of_other_rules(const char* zone) {
    ListCell* cell;
    foreach (cell, warned) {
        if (std::strcmp(static_cast<const char*>(lfirst(cell)), zone) == 0) return;
    }
    MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
    warned = lappend(warned, pstrdup(zone));
    MemoryContextSwitchTo(caller);
    const bool known = known_zone(zone, std::strlen(zone)) != nullptr;
    ereport(WARNING,
            (errmsg("order profiles were counted by other rules of time zone \"%s\" than those of this server", zone),
             known ? errdetail("Their purchase days, evenings and weekends are those of the other rules.")
                   : errdetail("This server does not know the time zone."),
             errhint("Count them anew from the orders, where they are a store's: CALL clientele.refresh(), after "
                     "clientele.set_time_zone() where the server does not know the zone.")));
}

Day day_as_of(Bytes encoded, TimestampTz as_of) {
    if (TIMESTAMP_NOT_FINITE(as_of)) {
        ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("as_of must be finite"),
                        errdetail("It is %s.", timestamptz_to_str(as_of))));
    }
    return day_of(profile_zone(encoded).local(as_of));
}

}  // namespace clientele
