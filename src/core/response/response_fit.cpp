// The likelihood has a term an order. f is the density of its value without an offer, G the probability that an order
// is raised:
//   not open                      ln f(y)
//   open, y < T                   ln f(y) + ln(1 - p(y; T, r))
//   open, y >= T, not redeemed    ln f(y) + ln(1 - q)
//   open, y >= T, redeemed        ln(q f(y) + G exp(-(y - T) / (omega T)) / (omega T))
// Of the open orders a share u comes only because of the offer: these redeem, and are worth max(x, T (1 + e)). So all
// open terms are of 1 - u of them, and one that redeemed may be of the others:
//                                 ln((1 - u) (as above) + u (f(y) P(T (1 + e) <= y) + P(x <= y) e's density))
// NLopt's SLSQP climbs most of the way up the posterior, Newton's method to its top. The covariance is J^-1 V J^-1
// (Huber 1967), V what customers' gradients vary by, and J what orders' do: that is positive definite where the second
// derivatives all but vanish, as they do where b, alpha and A can make up for one another (Berndt, Hall, Hall and
// Hausman 1974).
#include "core/response/response_fit.hpp"

#include <nlopt.h>

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <numbers>
#include <numeric>
#include <tuple>

namespace clientele {
namespace {

constexpr double difference_step = 1e-3;
constexpr double converged_step = 1e-7;
constexpr double least_rise = 1e-2;  // of the log posterior: such a step is a seventh of a standard error at most
constexpr double noise = 1e-10;      // of the log posterior, an order
constexpr int max_climb = 300;
constexpr int max_polish = 40;
constexpr std::size_t orders_between_checks = 4'096;

auto key(const ResponseOrder& o) {
    return std::tie(o.customer, o.known.mu, o.known.sigma, o.terms.min_spend, o.terms.reward, o.value, o.segment,
                    o.open, o.redeemed, o.extra);
}

double log_sum(double one, double other) {
    const double high = std::max(one, other);
    return high == -std::numeric_limits<double>::infinity() ? high
                                                            : high + std::log1p(std::exp(std::min(one, other) - high));
}

// An order's value as seen by what it would have been without an offer.
struct Natural {
    Natural(const ResponseOrder& order, const Response& response)
        : value(response.shifted(order.known)), z((std::log(order.value) - value.mu) / value.sigma) {}

    double log_density(double y) const {
        return -0.5 * z * z - std::log(value.sigma * y) - 0.5 * std::log(2 * std::numbers::pi);
    }
    void add_gradient(double weight, std::span<double> gradient) const {
        gradient[parameter::delta] += weight * z / value.sigma;
        gradient[parameter::ltau] += weight * (z * z - 1);
    }

    OrderValue value;
    double z;
};

void add_for_segment(const ResponseOrder& order, double slope, std::span<double> gradient) {
    gradient[parameter::a] += slope;
    if (order.segment >= 0) gradient[parameter::first_d + static_cast<std::size_t>(order.segment)] += slope;
}

// ln(1 - p), of an order that was not raised.
double log_not_raised(const ResponseOrder& order, const Response& response, std::span<double> gradient) {
    const double eta = raise_log_odds(response, response.alpha(order.segment), order.value, order.terms);
    const double share = 1 / (1 + std::exp(-eta)), p = std::min(response.A * share, 1 - 1e-12);
    if (!gradient.empty()) {
        const double slope = -p * (1 - share) / (1 - p);
        const double by_reward = std::log(order.terms.reward / order.terms.min_spend / 0.05);
        add_for_segment(order, slope, gradient);
        gradient[parameter::c] += slope * by_reward;
        // eta = alpha + c by_reward - b steepness
        gradient[parameter::lb] += slope * (eta - response.alpha(order.segment) - response.c * by_reward);
        gradient[parameter::lA] -= p * (1 - response.A) / (1 - p);
    }
    return std::log1p(-p);
}

// How far a raised order is beyond the threshold, as a multiple of the mean.
struct Beyond {
    Beyond(const ResponseOrder& order, const Response& response)
        : scale(response.omega * order.terms.min_spend), times((order.value - order.terms.min_spend) / scale) {}

