#include "core/base/template.hpp"

#include <algorithm>
#include <string>

#include "core/base/error.hpp"

namespace clientele {
namespace {

constexpr std::string_view name_letters = "abcdefghijklmnopqrstuvwxyz_";

[[noreturn]] void refuse(std::string message, std::string detail, std::string hint) {
    throw Error(ErrorKind::invalid_parameter, std::move(message), std::move(detail), std::move(hint));
}

std::string marker_of(std::string_view name) { return "{" + std::string(name) + "}"; }

const Filling* find(std::span<const Filling> fillings, std::string_view name) {
    const auto found = std::ranges::find(fillings, name, &Filling::name);
    return found == fillings.end() ? nullptr : &*found;
}

bool occurs(std::string_view text, std::string_view name) {
    Marker marker = next_marker(text, 0);
    while (!marker.name.empty() && marker.name != name) marker = next_marker(text, marker.end());
    return !marker.name.empty();
}

void check_filling(std::string_view text, std::span<const Filling> fillings, const Filling& filling) {
    if (filling.name.empty() || filling.name.find_first_not_of(name_letters) != std::string_view::npos) {
        refuse("invalid name of a marker", "It is \"" + std::string(filling.name) + "\".",
               "A name is of the letters a to z and _.");
    }
    if (find(fillings, filling.name) != &filling) {
        refuse("two values for one marker", "It is " + marker_of(filling.name) + ".", "Give each marker one value.");
    }
    if (!occurs(text, filling.name)) {
        refuse("a value for a marker that the template does not have", "It is " + marker_of(filling.name) + ".",
               "Leave the value out, or put the marker into the template.");
    }
}

}  // namespace

Marker next_marker(std::string_view text, std::size_t from) {
    for (std::size_t at = text.find('{', from); at != std::string_view::npos; at = text.find('{', at + 1)) {
        const std::size_t end = text.find_first_not_of(name_letters, at + 1);
        if (end == std::string_view::npos) break;
        if (end > at + 1 && text[end] == '}') return {at, text.substr(at + 1, end - at - 1)};
    }
    return {std::string_view::npos, {}};
}

std::size_t checked_length(std::string_view text, std::span<const Filling> fillings) {
    for (const Filling& filling : fillings) check_filling(text, fillings, filling);
    std::size_t length = 0;
    fill(
        text, [&](std::string_view part) { length += part.size(); },
        [&](std::string_view name) {
            const Filling* filling = find(fillings, name);
            if (!filling) {
                refuse("a marker of the template has no value", "It is " + marker_of(name) + ".",
                       "Give a value for each marker; one that stands for itself is its own value.");
            }
            length += filling->value.size();
        });
    return length;
}

void write_filled(std::string_view text, std::span<const Filling> fillings, char* to) {
    const auto write = [&](std::string_view part) { to = std::copy(part.begin(), part.end(), to); };
    fill(text, write, [&](std::string_view name) { write(find(fillings, name)->value); });
}

}  // namespace clientele
