#include "core/response/response_fit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace clientele {
namespace {

// a, ln b, c, delta, ln tau, ln omega, logit A, logit q, d of three segments
const std::vector<double> example = {-1.5, std::log(4), 0.8, 0.02, 0.1, std::log(0.04), 1, 2.2, 0.1, -0.2, 0.3};

struct Row {
    ResponseOrder order;
    double log_likelihood;
};

ResponseOrder order_of(OrderValue known, OfferTerms terms, int segment, double value, bool open, bool redeemed) {
    ResponseOrder order;
    order.known = known;
    order.terms = terms;
    order.segment = segment;
    order.value = value;
    order.open = open;
    order.redeemed = redeemed;
    return order;
}

const std::vector<Row>& rows() {
    static const std::vector<Row> all = {{order_of({3.7, 0.3}, {}, 0, 41.20, false, false), -3.533415079232468},
                                         {order_of({3.7, 0.3}, {60, 3}, 0, 58.90, true, false), -5.578414544652934},
                                         {order_of({3.7, 0.3}, {60, 3}, 0, 60.50, true, true), -2.7900161943324333},
                                         {order_of({3.7, 0.3}, {60, 3}, 0, 75.00, true, true), -5.818637232816869},
                                         {order_of({3.7, 0.3}, {60, 3}, 0, 82.40, true, false), -8.707140446311909},
                                         {order_of({4.1, 0.5}, {90, 1.8}, 1, 90.00, true, true), -3.6588286808822295},
                                         {order_of({4.1, 0.5}, {90, 1.8}, 2, 55.55, true, false), -4.371936604257215}};
    return all;
}

std::vector<ResponseOrder> example_orders() {
    std::vector<ResponseOrder> orders;
    for (const Row& row : rows()) orders.push_back(row.order);
    return orders;
}

TEST(ResponseLikelihood, OfEachKindOfOrder) {
    const Response response(example, false);
    for (const Row& row : rows()) {
        EXPECT_NEAR(log_likelihood_of(row.order, response, {}), row.log_likelihood, 1e-12 * 10) << row.order.value;
    }
    const ResponseLikelihood likelihood(example_orders(), 3, false);
    EXPECT_NEAR(likelihood.log_likelihood(example), -34.45838878248606, 1e-11);
    EXPECT_NEAR(likelihood.log_prior(example), -0.6862015358937341, 1e-14);
}

TEST(ResponseLikelihood, GradientsAreSlopes) {
    constexpr double step = 1e-5;
    for (const bool q_known : {false, true}) {
        for (const Row& row : rows()) {
            std::vector<double> gradient(example.size());
            log_likelihood_of(row.order, Response(example, q_known), gradient);
            for (std::size_t i = 0; i < example.size(); ++i) {
                std::vector<double> above = example, below = example;
                above[i] += step;
                below[i] -= step;
                const double slope = (log_likelihood_of(row.order, Response(above, q_known), {}) -
                                      log_likelihood_of(row.order, Response(below, q_known), {})) /
                                     (2 * step);
                EXPECT_NEAR(gradient[i], slope, 2e-5 * (1 + std::abs(slope))) << i << " of " << row.order.value;
            }
        }
    }
}

// The density of what redeems adds up to its probability, with extra orders among it, and its gradient is its slope.
TEST(ResponseLikelihood, OfOrdersOfWhichSomeAreExtra) {
    constexpr double step = 1e-5;
    ResponseOrder order = order_of({3.7, 0.3}, {60, 3}, 0, 0, true, true);
    order.extra = 0.2;
    const Response response(example, false);
    double sum = 0;
    for (double y = 60.005; y < 200; y += 0.01) {
        order.value = y;
        sum += 0.01 * std::exp(log_likelihood_of(order, response, {}));
    }
    const auto m = OrdersBelow(response, 0, response.shifted(order.known), 60).moments(3);
    EXPECT_NEAR(sum, 0.8 * (response.q * m.S + m.G) + 0.2, 1e-4);
    for (const double y : {60.0, 60.5, 75.0, 120.0}) {
        order.value = y;
        std::vector<double> gradient(example.size());
        log_likelihood_of(order, response, gradient);
        for (std::size_t i = 0; i < example.size(); ++i) {
            std::vector<double> above = example, below = example;
            above[i] += step;
            below[i] -= step;
            const double slope = (log_likelihood_of(order, Response(above, false), {}) -
                                  log_likelihood_of(order, Response(below, false), {})) /
                                 (2 * step);
            EXPECT_NEAR(gradient[i], slope, 2e-5 * (1 + std::abs(slope))) << i << " of " << y;
        }
    }
}

// Orders of a log of simulated exposures, if there is one at hand: CLIENTELE_DATA/../reference/response.
std::vector<ResponseOrder> logged_orders() {
    const char* data = std::getenv("CLIENTELE_DATA");
    std::ifstream file((data ? std::string(data) : "../shared/data") + "/../reference/response/example_orders.csv");
    std::vector<ResponseOrder> orders;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream fields(line);
        ResponseOrder o;
        fields >> o.known.mu >> o.known.sigma >> o.terms.min_spend >> o.terms.reward >> o.segment >> o.value >>
            o.open >> o.redeemed;
        o.customer = static_cast<std::int64_t>(orders.size());
        orders.push_back(o);
    }
    return orders;
}

