#include "pg/kit/numeric.hpp"

#include <cstring>

namespace clientele {
namespace {

// The header of a stored numeric (documented in src/backend/utils/adt/numeric.c, unchanged since 9.1).
constexpr std::uint16_t sign_mask = 0xC000;
constexpr std::uint16_t short_form = 0x8000;
constexpr std::uint16_t special_form = 0xC000;
constexpr std::uint16_t special_nan = 0xC000;
constexpr std::uint16_t negative_long = 0x4000;
constexpr std::uint16_t negative_short = 0x2000;
constexpr std::uint16_t short_scale_mask = 0x1F80;
constexpr int short_scale_shift = 7;
constexpr std::uint16_t short_weight_sign = 0x0040;
constexpr std::uint16_t short_weight_mask = 0x003F;
constexpr std::uint16_t long_scale_mask = 0x3FFF;

constexpr int max_weight = 3;                            // 10,000^4 and above is out of range at once
constexpr std::int64_t limit = 100'000'000'000'000'000;  // 10^13 in 1/10,000

std::uint16_t word_at(const char* data, int index) {
    std::uint16_t word;
    std::memcpy(&word, data + 2 * index, sizeof word);
    return word;
}

// Σ digit × 10,000^(weight + 1): the value in 1/10,000; the digit behind decides the rounding.
Scaled sum_digits(const char* data, int count, int weight, bool negative, int scale) {
    if (count > 0 && weight > max_weight) return {NumericKind::out_of_range, 0, 0};
    __int128 value = 0;
    for (int position = weight, index = 0; position >= -1; --position, ++index) {
        value = value * 10'000 + (index < count ? word_at(data, index) : 0);
    }
    const int rounding_index = weight + 2;
    if (rounding_index >= 0 && rounding_index < count && word_at(data, rounding_index) >= 5'000) ++value;
    if (value >= limit) return {NumericKind::out_of_range, 0, 0};
    const auto magnitude = static_cast<std::int64_t>(value);
    return {NumericKind::finite, static_cast<std::uint8_t>(scale > 4 ? 4 : scale), negative ? -magnitude : magnitude};
}

}  // namespace

Scaled read_numeric(Datum datum) {
    auto* stored = reinterpret_cast<struct varlena*>(DatumGetPointer(datum));
    if (VARATT_IS_EXTERNAL(stored) || VARATT_IS_COMPRESSED(stored)) stored = pg_detoast_datum_packed(stored);
    const char* data = VARDATA_ANY(stored);
    const int words = static_cast<int>(VARSIZE_ANY_EXHDR(stored) / 2);
    const std::uint16_t header = word_at(data, 0);
    if ((header & sign_mask) == special_form) {
        return {header == special_nan ? NumericKind::not_a_number : NumericKind::infinite, 0, 0};
    }
    if (header & short_form) {
        int weight = header & short_weight_mask;
        if (header & short_weight_sign) weight |= ~static_cast<int>(short_weight_mask);
        return sum_digits(data + 2, words - 1, weight, header & negative_short,
                          (header & short_scale_mask) >> short_scale_shift);
    }
    const auto weight = static_cast<std::int16_t>(word_at(data, 1));
    return sum_digits(data + 4, words - 2, weight, (header & sign_mask) == negative_long, header & long_scale_mask);
}

void refuse_amount(const char* what, Datum amount) {
    ereport(
        ERROR,
        (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
         errmsg("%s out of range: %s", what, DatumGetCString(DirectFunctionCall1(numeric_out, amount))),
         errhint("An amount is a number between -10^13 and 10^13 (both excluded); NaN and infinities are refused.")));
    pg_unreachable();
}

Datum make_numeric(__int128 value, int decimals) {
    if (value >= PG_INT64_MIN && value <= PG_INT64_MAX) {
        return NumericGetDatum(int64_div_fast_to_numeric(static_cast<int64>(value), decimals));
    }
    char text[64];
    char* end = text + sizeof text;
    char* at = end;
    *--at = '\0';
    const bool negative = value < 0;
    auto rest = negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
    for (int digit = 0; rest != 0 || digit <= decimals; ++digit) {
        if (digit == decimals && decimals > 0) *--at = '.';
        *--at = static_cast<char>('0' + static_cast<int>(rest % 10));
        rest /= 10;
    }
    if (negative) *--at = '-';
    return DirectFunctionCall3(numeric_in, CStringGetDatum(at), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

}  // namespace clientele