    double log_density() const { return -times - std::log(scale); }

    double scale, times;
};

// An order that would not have come without the offer; adds its derivatives, times a weight.
double log_extra(const ResponseOrder& order, const Natural& natural, const Beyond& beyond, double weight,
                 std::span<double> gradient) {
    const double below = std::max(0.5 * std::erfc(-natural.z / std::numbers::sqrt2), 1e-300);
    const double log_own = natural.log_density(order.value) + std::log(-std::expm1(-beyond.times) + 1e-300);
    const double log_raised = std::log(below) + beyond.log_density();
    const double log_both = log_sum(log_own, log_raised);
    if (!gradient.empty() && weight > 0) {
        const double raised = weight * std::exp(log_raised - log_both), own = weight - raised;
        const double hazard = std::exp(natural.log_density(order.value)) * order.value / below;
        natural.add_gradient(own, gradient);
        gradient[parameter::delta] -= raised * hazard;
        gradient[parameter::ltau] -= raised * hazard * natural.value.sigma * natural.z;
        gradient[parameter::lomega] += raised * (beyond.times - 1);
        if (own > 0) gradient[parameter::lomega] -= own * beyond.times / std::expm1(beyond.times);
    }
    return log_both;
}

// An order that would have come anyway: of its own worth, or raised.
double log_own(const ResponseOrder& order, const Response& response, const Natural& natural, const Beyond& beyond,
               double weight, std::span<double> gradient) {
    const OrdersBelow below(response, order.segment, natural.value, order.terms.min_spend);
    const auto g = below.gradient(order.terms.reward);
    const double log_natural = std::log(response.q) + natural.log_density(order.value);
    const double log_raised = std::log(g.G) + beyond.log_density();
    const double log_both = log_sum(log_natural, log_raised);
    if (!gradient.empty()) {
        const double raised = weight * std::exp(log_raised - log_both);
        natural.add_gradient(weight - raised, gradient);
        gradient[parameter::lq] += (weight - raised) * (1 - response.q);
        if (raised > 0) {
            add_for_segment(order, raised * g.alpha / g.G, gradient);
            gradient[parameter::lb] += raised * g.lb / g.G;
            gradient[parameter::c] += raised * g.c / g.G;
            gradient[parameter::delta] += raised * g.delta / (g.G * natural.value.sigma);
            gradient[parameter::ltau] += raised * g.ltau / g.G;
            gradient[parameter::lA] += raised * g.lA / g.G;
            gradient[parameter::lomega] += raised * (beyond.times - 1);
        }
    }
    return log_both;
}

double log_redeemed(const ResponseOrder& order, const Response& response, const Natural& natural,
                    std::span<double> gradient) {
    const Beyond beyond(order, response);
    if (order.extra <= 0) return log_own(order, response, natural, beyond, 1, gradient);
    const double own = std::log1p(-order.extra) + log_own(order, response, natural, beyond, 1, {});
    const double extra = std::log(order.extra) + log_extra(order, natural, beyond, 1, {});
    const double both = log_sum(own, extra);
    if (!gradient.empty()) {
        log_own(order, response, natural, beyond, std::exp(own - both), gradient);
        log_extra(order, natural, beyond, std::exp(extra - both), gradient);
    }
    return both;
}

// What NLopt's callback needs. Nothing may be thrown through NLopt, which is C: it is kept until NLopt has returned.
struct Climb {
    const ResponseLikelihood& likelihood;
    nlopt_opt optimiser = nullptr;
    int evaluations = 0;
    std::exception_ptr thrown = nullptr;
};

double negated(unsigned n, const double* at, double* gradient, void* context) noexcept {
    auto& climb = *static_cast<Climb*>(context);
    try {
        ++climb.evaluations;
        const double value =
            climb.likelihood.log_posterior({at, n}, gradient ? std::span(gradient, n) : std::span<double>());
        for (unsigned i = 0; gradient && i < n; ++i) gradient[i] = -gradient[i];
        return std::isfinite(value) ? -value : 1e300;
    } catch (...) {
        climb.thrown = std::current_exception();
        nlopt_force_stop(climb.optimiser);
        return 1e300;
    }
}

// Most of the way up.
int climb(const ResponseLikelihood& likelihood, Vector& at) {
    Climb climb{likelihood};
    const std::unique_ptr<nlopt_opt_s, void (*)(nlopt_opt)> optimiser(
        nlopt_create(NLOPT_LD_SLSQP, static_cast<unsigned>(at.size())), nlopt_destroy);
    if (!optimiser) throw std::bad_alloc();
    climb.optimiser = optimiser.get();
    nlopt_set_min_objective(optimiser.get(), negated, &climb);
    nlopt_set_lower_bounds1(optimiser.get(), -30);
    nlopt_set_upper_bounds1(optimiser.get(), 30);
    nlopt_set_ftol_abs(optimiser.get(), 1e-9 * (1 + static_cast<double>(likelihood.orders())));
    nlopt_set_maxeval(optimiser.get(), max_climb);
    double value = 0;
    const nlopt_result result = nlopt_optimize(optimiser.get(), at.data(), &value);
    if (climb.thrown) std::rethrow_exception(climb.thrown);
    if (result == NLOPT_OUT_OF_MEMORY) throw std::bad_alloc();
    return climb.evaluations;
}

double longest_part(const Vector& step) {
    double longest = 0;
    for (const double part : step) longest = std::max(longest, std::abs(part));
    return longest;
}

// Newton's step upwards, damped (Levenberg 1944) where the posterior is not concave, which `concave` says.
Vector newton_step(const Matrix& curvature, const Vector& gradient, bool& concave) {
    std::optional<Matrix> factor = cholesky(curvature);
    concave = factor.has_value();
    for (double damping = 1e-3; !factor && damping < 1e12; damping *= 10) factor = cholesky(curvature, damping);
    if (!factor) return Vector(gradient.size());
    Vector step = solve(*factor, gradient);
    const double longest = longest_part(step);
    if (longest > 1) {
        for (double& part : step) part /= longest;
    }
    return step;
}

// Goes where the step leads to, or a part of it that leads up; false where none does. What counts as up does not depend
// on the currency's unit, which moves all values alike.
bool advance(const ResponseLikelihood& likelihood, Vector& at, double value, Vector step) {
    const double least = value - noise * (1 + static_cast<double>(likelihood.orders()));
    for (int halving = 0; halving < 12; ++halving) {
        Vector next = at;
        for (std::size_t i = 0; i < at.size(); ++i) next[i] += step[i];
        if (likelihood.log_posterior(next, {}) >= least) {
            at = next;
            return true;
        }
        for (double& part : step) part /= 4;
    }
    return false;
}

// How much higher Newton's step leads, as far as gradient and curvature tell.
double rise_of(const Vector& step, const Vector& gradient) {
    return 0.5 * std::inner_product(step.begin(), step.end(), gradient.begin(), 0.0);
}

// To the top; whether there is one. The gradient is the integral's, the value that of 32 nodes: where thresholds are
// a hundred times what customers spend, the two differ by so much that no step leads up close to the top, nor is
// there anything left to rise.
bool polish(const ResponseLikelihood& likelihood, Vector& at, Matrix& curvature) {
    Vector gradient(at.size());
    bool is_level = false;
    for (int i = 0; i < max_polish; ++i) {
        const double value = likelihood.log_posterior(at, gradient);
        curvature = likelihood.curvature(at);
        bool concave = false;
        const Vector step = newton_step(curvature, gradient, concave);
        if (concave && longest_part(step) < converged_step) return true;
        is_level = concave && rise_of(step, gradient) < least_rise;
        if (!advance(likelihood, at, value, step)) break;
    }
    return is_level;
}

void add_square(const Vector& gradient, Matrix& sum) {
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        for (std::size_t j = 0; j < gradient.size(); ++j) sum(i, j) += gradient[i] * gradient[j];
    }
}

}  // namespace

