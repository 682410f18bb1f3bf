#include "core/offer/offer_code.hpp"

namespace clientele {
namespace {

std::optional<std::string> shown_code(const std::string& characters) {
    if (characters.size() != code_length) return {};
    return characters.substr(0, code_length / 2) + '-' + characters.substr(code_length / 2);
}

}  // namespace

// Bytes beyond the last multiple of the alphabet's size are left out, so that all characters are equally likely.
std::optional<std::string> code_from_random(std::span<const std::uint8_t> bytes) {
    constexpr std::size_t usable = 256 - 256 % code_alphabet.size();
    std::string characters;
    for (const std::uint8_t byte : bytes) {
        if (characters.size() == code_length) break;
        if (byte < usable) characters += code_alphabet[byte % code_alphabet.size()];
    }
    return shown_code(characters);
}

std::optional<std::string> canonical_code(std::string_view typed) {
    std::string characters;
    for (const char character : typed) {
        if (character == '-' || character == ' ') continue;
        const char upper = character >= 'a' && character <= 'z' ? static_cast<char>(character - 'a' + 'A') : character;
        if (code_alphabet.find(upper) == std::string_view::npos || characters.size() == code_length) return {};
        characters += upper;
    }
    return shown_code(characters);
}

}  // namespace clientele
