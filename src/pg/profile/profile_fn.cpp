// The type order_profile and its aggregates: src/sql/10-profile.sql says what each function means.
#include <cstddef>
#include <cstring>

#include "core/profile/order_log.hpp"
#include "core/profile/profile.hpp"
#include "pg/kit/aggregate.hpp"
#include "pg/kit/boundary.hpp"
#include "pg/kit/zone.hpp"
#include "pg/profile/order_input.hpp"
#include "pg/profile/profile_datum.hpp"

extern "C" {
#include "common/hashfn.h"
}

using namespace clientele;

static_assert(std::is_trivially_destructible_v<Summary>);

namespace {

// The state of order_profile(): a log of orders that were not folded yet, and the encoded profile of those that were. A
// row costs one append; the arithmetic happens once for many rows. What a row costs beyond the scan is cache misses, so
// the log stands right behind the counters, and is narrow. All memory is the aggregate's.
struct OrdersState {
    const Zone* zone;
    std::uint8_t* folded;
    Instant last_at;  // where the log ends
    std::uint32_t folded_size;
    std::uint32_t size;  // bytes of this state
    std::uint32_t used;  // bytes of the log
    std::uint32_t count;
    std::uint8_t scale;
    std::uint8_t log[];
};
// Powers of two, as the allocator rounds to them: about 50 orders at first, so that few customers' states move, folded
// at about 100.
constexpr std::uint32_t first_size = 512;
constexpr std::uint32_t fold_size = 1'024;

MemoryContext orders_context(FunctionCallInfo fcinfo) { return aggregate_context(fcinfo, "order_profile"); }

OrdersState* orders_argument(FunctionCallInfo fcinfo, int argument) {
    return state_argument<OrdersState>(fcinfo, argument);
}

// All that the state has seen. Call it while thinking.
Profile profile_of_state(const OrdersState& state) {
    if (state.count == 0 && state.folded) return decode({state.folded, state.folded_size});
    Orders orders = read_log({state.log, state.used});
    Profile profile = profile_of({orders.data(), orders.size()}, state.scale, *state.zone);
    if (state.folded) merge(profile, decode({state.folded, state.folded_size}));
    return profile;
}

// Room for the encoded union of the state's parts, each of them bounded by its own size.
std::size_t encoded_room(const OrdersState& state) { return state.folded_size + encoded_bound(state.count); }

// Encodes all that the state has seen; `out` has encoded_room().
std::size_t encode_state(const OrdersState& state, WritableBytes out) {
    if (state.count == 0 && state.folded) {
        std::memcpy(out.data(), state.folded, state.folded_size);
        return state.folded_size;
    }
    std::size_t size = 0;
    think([&] { size = encode(profile_of_state(state), state.zone->name, out); });
    return size;
}

void empty_log(OrdersState& state) {
    state.last_at = 0;
    state.used = 0;
    state.count = 0;
}

// From now on the state is this encoded profile.
void set_folded(OrdersState& state, MemoryContext context, Bytes encoded) {
    auto* folded = static_cast<std::uint8_t*>(MemoryContextAlloc(context, encoded.size()));
    std::memcpy(folded, encoded.data(), encoded.size());
    if (state.folded) pfree(state.folded);
    state.folded = folded;
    state.folded_size = static_cast<std::uint32_t>(encoded.size());
    empty_log(state);
}

void fold(OrdersState& state, MemoryContext context) {
    const std::size_t room = encoded_room(state);
    auto* scratch = static_cast<std::uint8_t*>(palloc(room));
    set_folded(state, context, {scratch, encode_state(state, {scratch, room})});
    pfree(scratch);
}

OrdersState* new_state(MemoryContext context, const Zone* zone, std::uint32_t size) {
    auto* state = static_cast<OrdersState*>(MemoryContextAlloc(context, size));
    *state = {};
    state->zone = zone;
    state->size = size;
    return state;
}

// Folding costs as much as the folded profile is long, so the longer it is, the more orders wait for it.
OrdersState* with_room(OrdersState* state, MemoryContext context) {
    if (state->size >= Max(fold_size, state->folded_size)) {
        fold(*state, context);
        return state;
    }
    state = static_cast<OrdersState*>(repalloc(state, 2 * state->size));
    state->size *= 2;
    return state;
}

[[noreturn]] void refuse_zones(const char* one, const char* other) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("order profiles of different time zones cannot be merged: \"%s\" and \"%s\"", one, other),
                    errhint("Build both from the orders in one time zone.")));
    pg_unreachable();
}

