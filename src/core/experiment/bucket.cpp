// GrowthBook, "Build Your Own SDK" (docs.growthbook.io/lib/build-your-own): hash version 2 is
// fnv1a32(decimal(fnv1a32(seed + unit))) modulo 10,000.
#include "core/experiment/bucket.hpp"

#include <charconv>
#include <cmath>
#include <string>

#include <boost/locale/utf.hpp>

#include "core/base/error.hpp"

namespace clientele {

namespace utf = boost::locale::utf;

namespace {

[[noreturn]] void refuse_utf8() {
    throw Error(ErrorKind::invalid_text, "text to hash is not valid UTF-8", {},
                "Seeds and units are hashed as Unicode; use names and keys that can be converted to it.");
}

}  // namespace

void Fnv1a::add(std::string_view utf8) {
    for (auto at = utf8.begin(); at != utf8.end();) {
        const utf::code_point point = utf::utf_traits<char>::decode(at, utf8.end());
        if (point < 0x10000) {
            add_unit(point);
        } else if (utf::is_valid_codepoint(point)) {  // a surrogate pair
            add_unit(0xD800 + ((point - 0x10000) >> 10));
            add_unit(0xDC00 + ((point - 0x10000) & 0x3FF));
        } else {
            refuse_utf8();
        }
    }
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
