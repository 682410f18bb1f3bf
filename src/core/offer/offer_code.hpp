// The codes of issued offers: unguessable, and short enough to type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace clientele {

// Characters of a code, and how many of them there are to choose from: 25^10 is about 10^14, or 46 bits.
inline constexpr std::size_t code_length = 10;
inline constexpr std::string_view code_alphabet = "23456789CDFGHJKMNPQRTVWXY";

// A code as it is shown, XXXXX-XXXXX, of random bytes, each of which gives a character or (6 in 256) none; nothing
// where there are too few of them.
std::optional<std::string> code_from_random(std::span<const std::uint8_t> bytes);

// A code as people type it (in any case, with or without hyphens and spaces) as it is shown; nothing where it cannot be
// one.
std::optional<std::string> canonical_code(std::string_view typed);

}  // namespace clientele
