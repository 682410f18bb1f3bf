// GrowthBook, "Build Your Own SDK" (docs.growthbook.io/lib/build-your-own): hash version 2 is
// fnv1a32(decimal(fnv1a32(seed + unit))) modulo 10,000.
#include "core/experiment/bucket.hpp"

#include <charconv>
#include <cmath>
#include <string>

#include "core/base/error.hpp"

namespace clientele {
namespace {

[[noreturn]] void refuse_utf8() {
    throw Error(ErrorKind::invalid_text, "text to hash is not valid UTF-8", {},
                "Seeds and units are hashed as Unicode; use names and keys that can be converted to it.");
}

// How many bytes follow a lead byte; refuses what leads nothing.
int continuation_bytes(unsigned char lead) {
    if (lead >= 0xC2 && lead <= 0xDF) return 1;
    if (lead >= 0xE0 && lead <= 0xEF) return 2;
    if (lead >= 0xF0 && lead <= 0xF4) return 3;
    refuse_utf8();
}

}  // namespace

void Fnv1a::add(std::string_view utf8) {
    for (std::size_t at = 0; at < utf8.size();) {
        const auto byte = static_cast<unsigned char>(utf8[at]);
        if (byte < 0x80) {
            add_unit(byte);
            ++at;
        } else {
            at += add_wide(utf8, at);
        }
    }
}

// Feeds the character of several bytes at `at`, as one unit or as a surrogate pair; returns its length.
std::size_t Fnv1a::add_wide(std::string_view utf8, std::size_t at) {
    constexpr std::uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    const auto lead = static_cast<unsigned char>(utf8[at]);
    const int more = continuation_bytes(lead);
    if (utf8.size() - at <= static_cast<std::size_t>(more)) refuse_utf8();
    std::uint32_t point = lead & (0x3FU >> more);
    for (int index = 1; index <= more; ++index) {
        const auto byte = static_cast<unsigned char>(utf8[at + index]);
        if ((byte & 0xC0) != 0x80) refuse_utf8();
        point = point << 6 | (byte & 0x3F);
    }
    if (point < smallest[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) refuse_utf8();
    if (point < 0x10000) {
        add_unit(point);
    } else {
        add_unit(0xD800 + ((point - 0x10000) >> 10));
        add_unit(0xDC00 + ((point - 0x10000) & 0x3FF));
    }
    return static_cast<std::size_t>(more) + 1;
}

int bucket_number(Fnv1a seeded, std::string_view unit) {
    seeded.add(unit);
    char digits[10];
    const auto end = std::to_chars(digits, digits + sizeof digits, seeded.value()).ptr;
    Fnv1a again;
    again.add({digits, static_cast<std::size_t>(end - digits)});
    return static_cast<int>(again.value() % bucket_count);
}

int bucket_number(std::string_view seed, std::string_view unit) {
    Fnv1a seeded;
    seeded.add(seed);
    return bucket_number(seeded, unit);
}

void check_weights(std::span<const double> weights) {
    constexpr double tolerance = 1e-6;
    double sum = 0;
    for (std::size_t index = 0; index < weights.size(); ++index) {
        if (!(std::isfinite(weights[index]) && weights[index] >= 0)) {
            throw Error(ErrorKind::invalid_parameter, "weight of a variant is not a share",
                        "Weight " + std::to_string(index + 1) + " is " + shown(weights[index]) + ".",
                        "Weights are numbers from 0 to 1 whose sum is at most 1.");
        }
        sum += weights[index];
    }
    if (sum > 1 + tolerance) {
        throw Error(ErrorKind::invalid_parameter, "weights of the variants sum to more than 1",
                    "The sum is " + shown(sum) + ".", "Weights are numbers from 0 to 1 whose sum is at most 1.");
    }
}

int choose_variant(double share, std::span<const double> weights) {
    double start = 0;
    for (std::size_t index = 0; index < weights.size(); ++index) {
        const double end = start + weights[index];
        if (share >= start && share < end) return static_cast<int>(index);
        start = end;
    }
    return -1;
}

}  // namespace clientele
