// From values to places on an axis.
#pragma once

#include <vector>

namespace clientele {

// An axis from the first to the last tick; ticks are 1, 2 or 5 times a power of ten apart.
struct Scale {
    double low = 0, high = 1;
    std::vector<double> ticks;

    // Where a value lies, from 0 to 1; what lies outside of the axis is at its end.
    double place(double value) const;
};

// An axis that holds all from least to most, with about so many ticks.
Scale scale_over(double least, double most, int wanted_ticks);

}  // namespace clientele
