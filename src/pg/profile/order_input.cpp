#include "pg/profile/order_input.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

#include "pg/kit/zone.hpp"

extern "C" {
#include "port/pg_bswap.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"
}

namespace clientele {

void refuse_instant(TimestampTz at) {
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                    errmsg("order time out of range: %s", timestamptz_to_str(at)),
                    errhint("An order is dated between 0001-01-01 and 9999-12-31.")));
    pg_unreachable();
}

namespace {

// Of unsigned bytes, the number that sorts among signed ones as they do.
Tie tie_of_bytes(const void* bytes, std::size_t size) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, std::min(size, sizeof word));
    return static_cast<Tie>(pg_ntoh64(word) ^ (std::uint64_t{1} << 63));
}

// Where ids end in a number, as ORD-2025-0017 does, that is what grows; else their first bytes.
Tie tie_of_characters(std::string_view id) {
    constexpr std::size_t most_digits = 18;
    const std::size_t before = id.find_last_not_of("0123456789");
    std::string_view digits = before == std::string_view::npos ? id : id.substr(before + 1);
    if (digits.empty()) return tie_of_bytes(id.data(), id.size());
    if (digits.size() > most_digits) digits.remove_prefix(digits.size() - most_digits);
    Tie number = 0;
    for (const char digit : digits) number = number * 10 + (digit - '0');
    return number;
}

Tie tie_of_text(Datum id) {
    text* value = DatumGetTextPP(id);
    const Tie tie = tie_of_characters({VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))});
    if (reinterpret_cast<Pointer>(value) != DatumGetPointer(id)) pfree(value);
    return tie;
}

// What is beyond a bigint sorts below or above all that is within.
Tie tie_of_numeric(Datum id) {
    constexpr double limit = 9.22337203685477e18;
    const double approximate = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, id));
    if (!(approximate < limit)) return std::numeric_limits<Tie>::max();
    if (approximate < -limit) return -std::numeric_limits<Tie>::max();
    return DatumGetInt64(DirectFunctionCall1(numeric_int8, id));
}

Tie tie_of_id(Oid type, Datum id) {
    switch (type) {
        case INT2OID:
            return DatumGetInt16(id);
        case INT4OID:
            return DatumGetInt32(id);
        case INT8OID:
            return DatumGetInt64(id);
        case NUMERICOID:
            return tie_of_numeric(id);
        case UUIDOID:
            return tie_of_bytes(DatumGetUUIDP(id)->data, UUID_LEN);
        case TEXTOID:
        case VARCHAROID:
        case BPCHAROID:
            return tie_of_text(id);
        default: {
            const Oid base = getBaseType(type);
            return base != type ? tie_of_id(base, id) : no_tie;
        }
    }
}

}  // namespace

Tie tie_of(Instant at, const Zone& zone, Oid id_type, Datum id) {
    return starts_day(at, zone) ? tie_of_id(id_type, id) : no_tie;
}

}  // namespace clientele

using namespace clientele;

CLIENTELE_FUNCTION(clientele_tie) {
    const text* name = PG_GETARG_TEXT_PP(1);
    const Zone& zone = find_zone(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
    const TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
    const Tie tie = TIMESTAMP_NOT_FINITE(at)
                        ? no_tie
                        : tie_of(at, zone, get_fn_expr_argtype(fcinfo->flinfo, 2), PG_GETARG_DATUM(2));
    if (tie == no_tie) PG_RETURN_NULL();
    PG_RETURN_INT64(tie);
}

// The one rule of which orders a store leaves out. NULL is no reason.
CLIENTELE_FUNCTION(clientele_countable) {
    const bool at = PG_ARGISNULL(0) || is_countable(PG_GETARG_TIMESTAMPTZ(0));
    PG_RETURN_BOOL(at && (PG_ARGISNULL(1) || read_numeric(PG_GETARG_DATUM(1)).kind == NumericKind::finite));
}

CLIENTELE_FUNCTION(clientele_fits_index) {
    static char varlena, fixed;  // what fn_extra remembers of the argument's type
    void*& kind = fcinfo->flinfo->fn_extra;
    if (!kind) kind = get_typlen(get_fn_expr_argtype(fcinfo->flinfo, 0)) == -1 ? &varlena : &fixed;
    PG_RETURN_BOOL(kind == &fixed || PG_ARGISNULL(0) || fits_index(PG_GETARG_DATUM(0)));
}
