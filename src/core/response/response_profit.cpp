// An open order redeems with probability R = q S + G and gains w = m ((1 + omega) T G - X) - r R; orders come by a
// Poisson process of mean Lambda, the offer is open until the first redemption, so that (1 - exp(-Lambda R)) / R orders
// are placed while it is. Extra orders are worth max(x, T (1 + omega)), and redeem.
#include "core/response/response_profit.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/random.hpp"

namespace clientele {
namespace {

constexpr double guard_quantile = 0.2;
constexpr double extra_deviate = 1.6448536269514722;  // of a normal: 5 % are so far below its mean
constexpr double interval_tail = 0.05;

// Marsaglia's polar method, without the second of the pair.
double standard_normal(Random& random) {
    for (;;) {
        const double u = 2 * random.uniform() - 1, v = 2 * random.uniform() - 1, square = u * u + v * v;
        if (square < 1 && square > 0) return u * std::sqrt(-2 * std::log(square) / square);
    }
}

// The parameters' deviations from the mode: L z.
Vector deviate(const Matrix& factor, Random& random) {
    const std::size_t n = factor.size();
    Vector z(n), result(n);
    for (double& part : z) part = standard_normal(random);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k <= i; ++k) result[i] += factor(i, k) * z[k];
    }
    return result;
}

}  // namespace

OfferProfit::OfferProfit(const Response& response, const Prospect& prospect, const Economics& economics,
                         double min_spend)
    : response_(response),
      economics_(economics),
      value_(response.shifted(prospect.value)),
      margin_(prospect.margin),
      median_(std::exp(prospect.value.mu)),
      orders_(prospect.orders),
      min_spend_(min_spend),
      below_(response, prospect.segment, value_, min_spend) {}

double OfferProfit::at(double reward, double extra_orders) const {
    const auto moments = below_.moments(reward);
    double redeems = response_.q * moments.S + moments.G;
    double gain = gain_of_raised(moments) - reward * redeems;
    double more = 0;
    const double extra = extra_orders * reward / median_;
    if (extra > 0) {
        const double mean = std::exp(value_.mu + value_.sigma * value_.sigma / 2);
        const double raised_to = min_spend_ * (1 + response_.omega);
        const double below = 1 - clientele::natural_share(value_, raised_to);
        // The part of the mean that is of orders above: Phi(sigma - z).
        const double above =
            clientele::natural_share({value_.mu + value_.sigma * value_.sigma, value_.sigma}, raised_to);
        const double worth = raised_to * below + mean * above, share = extra / (orders_ + extra);
        redeems = (1 - share) * redeems + share;
        gain = (1 - share) * gain + share * (margin_ * (worth - mean) - reward);
        more = extra * margin_ * mean;
    }
    const double orders = orders_ + std::max(extra, 0.0);
    const double open_orders = redeems > 1e-12 ? -std::expm1(-orders * redeems) / redeems : orders;
    return more + gain * open_orders - economics_.contact_cost;
}

double OfferProfit::break_even_share(double reward) const {
    const auto moments = below_.moments(reward);
    return reward * moments.G / gain_of_raised(moments);
}

double OfferProfit::raised_share(double reward) const {
    const auto moments = below_.moments(reward);
    return moments.G / (response_.q * moments.S + moments.G);
}

double OfferProfit::gain_of_raised(const OrdersBelow::Moments& moments) const {
    const double added = (1 + response_.omega) * min_spend_ * moments.G - moments.X;
    return margin_ * (1 - economics_.displaced) * added;
}