NormalPrior prior_of(std::size_t which) {
    switch (which) {
        case parameter::a:
            return {-2, 1.5};
        case parameter::lb:
            return {std::log(3.0), 0.7};
        case parameter::c:
            return {0.5, 0.5};
        case parameter::delta:
        case parameter::ltau:
            return {0, 0.2};
        case parameter::lomega:
            return {std::log(0.03), 0.7};
        case parameter::lA:
            return {1, 1.2};
        case parameter::lq:
            return {2, 1.5};
        default:
            return {0, 0.7};
    }
}

double log_likelihood_of(const ResponseOrder& order, const Response& response, std::span<double> gradient) {
    const Natural natural(order, response);
    const bool reached = order.open && order.value >= order.terms.min_spend;
    if (reached && order.redeemed) return log_redeemed(order, response, natural, gradient);
    double value = natural.log_density(order.value) + (order.open ? std::log1p(-order.extra) : 0);
    if (!gradient.empty()) natural.add_gradient(1, gradient);
    if (reached && response.q < 1) {
        value += std::log1p(-response.q);
        if (!gradient.empty()) gradient[parameter::lq] -= response.q;
    } else if (order.open && !reached) {
        value += log_not_raised(order, response, gradient);
    }
    return value;
}

ResponseLikelihood::ResponseLikelihood(std::span<const ResponseOrder> orders, std::size_t segments, bool q_known,
                                       Poll poll)
    : orders_(orders.begin(), orders.end()), segments_(segments), q_known_(q_known), poll_(poll) {
    std::sort(orders_.begin(), orders_.end(), [](const auto& one, const auto& other) { return key(one) < key(other); });
}

