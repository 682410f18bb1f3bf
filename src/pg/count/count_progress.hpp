// How far a count of a store's orders is, for whoever shows it.
#pragma once

#include <cstdint>

namespace clientele {

constexpr std::int64_t rows_a_report = 65'536;

// Called with the number of rows read so far, every rows_a_report rows and at the end. nullptr: nobody asks.
using CountProgress = void (*)(std::int64_t rows);
extern CountProgress count_progress;

// How many orders the last count had to leave out; -1: nobody has looked.
extern std::int64_t orders_left_out;

}  // namespace clientele