// The zone argument of this row; the last one is remembered for the whole query.
const Zone* zone_argument(FunctionCallInfo fcinfo) {
    static const Zone utc;
    if (PG_NARGS() < 4) return &utc;
    if (PG_ARGISNULL(3)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("time_zone must not be NULL"),
                        errhint("Leave it out for UTC, or name one of pg_timezone_names.")));
    }
    const text* name = PG_GETARG_TEXT_PP(3);
    auto* last = static_cast<const Zone*>(fcinfo->flinfo->fn_extra);
    if (last && std::strlen(last->name) == VARSIZE_ANY_EXHDR(name) &&
        std::memcmp(last->name, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) == 0) {
        return last;
    }
    const Zone& zone = find_zone(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
    fcinfo->flinfo->fn_extra = const_cast<Zone*>(&zone);
    return &zone;
}

Datum make_profile(const OrdersState& state) {
    const std::size_t room = encoded_room(state);
    auto* result = static_cast<struct varlena*>(palloc(VARHDRSZ + room));
    const std::size_t size = encode_state(state, {reinterpret_cast<std::uint8_t*>(VARDATA(result)), room});
    SET_VARSIZE(result, VARHDRSZ + size);
    return PointerGetDatum(result);
}

int compare(FunctionCallInfo fcinfo) {
    const Bytes a = profile_bytes(PG_GETARG_DATUM(0));
    const Bytes b = profile_bytes(PG_GETARG_DATUM(1));
    const int order = std::memcmp(a.data(), b.data(), Min(a.size(), b.size()));
    return order != 0 ? order : (a.size() > b.size()) - (a.size() < b.size());
}

// A profile from outside: refused unless it is one that this code could have written, be it elsewhere.
void check_encoded(Bytes encoded) {
    ZoneName name{};
    think([&] { name = zone_name(encoded); });
    const Zone* zone = zone_of_input(name);
    const char* spelt = zone ? zone->name : pnstrdup(name.data, name.size);
    bool follows = false;
    think([&] {
        const Profile profile = decode(encoded);
        follows = validate(profile, zone);
        require_canonical(profile, spelt, encoded);
    });
    if (!follows) warn_of_other_rules(spelt);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_order_profile_out) {
    const Bytes encoded = profile_bytes(PG_GETARG_DATUM(0));
    const char* zone = profile_zone_name(encoded);
    const std::size_t room = json_bound(static_cast<std::size_t>(profile_summary(encoded).purchase_days));
    char* text = static_cast<char*>(palloc(room + 1));
    std::size_t size = 0;
    think([&] { size = to_json(decode(encoded), zone, {text, room}); });
    text[size] = '\0';
    PG_RETURN_CSTRING(text);
}

CLIENTELE_FUNCTION(clientele_order_profile_send) {
    const Bytes encoded = profile_bytes(PG_GETARG_DATUM(0));
    StringInfoData out;
    pq_begintypsend(&out);
    pq_sendbytes(&out, reinterpret_cast<const char*>(encoded.data()), static_cast<int>(encoded.size()));
    PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

CLIENTELE_FUNCTION(clientele_order_profile_recv) {
    auto* in = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
    const int size = in->len - in->cursor;
    auto* result = static_cast<struct varlena*>(palloc(VARHDRSZ + size));
    pq_copymsgbytes(in, VARDATA(result), size);
    SET_VARSIZE(result, VARHDRSZ + size);
    check_encoded({reinterpret_cast<const std::uint8_t*>(VARDATA(result)), static_cast<std::size_t>(size)});
    PG_RETURN_POINTER(result);
}

CLIENTELE_FUNCTION(clientele_order_profile_from_bytea) {
    struct varlena* result = PG_GETARG_BYTEA_P_COPY(0);
    check_encoded(profile_bytes(PointerGetDatum(result)));
    PG_RETURN_POINTER(result);
}

// order_profile(): the state gains one order.
CLIENTELE_FUNCTION(clientele_order_profile_add) {
    MemoryContext context = orders_context(fcinfo);
    OrdersState* state = orders_argument(fcinfo, 0);
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) return unchanged_state(fcinfo);
    const Zone* zone = zone_argument(fcinfo);
    const Instant at = checked_instant(PG_GETARG_TIMESTAMPTZ(1));
    const Scaled amount = checked_amount(PG_GETARG_DATUM(2));
    const Order order = {at, amount.value, PG_NARGS() > 4 && !PG_ARGISNULL(4) ? PG_GETARG_INT64(4) : no_tie};
    if (!state) state = new_state(context, zone, first_size);
    if (state->zone != zone && std::strcmp(state->zone->name, zone->name) != 0) {
        refuse_zones(state->zone->name, zone->name);
    }
    std::uint8_t entry[max_logged_size];
    std::size_t length = log_order(entry, state->last_at, order);
    if (offsetof(OrdersState, log) + state->used + length > state->size) {
        state = with_room(state, context);
        length = log_order(entry, state->last_at, order);
    }
    std::memcpy(state->log + state->used, entry, length);
    state->used += static_cast<std::uint32_t>(length);
    state->last_at = at;
    ++state->count;
    if (amount.scale > state->scale) state->scale = amount.scale;
    PG_RETURN_POINTER(state);
}