Vector ResponseLikelihood::prior_means() const {
    Vector means(dimensions());
    for (std::size_t i = 0; i < means.size(); ++i) means[i] = prior_of(i).mean;
    return means;
}

double ResponseLikelihood::log_likelihood(std::span<const double> parameters) const { return sum_up(parameters, {}); }

double ResponseLikelihood::log_prior(std::span<const double> parameters) const {
    double sum = 0;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const double z = (parameters[i] - prior_of(i).mean) / prior_of(i).sd;
        sum -= 0.5 * z * z;
    }
    return sum;
}

double ResponseLikelihood::log_posterior(std::span<const double> parameters, std::span<double> gradient) const {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    const double value = sum_up(parameters, gradient) + log_prior(parameters);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        const auto [mean, sd] = prior_of(i);
        gradient[i] -= (parameters[i] - mean) / (sd * sd);
    }
    return value;
}

Matrix ResponseLikelihood::curvature(std::span<const double> parameters) const {
    const std::size_t n = dimensions();
    Matrix curvature(n);
    Vector at(parameters.begin(), parameters.end()), above(n), below(n);
    for (std::size_t i = 0; i < n; ++i) {
        at[i] = parameters[i] + difference_step;
        log_posterior(at, above);
        at[i] = parameters[i] - difference_step;
        log_posterior(at, below);
        at[i] = parameters[i];
        for (std::size_t j = 0; j < n; ++j) {
            const double second = (below[j] - above[j]) / (4 * difference_step);
            curvature(i, j) += second;
            curvature(j, i) += second;
        }
    }
    return curvature;
}

