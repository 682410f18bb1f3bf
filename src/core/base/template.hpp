// Texts with markers that values are put in for: "{name}", where a name is of the letters a to z and _. Any other brace
// is a brace.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace clientele {

struct Marker {
    std::size_t at;         // its opening brace; npos: there is none
    std::string_view name;  // empty: there is none

    std::size_t end() const { return at + name.size() + 2; }
};

// The first marker of a template at or behind `from`.
Marker next_marker(std::string_view text, std::size_t from);

// Hands over the parts of a template in their order: add_text(what stands between markers), add_value(the name of one).
// One pass: a value that looks like a marker is none.
template <class AddText, class AddValue>
void fill(std::string_view text, AddText&& add_text, AddValue&& add_value) {
    std::size_t done = 0;
    for (Marker marker = next_marker(text, 0); !marker.name.empty(); marker = next_marker(text, done)) {
        add_text(text.substr(done, marker.at - done));
        add_value(marker.name);
        done = marker.end();
    }
    add_text(text.substr(done));
}

struct Filling {
    std::string_view name;
    std::string_view value;
};

// The length of the template filled in. Errors: a name that no marker can have or that is there twice, a value whose
// marker does not occur, and a marker without a value.
std::size_t checked_length(std::string_view text, std::span<const Filling> fillings);

// Writes the template filled in to a buffer of that length.
void write_filled(std::string_view text, std::span<const Filling> fillings, char* to);

}  // namespace clientele
