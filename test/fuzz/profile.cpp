// Forged profiles: what is decoded and accepted has one binary form, can be written as JSON, merged and asked; anything
// else is refused.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/profile/profile.hpp"

using namespace clientele;

namespace {

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

void use(const Profile& profile, const std::string& zone) {
    std::vector<char> json(json_bound(profile.days.size()));
    require(to_json(profile, zone.c_str(), json) <= json.size(), "the JSON form is longer than its bound");
    if (profile.orders > 0) typical_value(profile);
    typical_cv(profile);
    order_value_cv(profile);
    mean_gap(profile);
    median_gap(profile);
    purchase_days_within(profile, 365, profile.last_day);
    Profile both = profile;
    merge(both, profile);
    std::vector<std::uint8_t> bytes(encoded_bound(both.days.size()));
    const std::size_t size = encode(both, zone.c_str(), bytes);
    require(size <= bytes.size(), "the binary form is longer than its bound");
    require(decode({bytes.data(), size}).orders == both.orders, "a merged profile is not read back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Zone utc;
    try {
        const Bytes encoded(data, size);
        const Profile profile = decode(encoded);
        decode_summary(encoded);
        const ZoneName name = zone_name(encoded);
        const std::string zone(name.data, name.size);
        validate(profile, zone == "UTC" ? &utc : nullptr);
        require_canonical(profile, zone.c_str(), encoded);
        use(profile, zone);
    } catch (const Error&) {
    }
    return 0;
}
