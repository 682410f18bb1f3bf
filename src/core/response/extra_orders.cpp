#include "core/response/extra_orders.hpp"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <vector>

namespace clientele {
namespace {

constexpr double prior_sd = 0.005;
constexpr std::size_t exposures_between_checks = 16'384;
constexpr double most_extra = 0.9;  // a share beyond is no shop's
constexpr int rounds = 3;

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
    Sums offered, all;
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
        means.all.add(exposure.reward, exposure.orders);
    }
    return means;
}

// How far the mean reward of an arm is from that of its stratum.
double deviation(const Means& means, const ExposureOrders& exposure) {
    return means.arms.at({exposure.stratum, exposure.arm}).mean_reward() -
           means.strata.at(exposure.stratum).mean_reward();
}

// An open order: its extra orders per reward, and whether it redeemed, with how much likelier it then is as one of
// them.
struct Sign {
    double reward, odds;
    bool redeemed;
};

std::vector<Sign> signs_of(std::span<const ResponseOrder> orders, const Response& response) {
    std::vector<Sign> signs;
    for (const ResponseOrder& order : orders) {
        if (!order.open) continue;
        const bool redeemed = order.redeemed && order.value >= order.terms.min_spend;
        signs.push_back({order.terms.reward / std::exp(order.known.mu),
                         redeemed ? std::exp(std::min(extra_log_odds(order, response), 500.0)) : 0, redeemed});
    }
    return signs;
}

// The log likelihood of orders per reward, with what was measured as its prior.
double log_posterior(std::span<const Sign> signs, const OrdersByReward& measured, double per_reward) {
    const double own = extra_rate(measured, per_reward).own_orders, z = (per_reward - measured.slope) / measured.error;
    double sum = -0.5 * z * z;
    for (const Sign& sign : signs) {
        const double more = per_reward * sign.reward / own;
        sum -= std::log1p(more);
        if (sign.redeemed) sum += std::log1p(more * sign.odds);
    }
    return sum;
}

double likeliest_rate(std::span<const ResponseOrder> orders, const Response& response, const OrdersByReward& measured) {
    const double most = 0.5 * measured.all_orders / measured.all_rewards;
    const std::vector<Sign> signs = signs_of(orders, response);
    const auto found = boost::math::tools::brent_find_minima(
        [&](double rate) { return -log_posterior(signs, measured, rate); }, 0.0, most, 20);
    return found.first;
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
    if (means.all.count > 0) result.all_rewards = means.all.mean_reward(), result.all_orders = means.all.mean_orders();
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

ExtraRate extra_rate(const OrdersByReward& measured, double per_reward) {
    return {per_reward, std::max(measured.all_orders - per_reward * measured.all_rewards, 0.0)};
}

void mark_extra(std::span<ResponseOrder> orders, const ExtraRate& rate) {
    for (ResponseOrder& order : orders) {
        order.extra = 0;
        if (!order.open || !(rate.per_reward > 0)) continue;
        const double extra = rate.per_reward * order.terms.reward / std::exp(order.known.mu);
        order.extra = std::min(extra / (rate.own_orders + extra), most_extra);
    }
}

ResponseWithExtra fit_with_extra(std::vector<ResponseOrder>& orders, std::size_t segments, bool q_known,
                                 const OrdersByReward& measured, double given, Poll poll) {
    ResponseWithExtra result;
    const bool varies = std::isfinite(measured.error) && measured.all_orders > 0;
    const bool is_fitted = std::isnan(given) && varies;
    result.rate = extra_rate(measured, is_fitted ? std::max(measured.slope, 0.0) : std::isnan(given) ? 0 : given);
    for (int round = 0;; ++round) {
        mark_extra(orders, result.rate);
        result.fit = fit_response(orders, segments, q_known, poll, result.fit.mode);
        if (!is_fitted || round == rounds - 1 || !result.fit.converged) break;
        result.rate = extra_rate(measured, likeliest_rate(orders, result.fit.response(), measured));
    }
    if (result.rate.per_reward > 0 && is_fitted) ++result.fitted;
    return result;
}

}  // namespace clientele