TEST(ResponseFit, FindsThePublishedModeOfALog) {
    const std::vector<ResponseOrder> orders = logged_orders();
    if (orders.empty()) GTEST_SKIP() << "There is no example_orders.csv.";
    const ResponseLikelihood likelihood(orders, 3, false);
    EXPECT_NEAR(likelihood.log_likelihood(likelihood.prior_means()), -3106.349615922646, 1e-8);
    const ResponseFit fit = fit_response(orders, 3, false);
    ASSERT_TRUE(fit.converged);
    EXPECT_NEAR(fit.log_posterior, -3085.984735352734, 1e-6);
    EXPECT_NEAR(fit.log_likelihood, -3084.5087569356183, 1e-4);
    const double mode[] = {-1.612941, 1.366219, 0.564255, -0.009481, 0.105567, -3.399724,
                           2.210031,  2.789787, 0.192951, 0.449601,  -0.558259};
    const double se[] = {0.79454, 0.35414, 0.37684, 0.01562, 0.02812, 0.52071,
                         0.82948, 0.53763, 0.52063, 0.53866, 0.56799};
    for (std::size_t i = 0; i < fit.mode.size(); ++i) {
        EXPECT_NEAR(fit.mode[i], mode[i], 1e-4) << i;
        EXPECT_NEAR(fit.posterior_error(i), se[i], 2e-4 * (1 + se[i])) << i;
        EXPECT_GT(fit.standard_error(i), 0) << i;
    }
    EXPECT_LT(fit.evaluations, 200);
}

// Orders of `exposures` exposures, one in ten of them held out, by the very model.
std::vector<ResponseOrder> simulated(int exposures, const std::vector<double>& truth, bool q_known, unsigned seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform;
    const Response response(truth, q_known);
    std::vector<ResponseOrder> orders;
    for (int i = 0; i < exposures; ++i) {
        const OrderValue known{3.7 + 0.5 * normal(random), 0.3 + 0.3 * uniform(random)};
        const double T = std::ceil(std::exp(known.mu) * (1.2 + 0.5 * (i % 4)) / 10) * 10;
        ResponseOrder o = order_of(known, {T, T * (i % 3 + 1) * 0.02}, i % 3, 0, i % 10 != 0, false);
        o.arm = o.open ? i % 12 : -1;
        o.customer = i;
        const OrderValue value = response.shifted(known);
        o.value = std::exp(value.mu + value.sigma * normal(random));
        if (o.open && o.value >= T) {
            o.redeemed = uniform(random) < response.q;
        } else if (o.open &&
                   uniform(random) < raise_probability(response, response.alpha(o.segment), o.value, o.terms)) {
            o.redeemed = true;
            o.value = T * (1 + std::exponential_distribution<double>(1 / response.omega)(random));
        }
        orders.push_back(o);
    }
    return orders;
}