ResponseBelief::ResponseBelief(const ResponseFit& fit, const Economics& economics, int draws, std::uint64_t seed,
                               ExtraDraws extra)
    : mode_(fit.response()),
      economics_(economics),
      sure_extra_orders_(std::max(economics.extra_orders - extra_deviate * economics.extra_orders_error, 0.0)) {
    const auto factor = fit.converged ? cholesky(fit.covariance, 1e-10) : std::nullopt;
    if (!factor) return;
    const bool believed = extra == ExtraDraws::believed;
    const double mean = believed ? economics.extra_orders : economics.measured_extra_orders;
    const double error = believed ? economics.extra_orders_error : economics.measured_extra_orders_error;
    Random random(seed, 0);
    for (int i = 0; i < draws; ++i) {
        Vector parameters = deviate(*factor, random);
        for (std::size_t k = 0; k < parameters.size(); ++k) parameters[k] += fit.mode[k];
        const double extra_orders = mean + error * standard_normal(random);
        draws_.push_back({Response(parameters, fit.q_known), std::max(extra_orders, 0.0)});
    }
}

double ResponseBelief::profit(const Prospect& prospect, const OfferTerms& terms) const {
    return OfferProfit(mode_, prospect, economics_, terms.min_spend).at(terms.reward, sure_extra_orders_);
}

std::vector<double> ResponseBelief::profits(const Prospect& prospect, const OfferTerms& terms) const {
    std::vector<double> profits;
    profits.reserve(draws_.size());
    for (const auto& [response, extra] : draws_) {
        profits.push_back(OfferProfit(response, prospect, economics_, terms.min_spend).at(terms.reward, extra));
    }
    return profits;
}

double quantile_of(std::vector<double> numbers, double share) {
    if (numbers.empty()) return -HUGE_VAL;
    std::sort(numbers.begin(), numbers.end());
    const double place = share * static_cast<double>(numbers.size() - 1);
    const auto lower = static_cast<std::size_t>(place);
    const std::size_t upper = std::min(lower + 1, numbers.size() - 1);
    return numbers[lower] + (place - static_cast<double>(lower)) * (numbers[upper] - numbers[lower]);
}

std::optional<Choice> choose(const ResponseBelief& belief, const Prospect& prospect,
                             std::span<const OfferTerms> candidates, const Floors& floors) {
    std::optional<Choice> best = best_candidate(belief, prospect, candidates);
    if (!best || !(best->profit > 0) || best->profit < floors.min_profit) return std::nullopt;
    const OfferTerms& terms = candidates[best->index];
    if (terms.reward < floors.min_reward) return std::nullopt;
    best->low = quantile_of(belief.profits(prospect, terms), guard_quantile);
    if (!(best->low > 0)) return std::nullopt;
    return best;
}

std::optional<Choice> best_candidate(const ResponseBelief& belief, const Prospect& prospect,
                                     std::span<const OfferTerms> candidates) {
    std::optional<Choice> best;
    std::optional<OfferProfit> profit;
    const double extra = belief.sure_extra_orders();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (i == 0 || candidates[i].min_spend != candidates[i - 1].min_spend) {
            profit.emplace(belief.mode(), prospect, belief.economics(), candidates[i].min_spend);
        }
        const double earns = profit->at(candidates[i].reward, extra);
        if (!best || earns > best->profit) best = {i, earns, 0};
    }
    return best;
}

void TotalProfit::add(const Prospect& prospect, const OfferTerms& terms, double weight) {
    if (!(terms.reward > 0)) return;
    at_mode_ += weight * belief_.profit(prospect, terms);
    const std::vector<double> profits = belief_.profits(prospect, terms);
    for (std::size_t i = 0; i < profits.size(); ++i) by_draw_[i] += weight * profits[i];
}

ProfitInterval profit_interval(double at_mode, const std::vector<double>& by_draw) {
    const double low = quantile_of(by_draw, interval_tail), high = quantile_of(by_draw, 1 - interval_tail);
    if (by_draw.empty()) return {at_mode, low, high};
    return {at_mode, std::min(low, at_mode), std::max(high, at_mode)};
}

ProfitInterval TotalProfit::per_customer(double customers) const {
    const ProfitInterval total = profit_interval(at_mode_, by_draw_);
    return {total.mode / customers, total.low / customers, total.high / customers};
}

}  // namespace clientele
