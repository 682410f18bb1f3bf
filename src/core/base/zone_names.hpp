// Names of time zones that were renamed. A server that is younger than a store may know the present name alone (Debian
// has the former ones in a package of their own), one that is older the former alone; the rules are the same.
#pragma once

#include <cstddef>
#include <string_view>

namespace clientele {

// The present name of a zone by a former one, in any case; nullptr where it has none.
const char* present_zone_name(std::string_view name);

// The nth former name of a zone; nullptr at the end.
const char* former_zone_name(std::string_view name, std::size_t nth);

// Whether it can be a name that another server knows: Area/Location, of letters, digits and / _ + -. No new name has
// another form, and an abbreviation is none.
bool may_be_zone_name(std::string_view name);

}  // namespace clientele
