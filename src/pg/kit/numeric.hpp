// Numerics as scaled integers and back. PostgreSQL's numeric arithmetic is general and slow; money here has at most
// four decimals, so its stored form (base 10,000 digits) is read directly.
#pragma once

#include <cstdint>

#include "pg/kit/postgres.hpp"

namespace clientele {

// A sum of amounts that is aligned as much as palloc aligns.
using StoredMoney __attribute__((aligned(MAXIMUM_ALIGNOF))) = __int128;

enum class NumericKind : std::uint8_t { finite, not_a_number, infinite, out_of_range };

// A numeric, rounded half away from zero to 1/10,000. `scale` is how many decimals it shows, at most 4.
struct Scaled {
    NumericKind kind;
    std::uint8_t scale;
    std::int64_t value;  // |value| < 10^17 where finite
};

// Reads a numeric datum without copying it (a short header is fine; a toasted one is expanded).
Scaled read_numeric(Datum datum);

// Raises an ERROR: an amount (what: "order amount", …) that is not finite or out of range.
[[noreturn]] void refuse_amount(const char* what, Datum amount);

// value / 10^decimals as a numeric that shows `decimals` decimals.
Datum make_numeric(__int128 value, int decimals);

}  // namespace clientele