TEST(ResponseFit, FindsTheParametersOfASimulation) {
    const auto orders = simulated(10'000, example, false, 1);
    const ResponseFit fit = fit_response(orders, 3, false);
    ASSERT_TRUE(fit.converged);
    for (std::size_t i = 0; i < example.size(); ++i) {
        EXPECT_NEAR(fit.mode[i], example[i], 3.5 * fit.standard_error(i)) << i;
        EXPECT_NEAR(fit.standard_error(i) / fit.posterior_error(i), 1, 0.1) << i;  // nobody recurs
    }
    EXPECT_GT(reach_check(orders, fit.response()).p_value, 0.01);
}

TEST(ResponseFit, WhoRecursSaysLess) {
    auto orders = simulated(2'000, example, false, 2);
    const auto once = orders;
    for (int copy = 0; copy < 3; ++copy) orders.insert(orders.end(), once.begin(), once.end());
    const ResponseFit fit = fit_response(orders, 3, false), single = fit_response(once, 3, false);
    ASSERT_TRUE(fit.converged && single.converged);
    // Four copies of everybody: errors that believed in four customers would be half as large.
    EXPECT_NEAR(fit.standard_error(parameter::ltau) / single.standard_error(parameter::ltau), 1, 0.1);
    EXPECT_NEAR(fit.posterior_error(parameter::ltau) / single.posterior_error(parameter::ltau), 0.5, 0.1);
}

TEST(ResponseFit, NeitherOrderNorNumbersMatter) {
    auto orders = simulated(1'500, example, true, 3);
    const ResponseFit fit = fit_response(orders, 3, true);
    std::shuffle(orders.begin(), orders.end(), std::mt19937_64(4));
    const ResponseFit shuffled = fit_response(orders, 3, true);
    EXPECT_EQ(fit.mode, shuffled.mode);
    EXPECT_EQ(fit.log_likelihood, shuffled.log_likelihood);
    EXPECT_TRUE(fit.converged);
    EXPECT_EQ(Response(fit.mode, true).q, 1);
}

// Whatever the log lacks, the priors say.
TEST(ResponseFit, LogsThatSayLittle) {
    auto orders = simulated(400, example, false, 5);
    EXPECT_TRUE(fit_response({}, 3, false).converged);
    const std::vector<ResponseOrder> held_out(orders.begin(), orders.begin() + 1);
    EXPECT_TRUE(fit_response(held_out, 0, false).converged || held_out[0].segment >= 0);
    for (auto& o : orders) o.segment = -1;
    EXPECT_TRUE(fit_response(orders, 0, false).converged);
    EXPECT_TRUE(fit_response(orders, 5, false).converged);  // segments without exposures
    auto none = orders;
    std::erase_if(none, [](const auto& o) { return o.redeemed; });
    EXPECT_TRUE(fit_response(none, 0, false).converged);
    auto everybody = orders;
    std::erase_if(everybody, [](const auto& o) { return o.open && !o.redeemed; });
    EXPECT_TRUE(fit_response(everybody, 0, false).converged);
    auto one_stretch = orders;
    for (auto& o : one_stretch) o.terms.reward = o.terms.min_spend * 0.05;
    EXPECT_TRUE(fit_response(one_stretch, 0, false).converged);
    auto generous = orders;
    for (auto& o : generous) o.terms.reward = 2 * o.terms.min_spend;
    EXPECT_TRUE(fit_response(generous, 0, false).converged);
}

// Nothing depends on the unit of the currency; not where the logarithms of densities happen to add up to nothing,
// either.
TEST(ResponseFit, IsTheSameInAnyUnit) {
    auto orders = simulated(400, example, false, 6);
    for (auto& o : orders) o.segment = -1;
    const ResponseFit plain = fit_response(orders, 0, false);
    ASSERT_TRUE(plain.converged);
    const double n = static_cast<double>(orders.size());
    std::vector<double> scales = {std::exp(plain.log_posterior / n)};
    for (int digits = -4; digits <= 12; ++digits) scales.push_back(std::pow(10.0, digits));
    for (const double scale : scales) {
        auto scaled = orders;
        for (auto& o : scaled) {
            o.known.mu += std::log(scale);
            o.value *= scale;
            o.terms.min_spend *= scale;
            o.terms.reward *= scale;
        }
        const ResponseFit fit = fit_response(scaled, 0, false);
        EXPECT_TRUE(fit.converged) << scale;
        EXPECT_NEAR(fit.log_posterior, plain.log_posterior - n * std::log(scale), 1e-6) << scale;
        for (std::size_t i = 0; i < fit.mode.size(); ++i) {
            EXPECT_NEAR(fit.mode[i], plain.mode[i], 1e-8) << i << " by " << scale;
            EXPECT_NEAR(fit.standard_error(i), plain.standard_error(i), 1e-6) << i << " by " << scale;
        }
    }
}

// Orders of a hundredth, the first rung 1, and some of them reach it all the same: gaps of a hundredfold.
TEST(ResponseFit, ThresholdsFarAboveEveryOrder) {
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform;
    for (const double typical : {0.02, 0.01, 0.004, 0.0004}) {
        std::vector<ResponseOrder> orders;
        for (int i = 0; i < 1'200; ++i) {
            const double mu = std::log(typical) + 0.4 * normal(random);
            ResponseOrder o = order_of({mu, 0.4}, {1, i % 2 ? 0.06 : 0.02}, -1, 0, i % 10 != 0, false);
            o.customer = i;
            o.arm = i % 2;
            o.value = std::max(std::round(100 * std::exp(mu + 0.35 * normal(random))) / 100, 0.01);
            o.redeemed = o.open && uniform(random) < 0.3;
            if (o.redeemed) o.value = 1 - 0.04 * std::log1p(-uniform(random));
            orders.push_back(o);
        }
        const ResponseFit fit = fit_response(orders, 0, true);
        EXPECT_TRUE(fit.converged) << typical;
        for (std::size_t i = 0; fit.converged && i < fit.mode.size(); ++i) EXPECT_LT(fit.standard_error(i), 10) << i;
    }
}

TEST(ResponseFit, ThresholdsThatEveryOrderReaches) {
    auto orders = simulated(400, example, false, 6);
    for (auto& o : orders) {
        o.segment = -1;
        o.terms = {0.01, 0.001};
        if (o.open) o.redeemed = true;
    }
    EXPECT_TRUE(fit_response(orders, 0, true).converged);
}

TEST(ReachCheck, SeesAResponseThatIsNotTheModels) {
    auto orders = simulated(10'000, example, false, 7);
    const ResponseFit fit = fit_response(orders, 3, false);
    // Of one arm nobody was raised any more.
    for (auto& o : orders) {
        if (o.arm == 5) o.redeemed = false;
    }
    const ReachCheck check = reach_check(orders, fit.response());
    EXPECT_LT(check.p_value, 1e-6);
    EXPECT_EQ(check.arms.size(), 12u);
    EXPECT_EQ(check.arms[5].redemptions, 0);
}

struct Stopped {};

TEST(ResponseFit, CanBeStopped) {
    const Poll poll = [] { throw Stopped{}; };
    EXPECT_THROW(fit_response(simulated(50, example, false, 8), 3, false, poll), Stopped);
}

}  // namespace
}  // namespace clientele
