// What people type: numbers, instants and dates of a profile's JSON, codes, names of zones, templates. Each is read or
// refused.
#include <cstdint>
#include <string>

#include "core/base/error.hpp"
#include "core/base/template.hpp"
#include "core/base/zone_names.hpp"
#include "core/offer/offer_code.hpp"
#include "core/profile/profile.hpp"

using namespace clientele;

namespace {

void read(std::uint8_t kind, const std::string& word) {
    switch (kind % 7) {
        case 0:
            parse_decimal(word.c_str(), 4, "gross");
            break;
        case 1:
            decimals_of(word.c_str());
            break;
        case 2:
            parse_instant(word.c_str(), "at");
            break;
        case 3:
            parse_date(word.c_str(), "first_day");
            break;
        case 4:
            canonical_code(word);
            break;
        case 5:
            may_be_zone_name(word);
            present_zone_name(word);
            former_zone_name(word, 1);
            break;
        default: {
            const Filling fillings[] = {{"a", "{b}"}, {"b", word}};
            std::string filled(checked_length(word, fillings), '\0');
            write_filled(word, fillings, filled.data());
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    try {
        read(data[0], std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
    } catch (const Error&) {
    }
    return 0;
}
