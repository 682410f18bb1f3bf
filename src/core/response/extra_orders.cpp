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
    double weight = 0, reward = 0, orders = 0, before = 0;

    void add(const ExposureOrders& exposure, double by = 1) {
        weight += by;
        reward += by * exposure.reward;
        orders += by * exposure.orders;
        before += by * exposure.before;
    }
    double mean_reward() const { return reward / weight; }
    double mean_orders() const { return orders / weight; }
    double mean_before() const { return before / weight; }
};

struct Means {
    std::map<std::pair<std::int32_t, std::int32_t>, Sums> arms;  // by stratum and arm
    std::map<std::int32_t, Sums> strata;
};

bool comes_before(const ExposureOrders& one, const ExposureOrders& other) {
    return std::tie(one.customer, one.stratum, one.arm, one.reward, one.orders, one.before) <
           std::tie(other.customer, other.stratum, other.arm, other.reward, other.orders, other.before);
}

// Numbers of orders vary as their means do; but nobody's say all.
double weight_of(const ExposureOrders& exposure, double mean_before) {
    return mean_before > 0 ? mean_before / (mean_before + exposure.before) : 1;
}

Means means_of(std::span<const ExposureOrders> exposures, double mean_before) {
    Means means;
    for (const ExposureOrders& exposure : exposures) {
        const double weight = weight_of(exposure, mean_before);
        means.arms[{exposure.stratum, exposure.arm}].add(exposure, weight);
        means.strata[exposure.stratum].add(exposure, weight);
    }
    return means;
}

// Takes off what the orders of the year before say of those to come.
void adjust_for_before(std::vector<ExposureOrders>& exposures, double mean_before) {
    const Means means = means_of(exposures, mean_before);
    double squares = 0, products = 0;
    for (const ExposureOrders& exposure : exposures) {
        const Sums& stratum = means.strata.at(exposure.stratum);
        const double apart = weight_of(exposure, mean_before) * (exposure.before - stratum.mean_before());
        squares += apart * (exposure.before - stratum.mean_before());
        products += apart * (exposure.orders - stratum.mean_orders());
    }
    if (!(squares > 1e-12)) return;
    for (ExposureOrders& exposure : exposures) exposure.orders -= products / squares * exposure.before;
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

// At a fit's mode and so many orders per reward.
struct JointPoint {
    double log_posterior = 0;
    Vector gradient;  // of the fit's parameters
};
JointPoint joint_point(std::vector<ResponseOrder>& orders, std::size_t segments, const ResponseFit& fit,
                       const OrdersByReward& measured, double per_reward, Poll poll) {
    mark_extra(orders, extra_rate(measured, per_reward));
    const double z = (per_reward - measured.slope) / measured.error;
    JointPoint point{0, Vector(fit.mode.size())};
    const ResponseLikelihood likelihood(orders, segments, fit.q_known, poll);
    point.log_posterior = likelihood.log_posterior(fit.mode, point.gradient) - 0.5 * z * z;
    return point;
}

// The mode moves with the extra orders by -C^-1 d(gradient), C the curvature; what is left of their own curvature when
// all others move along is the inverse of their variance.
void carry_error(std::vector<ResponseOrder>& orders, std::size_t segments, const OrdersByReward& measured, Poll poll,
                 ResponseWithExtra& result) {
    constexpr double step_of_error = 0.02;
    const double step = step_of_error * std::min(measured.error, measured.all_orders / measured.all_rewards);
    const double middle = std::max(result.rate.per_reward, step);
    ResponseFit& fit = result.fit;
    const auto at = [&](double rate) { return joint_point(orders, segments, fit, measured, rate, poll); };
    const JointPoint below = at(middle - step), here = at(middle), above = at(middle + step);
    double information = -(above.log_posterior - 2 * here.log_posterior + below.log_posterior) / (step * step);
    Vector move(fit.mode.size());
    for (std::size_t i = 0; i < move.size(); ++i) {
        for (std::size_t j = 0; j < move.size(); ++j) {
            move[i] += fit.posterior(i, j) * (above.gradient[j] - below.gradient[j]) / (2 * step);
        }
        information -= move[i] * (above.gradient[i] - below.gradient[i]) / (2 * step);
    }
    const double most = measured.error * measured.error;
    const double variance = information > 0 ? std::min(1 / information, most) : most;
    for (std::size_t i = 0; i < move.size(); ++i) {
        for (std::size_t j = 0; j < move.size(); ++j) fit.covariance(i, j) += variance * move[i] * move[j];
    }
    mark_extra(orders, result.rate);
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
    Sums offered, all;
    for (const ExposureOrders& exposure : sorted) {
        if (exposure.reward > 0) offered.add(exposure);
        all.add(exposure);
    }
    const double mean_before = all.weight > 0 ? all.mean_before() : 0;
    adjust_for_before(sorted, mean_before);
    const Means means = means_of(sorted, mean_before);
    double squares = 0, products = 0;
    for (const auto& [key, arm] : means.arms) {
        const Sums& stratum = means.strata.at(key.first);
        const double apart = arm.mean_reward() - stratum.mean_reward();
        squares += arm.weight * apart * apart;
        products += arm.weight * apart * (arm.mean_orders() - stratum.mean_orders());
    }
    OrdersByReward result;
    if (offered.weight > 0) result.mean_reward = offered.mean_reward();
    if (all.weight > 0) result.all_rewards = all.mean_reward(), result.all_orders = all.mean_orders();
    result.error = std::numeric_limits<double>::infinity();
    if (!(squares > 1e-12)) return result;
    result.slope = products / squares;
    double variation = 0, score = 0;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (i % exposures_between_checks == 0) poll();
        const double apart = weight_of(sorted[i], mean_before) * deviation(means, sorted[i]);
        score += apart * (sorted[i].orders - means.strata.at(sorted[i].stratum).mean_orders() -
                          result.slope * deviation(means, sorted[i]));
        if (i + 1 < sorted.size() && sorted[i + 1].customer == sorted[i].customer) continue;
        variation += score * score;
        score = 0;
    }
    result.error = std::sqrt(variation) / squares;
    return result;
}

Economics economics_of(const OrdersByReward& measured, const ExtraOrders& believed, double displaced) {
    Economics economics;
    economics.displaced = displaced;
    if (!(measured.mean_reward > 0)) return economics;
    economics.extra_orders = economics.measured_extra_orders = believed.mean / measured.mean_reward;
    economics.extra_orders_error = economics.measured_extra_orders_error = believed.error / measured.mean_reward;
    if (believed.error > 0 && std::isfinite(measured.error)) {
        economics.measured_extra_orders = measured.slope;
        economics.measured_extra_orders_error = measured.error;
    }
    return economics;
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
    if (is_fitted && result.fit.converged && measured.error > 0) carry_error(orders, segments, measured, poll, result);
    return result;
}

}  // namespace clientele