Matrix ResponseLikelihood::variation(std::span<const double> parameters, bool by_customer) const {
    const Response response(parameters, q_known_);
    Matrix sum(dimensions());
    Vector gradient(dimensions());
    for (std::size_t i = 0; i < orders_.size(); ++i) {
        log_likelihood_of(orders_[i], response, gradient);
        const bool goes_on = i + 1 < orders_.size() && orders_[i + 1].customer == orders_[i].customer;
        if (by_customer && goes_on) continue;
        add_square(gradient, sum);
        std::fill(gradient.begin(), gradient.end(), 0.0);
    }
    for (std::size_t i = 0; i < dimensions(); ++i) sum(i, i) += 1 / (prior_of(i).sd * prior_of(i).sd);
    return sum;
}

double ResponseLikelihood::sum_up(std::span<const double> parameters, std::span<double> gradient) const {
    const Response response(parameters, q_known_);
    double sum = 0;
    for (std::size_t i = 0; i < orders_.size(); ++i) {
        if (i % orders_between_checks == 0) poll_();
        sum += log_likelihood_of(orders_[i], response, gradient);
    }
    return sum;
}

double ResponseFit::standard_error(std::size_t which) const { return std::sqrt(covariance(which, which)); }
double ResponseFit::posterior_error(std::size_t which) const { return std::sqrt(posterior(which, which)); }

double extra_log_odds(const ResponseOrder& order, const Response& response) {
    const Natural natural(order, response);
    const Beyond beyond(order, response);
    return log_extra(order, natural, beyond, 1, {}) - log_own(order, response, natural, beyond, 1, {});
}

ResponseFit fit_response(std::span<const ResponseOrder> orders, std::size_t segments, bool q_known, Poll poll,
                         const Vector& start) {
    const ResponseLikelihood likelihood(orders, segments, q_known, poll);
    ResponseFit fit;
    fit.q_known = q_known;
    fit.mode = start.empty() ? likelihood.prior_means() : start;
    fit.evaluations = climb(likelihood, fit.mode);
    Matrix curvature;
    fit.converged = polish(likelihood, fit.mode, curvature);
    fit.log_likelihood = likelihood.log_likelihood(fit.mode);
    fit.log_posterior = fit.log_likelihood + likelihood.log_prior(fit.mode);
    if (!fit.converged) return fit;
    fit.posterior = inverse(*cholesky(curvature));
    const Matrix bread = inverse(*cholesky(likelihood.variation(fit.mode, false)));
    fit.covariance = product(product(bread, likelihood.variation(fit.mode, true)), bread);
    return fit;
}

// What an open order does follows from the past alone, so that the deviations of all open orders from their
// predictions are uncorrelated. Where the arms are those that were fitted, level, gap and reward were fitted to these
// very counts, which takes three degrees of freedom.
ReachCheck reach_check(std::span<const ResponseOrder> orders, const Response& response, int fitted) {
    std::map<std::int32_t, std::pair<ReachCheck::Arm, double>> arms;  // with the variance
    for (const ResponseOrder& order : orders) {
        if (!order.open) continue;
        const OrdersBelow below(response, order.segment, response.shifted(order.known), order.terms.min_spend);
        const auto m = below.moments(order.terms.reward);
        const double redeems = (1 - order.extra) * (response.q * m.S + m.G) + order.extra;
        auto& [arm, variance] = arms[order.arm];
        arm.arm = order.arm;
        ++arm.open_orders;
        arm.redemptions += order.redeemed;
        arm.predicted += redeems;
        variance += redeems * (1 - redeems);
    }
    ReachCheck result;
    for (const auto& [number, counted] : arms) {
        const auto& [arm, variance] = counted;
        result.arms.push_back(arm);
        const double deviation = static_cast<double>(arm.redemptions) - arm.predicted;
        if (variance > 0) result.chi_square += deviation * deviation / variance;
    }
    const double freedom = std::max(1.0, static_cast<double>(result.arms.size()) - fitted);
    result.p_value = cdf(complement(boost::math::chi_squared(freedom), result.chi_square));
    return result;
}

}  // namespace clientele
