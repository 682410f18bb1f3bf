// What is left of a budget lies in slots, of which who issues an offer locks one.
#pragma once

#include <cstdint>

namespace clientele {

// What a slot (from 0) gets of so many units, which are spread as evenly as whole units can be.
std::int64_t slot_share(std::int64_t units, int slots, int slot);

// Whether so little is left of a budget that somebody should know.
bool is_nearly_spent(double remaining, double budget);

}  // namespace clientele
