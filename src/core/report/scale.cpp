#include "core/report/scale.hpp"

#include <algorithm>
#include <cmath>

namespace clientele {

namespace {

double tick_distance(double span, int wanted_ticks) {
    const double rough = span / wanted_ticks;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    const double steps = rough / power;
    return power * (steps <= 1 ? 1 : steps <= 2 ? 2 : steps <= 5 ? 5 : 10);
}

}  // namespace

double Scale::place(double value) const { return std::clamp((value - low) / (high - low), 0.0, 1.0); }

Scale scale_over(double least, double most, int wanted_ticks) {
    if (!(most > least)) most = least + (least == 0 ? 1 : std::abs(least));
    const double distance = tick_distance(most - least, wanted_ticks);
    const double first = std::floor(least / distance);
    const double last = std::ceil(most / distance);
    Scale scale{first * distance, last * distance, {}};
    for (double tick = first; tick <= last; ++tick) scale.ticks.push_back(tick * distance);
    return scale;
}

}  // namespace clientele
