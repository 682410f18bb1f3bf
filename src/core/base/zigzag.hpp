// Signed numbers as unsigned ones that are small where the number is near zero: 0, -1, 1, -2, ... become 0, 1, 2, 3,
// ...
#pragma once

#include <cstdint>

namespace clientele {

constexpr std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

}  // namespace clientele
