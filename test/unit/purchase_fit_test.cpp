#include "core/score/purchase_fit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core/base/error.hpp"
#include "core/score/purchase_likelihood.hpp"
#include "core/score/value_fit.hpp"

#include <boost/math/quadrature/tanh_sinh.hpp>

namespace clientele {
namespace {

constexpr PurchaseKind kinds[] = {PurchaseKind::bgnbd, PurchaseKind::mbgnbd, PurchaseKind::pareto_nbd};

using Histories = std::vector<PurchaseHistory>;

// At the parameters of the histories' own unit of time.
Derivatives likelihood_of(PurchaseKind kind, Parameters parameters, const Histories& histories) {
    const DistinctHistories rows = distinct(histories);
    const GroupedHistories grouped(rows);
    parameters[1] = std::ldexp(parameters[1], -rows.exponent);
    if (kind == PurchaseKind::pareto_nbd) parameters[3] = std::ldexp(parameters[3], -rows.exponent);
    Derivatives d = purchase_likelihood(kind, grouped, never_give_up)->at(parameters, true);
    d.value -= grouped.total_purchases * rows.exponent * std::log(2.0);
    return d;
}

// Customers of BG/NBD, in whole days; some of them alike.
Histories simulated(int customers, Parameters parameters, unsigned seed = 1, double longest = 300) {
    const auto [r, alpha, a, b] = parameters;
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> uniform;
    Histories histories;
    for (int i = 0; i < customers; ++i) {
        const double age = std::floor(longest * (0.3 + 0.7 * uniform(random)));
        const double rate = std::gamma_distribution<double>(r, 1 / alpha)(random);
        const double leave = std::gamma_distribution<double>(a)(random),
                     stay = std::gamma_distribution<double>(b)(random);
        PurchaseHistory history{0, 0, age};
        for (double t = 0; history.repeat_purchases == 0 || uniform(random) * (leave + stay) > leave;) {
            t = std::ceil(t - std::log1p(-uniform(random)) / rate);
            if (t > age) break;
            history.last_purchase_age = t;
            ++history.repeat_purchases;
        }
        histories.push_back(history);
    }
    return histories;
}

double near(double expected) { return 1e-6 * std::max(1.0, std::abs(expected)); }

// The fit's own value at its maximum, in any unit of time; and lower beside it.
TEST(PurchaseFit, LogLikelihoodOfAModelIsThatOfItsFit) {
    const Histories histories = simulated(500, {0.6, 20, 0.9, 1.6});
    for (const PurchaseKind kind : kinds) {
        const PurchaseFit fit = fit_purchases(kind, histories);
        EXPECT_NEAR(log_likelihood(fit.model, histories), fit.report.log_likelihood, 1e-9 * -fit.report.log_likelihood);
        PurchaseModel beside = fit.model;
        beside.parameters[0] *= 1.1;
        EXPECT_LT(log_likelihood(beside, histories), fit.report.log_likelihood);
    }
}

// A longer history less a shorter one: the density of no purchase in between, by hand for one customer of BG/NBD:
// with x = 0 the likelihood is (alpha / (alpha + T))^r.
TEST(PurchaseFit, LogLikelihoodOfWhatCameAfterwards) {
    const PurchaseModel model{PurchaseKind::bgnbd, {0.5, 40, 0.8, 2}};
    const double later = log_likelihood(model, Histories{{0, 0, 130}}) - log_likelihood(model, Histories{{0, 0, 100}});
    EXPECT_NEAR(later, 0.5 * std::log(140.0 / 170), 1e-12);
}

TEST(PurchaseFit, LogLikelihoodRefusesImpossibleModelsAndHistories) {
    const Histories one{{0, 0, 10}};
    EXPECT_THROW(log_likelihood({PurchaseKind::bgnbd, {-1, 40, 0.8, 2}}, one), Error);
    EXPECT_THROW(log_likelihood({PurchaseKind::bgnbd, {1, 40, 0.8, 2}}, Histories{{1, 20, 10}}), Error);
}

// PyMC-Marketing, test_beta_geo.py and test_modified_beta_geo.py.
TEST(PurchaseLikelihood, PublishedValuesOfSingleCustomers) {
    const Parameters parameters = {0.25, 4, 0.8, 2.5};
    EXPECT_NEAR(likelihood_of(PurchaseKind::bgnbd, parameters, {{0, 0, 40}}).value, -0.5994738182, 1e-9);
    EXPECT_NEAR(likelihood_of(PurchaseKind::bgnbd, parameters, {{200, 38, 40}}).value, 100.7956930927, 1e-9);
    EXPECT_NEAR(likelihood_of(PurchaseKind::mbgnbd, parameters, {{0, 0, 40}}).value, -0.417928262, 1e-9);
    EXPECT_NEAR(likelihood_of(PurchaseKind::mbgnbd, parameters, {{200, 38, 40}}).value, 100.786909761, 1e-9);
}

// The definition, integrated in t by another rule.
double pareto_by_definition(const Parameters& parameters, const PurchaseHistory& history) {
    const auto [r, alpha, s, beta] = parameters;
    const auto [x, t_x, age] = history;
    const double scale = -(r + x) * std::log(alpha + t_x);
    const double alive = std::exp(-(r + x) * std::log(alpha + age) - scale) * std::pow(beta + age, -s);
    double left = 0;
    if (age > t_x) {
        const auto density = [&](double t) {
            return s * std::pow(beta + t, -s - 1) * std::exp(-(r + x) * std::log(alpha + t) - scale);
        };
        boost::math::quadrature::tanh_sinh<double> rule;
        left = rule.integrate(density, t_x, age, 1e-13);
    }
    return std::lgamma(r + x) - std::lgamma(r) + r * std::log(alpha) + s * std::log(beta) + scale +
           std::log(alive + left);
}

TEST(PurchaseLikelihood, ParetoIsItsDefinition) {
    const Parameters models[] = {{0.55, 10.6, 0.61, 11.7}, {0.1, 1e-3, 2, 500}, {3, 900, 0.05, 0.02}, {2, 5, 30, 5}};
    const PurchaseHistory histories[] = {{0, 0, 39},     {2, 30, 39},     {1, 0, 1e4},
                                         {40, 38.9, 39}, {132, 200, 200}, {3000, 900, 3e3}};
    for (const auto& model : models) {
        for (const auto& history : histories) {
            const double expected = pareto_by_definition(model, history);
            EXPECT_NEAR(likelihood_of(PurchaseKind::pareto_nbd, model, {history}).value, expected,
                        1e-11 * std::max(10.0, std::abs(expected)))
                << model[0] << " " << history.repeat_purchases << " " << history.age;
        }
    }
}

// Not stationary points, and likelihoods in units of which both the day and the week are far.
TEST(PurchaseLikelihood, DerivativesAreThoseOfTheValue) {
    const Histories histories = {{0, 0, 10}, {0, 0, 10}, {1, 1, 30}, {2, 30, 30}, {7, 12, 20}, {0, 0, 1}, {50, 20, 31}};
    const GroupedHistories grouped(distinct(histories));
    for (const PurchaseKind kind : kinds) {
        for (const Parameters& at : {Parameters{0.4, 0.7, 0.9, 2.1}, Parameters{3, 0.2, 0.3, 0.1}}) {
            const auto likelihood = purchase_likelihood(kind, grouped, never_give_up);
            const Derivatives d = likelihood->at(at, true);
            for (int i = 0; i < 4; ++i) {
                const double step = 1e-5 * at[i];
                Parameters up = at, down = at;
                up[i] += step;
                down[i] -= step;
                const Derivatives above = likelihood->at(up, false), below = likelihood->at(down, false);
                EXPECT_NEAR(d.gradient[i], (above.value - below.value) / (2 * step), 10 * near(d.gradient[i]));
                for (int j = i; j < 4; ++j) {
                    const double second = (above.gradient[j] - below.gradient[j]) / (2 * step);
                    EXPECT_NEAR(d.hessian[j][i], second, 10 * near(second)) << name_of(kind) << i << j;
                }
            }
        }
    }
}

TEST(PurchaseLikelihood, IsTheSumOverCustomersHoweverGrouped) {
    const Parameters parameters = {0.4, 9, 0.9, 2.1};
    const Histories histories = simulated(300, {0.5, 5, 0.8, 2}, 3, 20);
    for (const PurchaseKind kind : kinds) {
        double sum = 0;
        for (const PurchaseHistory& history : histories) sum += likelihood_of(kind, parameters, {history}).value;
        EXPECT_NEAR(likelihood_of(kind, parameters, histories).value, sum, 1e-10 * std::abs(sum));
    }
}

TEST(PurchaseLikelihood, ASampleIsEveryNthCustomer) {
    const DistinctHistories whole = distinct(simulated(1000, {0.5, 5, 0.8, 2}, 3, 20));
    const GroupedHistories sample(thinned(whole, 10));
    EXPECT_EQ(sample.customers, 100);
    EXPECT_NEAR(sample.total_purchases, GroupedHistories(whole).total_purchases / 10, 10);
}

TEST(PurchaseFit, FindsTheParametersOfASimulation) {
    const Parameters truth = {0.5, 20, 0.8, 2.4};
    const PurchaseFit fit = fit_purchases(PurchaseKind::bgnbd, simulated(5000, truth));
    ASSERT_TRUE(fit.report.converged);
    ASSERT_TRUE(fit.report.standard_errors);
    for (int i = 0; i < 4; ++i) {
        EXPECT_NEAR(fit.model.parameters[i], truth[i], 4 * (*fit.report.standard_errors)[i]);
    }
    const Derivatives d = likelihood_of(PurchaseKind::bgnbd, fit.model.parameters, simulated(5000, truth));
    for (const double slope : d.gradient) EXPECT_NEAR(slope, 0, 1e-5);
    EXPECT_EQ(fit.report.customers, 5000);
}

// b below 1, and half of the customers never repeated.
TEST(PurchaseFit, DropOutChancesMayBeUShaped) {
    const PurchaseFit fit = fit_purchases(PurchaseKind::bgnbd, simulated(5000, {0.5, 40, 0.7, 0.6}));
    ASSERT_TRUE(fit.report.converged);
    EXPECT_NEAR(fit.model.parameters[3], 0.6, 4 * (*fit.report.standard_errors)[3]);
}

TEST(PurchaseFit, NeitherOrderNorUnitMatters) {
    Histories histories = simulated(2000, {0.5, 20, 0.8, 2.4});
    for (const PurchaseKind kind : kinds) {
        const PurchaseFit days = fit_purchases(kind, histories);
        std::shuffle(histories.begin(), histories.end(), std::mt19937_64(2));
        const PurchaseFit shuffled = fit_purchases(kind, histories);
        EXPECT_EQ(days.model.parameters, shuffled.model.parameters);
        EXPECT_EQ(days.report.log_likelihood, shuffled.report.log_likelihood);
        EXPECT_EQ(days.report.standard_errors, shuffled.report.standard_errors);

        Histories weekly = histories;
        for (auto& history : weekly) {
            history.last_purchase_age /= 7;
            history.age /= 7;
        }
        const PurchaseFit weeks = fit_purchases(kind, weekly);
        ASSERT_TRUE(days.report.converged && weeks.report.converged);
        const bool pareto = kind == PurchaseKind::pareto_nbd;
        for (int i = 0; i < 4; ++i) {
            const double factor = i == 1 || (i == 3 && pareto) ? 7 : 1;
            EXPECT_NEAR(days.model.parameters[i] / (factor * weeks.model.parameters[i]), 1, 1e-6);
            EXPECT_NEAR((*days.report.standard_errors)[i] / (factor * (*weeks.report.standard_errors)[i]), 1, 1e-5);
        }
    }
}

// From a sample and then to the top of all customers: the same as from the start.
TEST(PurchaseFit, ManyCustomersCountAsMuchAsFew) {
    const Histories once = simulated(6000, {0.5, 20, 0.8, 2.4});
    Histories often;
    for (int i = 0; i < 10; ++i) often.insert(often.end(), once.begin(), once.end());
    const PurchaseFit few = fit_purchases(PurchaseKind::bgnbd, once);
    const PurchaseFit many = fit_purchases(PurchaseKind::bgnbd, often);
    ASSERT_TRUE(few.report.converged && many.report.converged);
    EXPECT_NEAR(many.report.log_likelihood, 10 * few.report.log_likelihood, 1e-6);
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(many.model.parameters[i] / few.model.parameters[i], 1, 1e-6);
}

TEST(PurchaseFit, LongHistoriesStayInRange) {
    const Histories histories = simulated(200, {1.5, 2, 0.01, 2.5}, 5, 30'000);
    double most = 0;
    for (const auto& history : histories) most = std::max(most, history.repeat_purchases);
    ASSERT_GT(most, 3'000);
    for (const PurchaseKind kind : kinds) {
        const PurchaseFit fit = fit_purchases(kind, histories);
        EXPECT_TRUE(std::isfinite(fit.report.log_likelihood));
        EXPECT_TRUE(fit.report.converged);
    }
}

// Their likelihoods have a supremum at infinity or zero, and no maximum.
TEST(PurchaseFit, SaysWhereThereIsNoMaximum) {
    Histories nobody, once_at_most;
    for (int i = 0; i < 500; ++i) nobody.push_back({0, 0, i % 100 + 1.0});
    once_at_most = nobody;
    for (int i = 0; i < 50; ++i) once_at_most.push_back({1, i % 20 + 0.0, i + 20.0});
    const Histories cases[] = {{{0, 0, 30}},
                               {{3, 20, 30}},
                               {{0, 0, 0}},
                               {{3, 0, 0}},
                               {{2, 3, 10}, {0, 0, 10}},
                               Histories(1000, {2, 20, 30}),
                               Histories(1000, {2, 30, 30}),
                               nobody,
                               once_at_most};
    for (const auto& histories : cases) {
        for (const PurchaseKind kind : kinds) {
            const PurchaseFit fit = fit_purchases(kind, histories);
            EXPECT_FALSE(fit.report.converged);
            EXPECT_FALSE(fit.report.standard_errors);
            EXPECT_NO_THROW(check(fit.model));
            EXPECT_LT(fit.report.iterations, 2'000);
        }
    }
}

TEST(PurchaseFit, CanBeStopped) {
    struct Stopped {};
    static int calls = 0;
    const Poll poll = [] {
        if (++calls > 40) throw Stopped{};
    };
    const Histories histories = simulated(500, {0.5, 20, 0.8, 2.4});
    EXPECT_THROW(fit_purchases(PurchaseKind::pareto_nbd, histories, poll), Stopped);
    EXPECT_EQ(calls, 41);
}

void expect_refused(const PurchaseHistory& history, ErrorKind kind, const std::string& shown) {
    try {
        check(history);
        ADD_FAILURE() << shown << " was accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, kind) << error.message;
        EXPECT_NE(error.detail.find(shown), std::string::npos) << error.detail;
        EXPECT_FALSE(error.hint.empty());
    }
}

TEST(PurchaseModel, ImpossibleHistoriesAreRefused) {
    const double inf = INFINITY;
    expect_refused({-1, 0, 1}, ErrorKind::invalid_parameter, "-1");
    expect_refused({1.5, 1, 2}, ErrorKind::invalid_parameter, "1.5");
    expect_refused({1, 3, 2}, ErrorKind::invalid_parameter, "3 and 2");
    expect_refused({0, 1, 2}, ErrorKind::invalid_parameter, "1");
    expect_refused({1, -1, 2}, ErrorKind::invalid_parameter, "-1");
    expect_refused({0, 0, -2}, ErrorKind::invalid_parameter, "-2");
    expect_refused({NAN, 0, 2}, ErrorKind::numeric_range, "NaN");
    expect_refused({inf, 0, 2}, ErrorKind::numeric_range, "Infinity");
    expect_refused({1e10, 1, 2}, ErrorKind::numeric_range, "1e+10");
    expect_refused({1, NAN, 2}, ErrorKind::numeric_range, "NaN");
    expect_refused({1, 1, inf}, ErrorKind::numeric_range, "Infinity");
    expect_refused({1, 1, 1e16}, ErrorKind::numeric_range, "1e+16");
    EXPECT_NO_THROW(check(PurchaseHistory{0, 0, 0}));
    EXPECT_NO_THROW(check(PurchaseHistory{3, 0, 0}));
    EXPECT_NO_THROW(check(PurchaseHistory{3, 2, 2}));
}

TEST(PurchaseModel, ParametersArePositive) {
    EXPECT_NO_THROW(check(PurchaseModel{PurchaseKind::bgnbd, {1, 2, 3, 4}}));
    for (const double bad : {0.0, -1.0, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
        EXPECT_THROW(check(PurchaseModel{PurchaseKind::pareto_nbd, {1, 2, 3, bad}}), Error);
        EXPECT_THROW(check(ValueModel{1, bad, 1}), Error);
    }
    EXPECT_NO_THROW(check(PurchaseModel{PurchaseKind::pareto_nbd, {1e-7, 1e15, 1e7, 1e-15}}));
    EXPECT_NO_THROW(check(ValueModel{1e7, 1e-7, 1e15}));
    EXPECT_THROW(check(PurchaseModel{PurchaseKind::bgnbd, {1, 1e16, 1, 1}}), Error);
    EXPECT_THROW(check(PurchaseModel{PurchaseKind::bgnbd, {1, 1, 1, 1e8}}), Error);
    EXPECT_THROW(check(PurchaseModel{PurchaseKind::mbgnbd, {1e-8, 1, 1, 1}}), Error);
    EXPECT_THROW(check(ValueModel{1, 1, 1e16}), Error);
}

}  // namespace
}  // namespace clientele