CLIENTELE_FUNCTION(clientele_order_profile_final) {
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    return make_profile(*orders_argument(fcinfo, 0));
}

CLIENTELE_FUNCTION(clientele_order_profile_serialize) {
    orders_context(fcinfo);
    return make_profile(*orders_argument(fcinfo, 0));
}

// Combining decodes the bytes, and refuses what is no profile.
CLIENTELE_FUNCTION(clientele_order_profile_deserialize) {
    orders_context(fcinfo);
    const Bytes encoded = profile_bytes(PG_GETARG_DATUM(0));
    OrdersState* state = new_state(CurrentMemoryContext, &profile_zone(encoded), sizeof(OrdersState));
    set_folded(*state, CurrentMemoryContext, encoded);
    PG_RETURN_POINTER(state);
}

CLIENTELE_FUNCTION(clientele_order_profile_combine) {
    MemoryContext context = orders_context(fcinfo);
    OrdersState* state = orders_argument(fcinfo, 0);
    const OrdersState* other = orders_argument(fcinfo, 1);
    if (!other) return unchanged_state(fcinfo);
    if (!state) {
        state = new_state(context, other->zone, sizeof(OrdersState));
        if (other->count == 0) {
            set_folded(*state, context, {other->folded, other->folded_size});
            PG_RETURN_POINTER(state);
        }
    }
    if (std::strcmp(state->zone->name, other->zone->name) != 0) refuse_zones(state->zone->name, other->zone->name);
    const std::size_t room = encoded_room(*state) + encoded_room(*other);
    auto* scratch = static_cast<std::uint8_t*>(palloc(room));
    std::size_t size = 0;
    think([&] {
        Profile profile = profile_of_state(*state);
        merge(profile, profile_of_state(*other));
        size = encode(profile, state->zone->name, {scratch, room});
    });
    set_folded(*state, context, {scratch, size});
    pfree(scratch);
    PG_RETURN_POINTER(state);
}

// rollup(): the profile of two disjoint sets of orders.
CLIENTELE_FUNCTION(clientele_order_profile_merge) {
    const Bytes a = profile_bytes(PG_GETARG_DATUM(0));
    const Bytes b = profile_bytes(PG_GETARG_DATUM(1));
    const char* zone = profile_zone_name(a);
    const char* other_zone = profile_zone_name(b);
    if (std::strcmp(zone, other_zone) != 0) refuse_zones(zone, other_zone);
    const std::size_t room = a.size() + b.size() + encoded_bound(0);
    auto* result = static_cast<struct varlena*>(palloc(VARHDRSZ + room));
    std::size_t size = 0;
    think([&] {
        Profile profile = decode(a);
        merge(profile, decode(b));
        size = encode(profile, zone, {reinterpret_cast<std::uint8_t*>(VARDATA(result)), room});
    });
    SET_VARSIZE(result, VARHDRSZ + size);
    PG_RETURN_POINTER(result);
}

CLIENTELE_FUNCTION(clientele_order_profile_cmp) { PG_RETURN_INT32(compare(fcinfo)); }
CLIENTELE_FUNCTION(clientele_order_profile_eq) { PG_RETURN_BOOL(compare(fcinfo) == 0); }
CLIENTELE_FUNCTION(clientele_order_profile_ne) { PG_RETURN_BOOL(compare(fcinfo) != 0); }
CLIENTELE_FUNCTION(clientele_order_profile_lt) { PG_RETURN_BOOL(compare(fcinfo) < 0); }
CLIENTELE_FUNCTION(clientele_order_profile_le) { PG_RETURN_BOOL(compare(fcinfo) <= 0); }
CLIENTELE_FUNCTION(clientele_order_profile_gt) { PG_RETURN_BOOL(compare(fcinfo) > 0); }
CLIENTELE_FUNCTION(clientele_order_profile_ge) { PG_RETURN_BOOL(compare(fcinfo) >= 0); }

CLIENTELE_FUNCTION(clientele_order_profile_hash) {
    const Bytes encoded = profile_bytes(PG_GETARG_DATUM(0));
    return hash_any(encoded.data(), static_cast<int>(encoded.size()));
}

CLIENTELE_FUNCTION(clientele_order_profile_hash_extended) {
    const Bytes encoded = profile_bytes(PG_GETARG_DATUM(0));
    return hash_any_extended(encoded.data(), static_cast<int>(encoded.size()), static_cast<uint64>(PG_GETARG_INT64(1)));
}
