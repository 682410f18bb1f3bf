#include "core/response/extra_orders.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <vector>

namespace clientele {
namespace {

constexpr double prior_sd = 0.005;
constexpr std::size_t exposures_between_checks = 16'384;

struct Sums {
    double count = 0, reward = 0, orders = 0;

    void add(double more_reward, double more_orders, double weight = 1) {
        count += weight;
        reward += weight * more_reward;
        orders += weight * more_orders;
    }
    double mean_reward() const { return reward / count; }
    double mean_orders() const { return orders / count; }
};

struct Means {
    std::map<std::pair<std::int32_t, std::int32_t>, Sums> arms;  // by stratum and arm
    std::map<std::int32_t, Sums> strata;
    Sums offered;
};

bool comes_before(const ExposureOrders& one, const ExposureOrders& other) {
    return std::tie(one.customer, one.stratum, one.arm, one.reward, one.orders) <
           std::tie(other.customer, other.stratum, other.arm, other.reward, other.orders);
}

Means means_of(std::span<const ExposureOrders> exposures) {
    Means means;
    for (const ExposureOrders& exposure : exposures) {
        means.arms[{exposure.stratum, exposure.arm}].add(exposure.reward, exposure.orders);
        means.strata[exposure.stratum].add(exposure.reward, exposure.orders);
        if (exposure.reward > 0) means.offered.add(exposure.reward, exposure.orders);
    }
    return means;
}

// How far the mean reward of an arm is from that of its stratum.
double deviation(const Means& means, const ExposureOrders& exposure) {
    return means.arms.at({exposure.stratum, exposure.arm}).mean_reward() -
           means.strata.at(exposure.stratum).mean_reward();
}

}  // namespace

ExtraOrders extra_orders(double difference, double standard_error) {
    if (!std::isfinite(standard_error)) return {0, prior_sd};
    const double both = std::hypot(prior_sd, standard_error), share = prior_sd / both;
    return {std::max(difference * share * share, 0.0), share * standard_error};
}

OrdersByReward orders_by_reward(std::span<const ExposureOrders> exposures, Poll poll) {
    std::vector<ExposureOrders> sorted(exposures.begin(), exposures.end());
    std::sort(sorted.begin(), sorted.end(), comes_before);
    const Means means = means_of(sorted);
    double squares = 0, products = 0;
    for (const auto& [key, arm] : means.arms) {
        const Sums& stratum = means.strata.at(key.first);
        const double apart = arm.mean_reward() - stratum.mean_reward();
        squares += arm.count * apart * apart;
        products += arm.count * apart * (arm.mean_orders() - stratum.mean_orders());
    }
    OrdersByReward result;
    if (means.offered.count > 0) result.mean_reward = means.offered.mean_reward();
    result.error = std::numeric_limits<double>::infinity();
    if (!(squares > 1e-12)) return result;
    result.slope = products / squares;
    double variation = 0, score = 0;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (i % exposures_between_checks == 0) poll();
        const double apart = deviation(means, sorted[i]);
        score += apart * (sorted[i].orders - means.strata.at(sorted[i].stratum).mean_orders() - result.slope * apart);
        if (i + 1 < sorted.size() && sorted[i + 1].customer == sorted[i].customer) continue;
        variation += score * score;
        score = 0;
    }
    result.error = std::sqrt(variation) / squares;
    return result;
}

}  // namespace clientele
