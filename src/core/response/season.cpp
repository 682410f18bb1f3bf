#include "core/response/season.hpp"

#include <algorithm>
#include <cmath>

#include "core/response/response_fit.hpp"

namespace clientele {

double season(std::span<const SeasonOrder> orders) {
    constexpr double most = 1;  // beyond it orders are of another kind, whatever the calendar
    const NormalPrior prior = prior_of(parameter::delta);
    double precision = 1 / (prior.sd * prior.sd);
    double sum = prior.mean * precision;
    for (const SeasonOrder& order : orders) {
        if (!(order.known.sigma > 0 && order.value > 0)) continue;
        const double weight = 1 / (order.known.sigma * order.known.sigma);
        sum += weight * (std::log(order.value) - order.known.mu);
        precision += weight;
    }
    return std::clamp(sum / precision, -most, most);
}

}  // namespace clientele
