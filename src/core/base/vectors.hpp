// Loops over doubles that compilers turn into vectors.
#pragma once

#include <bit>
#include <cstdint>

// Of a function: compiled for wider vectors as well, the processor decides which is called. Neither fuses operations
// (-ffp-contract=off), so that every processor finds the same digits.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CLIENTELE_WIDE_VECTORS __attribute__((target_clones("avx2", "default")))
#else
#define CLIENTELE_WIDE_VECTORS
#endif

namespace clientele {

// exp(x) without a branch or a call, to some 2e-16 of it; x beyond -708 and 709 counts as these.
// x = n ln 2 + r, |r| <= ln 2 / 2: Taylor's polynomial of e^r, times 2^n.
inline double exponential(double x) {
    constexpr double to_integer = 0x1.8p52;  // added, it leaves the rounded number in the lowest bits
    constexpr double per_ln_2 = 1.4426950408889634;
    constexpr double ln_2 = 0x1.62e42fefa0000p-1, rest_of_ln_2 = 0x1.cf79abc9e3b39p-40;
    x = x < -708 ? -708 : x > 709 ? 709 : x;
    const double shifted = x * per_ln_2 + to_integer, n = shifted - to_integer;
    const double r = (x - n * ln_2) - n * rest_of_ln_2;
    // By halves (Estrin 1960), so that few operations wait for one another.
    const double r2 = r * r, r4 = r2 * r2;
    const double low = 1.0 / 2 + 1.0 / 6 * r + (1.0 / 24 + 1.0 / 120 * r) * r2;
    const double middle = 1.0 / 720 + 1.0 / 5'040 * r + (1.0 / 40'320 + 1.0 / 362'880 * r) * r2;
    const double high = 1.0 / 3'628'800 + 1.0 / 39'916'800 * r + 1.0 / 479'001'600 * r2;
    const double sum = 1 + (r + r2 * (low + r4 * (middle + r4 * high)));
    return std::bit_cast<double>(std::bit_cast<std::uint64_t>(sum) + (std::bit_cast<std::uint64_t>(shifted) << 52));
}

}  // namespace clientele
