#include "core/score/prediction.hpp"

#include <gtest/gtest.h>

#include <boost/math/quadrature/tanh_sinh.hpp>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "core/score/hypergeometric.hpp"

namespace clientele {
namespace {

constexpr double century = 36'500;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

PurchaseModel bgnbd(double r, double alpha, double a, double b) { return {PurchaseKind::bgnbd, {r, alpha, a, b}}; }
PurchaseModel mbgnbd(double r, double alpha, double a, double b) { return {PurchaseKind::mbgnbd, {r, alpha, a, b}}; }
PurchaseModel pareto_nbd(double r, double alpha, double s, double beta) {
    return {PurchaseKind::pareto_nbd, {r, alpha, s, beta}};
}

double orders(const PurchaseModel& model, double horizon, const PurchaseHistory& history = {}) {
    return expected_orders(model, history, {horizon, 0});
}

double relative_error(double found, double expected) { return std::fabs(found / expected - 1); }

// Fader, Hardie and Lee (2005), as the reference figures have it.
TEST(Prediction, BgnbdPublishedFigures) {
    const PurchaseModel model = bgnbd(0.243, 4.414, 0.793, 2.426);
    const double first_ten[] = {0.0532678911717, 0.103389739756, 0.150865230893, 0.196068172434, 0.239288200281,
                                0.280755893577,  0.320658823415, 0.35915229296,  0.396366796775, 0.432413362234};
    for (int t = 1; t <= 10; ++t) EXPECT_LT(relative_error(orders(model, t), first_ten[t - 1]), 1e-10) << t;
    const double times[] = {0.1429, 1, 3, 31.8571, 32, 78};
    const double expected[] = {0.00782835, 0.05326789, 0.15086523, 1.04199606, 1.04524333, 1.86051906};
    for (int i = 0; i < 6; ++i) EXPECT_LT(relative_error(orders(model, times[i]), expected[i]), 1e-6) << times[i];
    EXPECT_NEAR(orders(model, 39, {2, 30.43, 38.86}), 1.226028175, 1e-9);
    EXPECT_EQ(p_alive(model, {0, 0, 38.86}), 1);
    EXPECT_NEAR(p_alive(model, {1000, 10, 100}), 0, 1e-300);
}

TEST(Prediction, MbgnbdPublishedFigures) {
    const PurchaseModel model = mbgnbd(0.525, 6.183, 0.891, 1.614);
    const double age = 38.857142857142854;
    EXPECT_NEAR(orders(model, 39, {2, 30.428571428571427, age}), 1.26305026334, 1e-10);
    EXPECT_NEAR(orders(model, 39, {0, 0, age}), 0.15402448515, 1e-10);
    EXPECT_NEAR(orders(model, 39, {7, 29.428571428571427, age}), 3.16794282209, 1e-10);
    EXPECT_NEAR(orders(model, 52, {26, 30.857142857142858, 31}), 24.00223012393, 1e-9);
    EXPECT_NEAR(p_alive(model, {2, 30.43, 38.86}), 0.706202265118, 1e-11);
    EXPECT_NEAR(p_alive(model, {0, 0, 38.86}), 0.389735080919, 1e-11);
    EXPECT_NEAR(p_alive(model, {26, 30.86, 31}), 0.965566144144, 1e-11);
    EXPECT_NEAR(orders(model, 39, {2, 30.43, 38.86}), 1.26296062327, 1e-10);
    EXPECT_NEAR(orders(model, 39, {0, 0, 38.86}), 0.154012746675, 1e-10);
    EXPECT_NEAR(orders(model, 39, {26, 30.86, 31}), 19.4507226522, 1e-9);
    const double times[] = {0.1429, 1, 3, 31.8571, 32, 78};
    const double expected[] = {0.00778312, 0.0530848, 0.15086329, 1.0340421, 1.03718283, 1.80475758};
    for (int i = 0; i < 6; ++i) EXPECT_NEAR(orders(model, times[i]), expected[i], 1e-7) << times[i];
}

TEST(Prediction, ParetoNbdPublishedFigures) {
    const PurchaseModel vignette = pareto_nbd(0.5533971, 10.5801985, 0.6060625, 11.6562237);
    EXPECT_LT(relative_error(orders(vignette, 52), 1.47311), 1e-5);
    EXPECT_LT(relative_error(orders(vignette, 52, {26, 30.857142857142858, 31}), 25.45418), 1e-5);
    EXPECT_LT(relative_error(p_alive(vignette, {26, 30.857142857142858, 31}), 0.9978734), 1e-5);
    // More purchases by the same time make a long silence worse (Fader, Hardie and Lee's paradox).
    EXPECT_LT(relative_error(orders(vignette, 52, {10, 20, 39}), 0.7059673), 1e-5);
    EXPECT_LT(relative_error(orders(vignette, 52, {15, 20, 39}), 0.1441878), 1e-5);
    EXPECT_LT(relative_error(orders(vignette, 52, {20, 20, 39}), 0.0224993), 1e-5);
    EXPECT_LT(relative_error(orders(vignette, 52, {25, 20, 39}), 0.00309179), 1e-5);
    const PurchaseModel underflow = pareto_nbd(0.55, 10.58, 0.61, 11.67);
    EXPECT_NEAR(orders(underflow, 10, {132, 200, 200}), 6.206051788963, 1e-10);
    EXPECT_NEAR(orders(underflow, 10, {133, 200, 200}), 6.252872247575, 1e-10);
    const PurchaseModel heavy = pareto_nbd(0.5143, 2.8845, 0.2856, 14.1087);
    EXPECT_NEAR(p_alive(heavy, {221, 103.42857, 103.57143}), 0.99959605, 1e-8);
    EXPECT_NEAR(p_alive(heavy, {254, 97.14286, 97.28571}), 0.99955823, 1e-8);
    EXPECT_NEAR(p_alive(heavy, {161, 94.71429, 98.0}), 0.74948775, 1e-8);
    EXPECT_NEAR(p_alive(heavy, {204, 98.57143, 99.42857}), 0.99425508, 1e-8);
}

// Discounted expected residual transactions are the purchases of an endless horizon, discounted.
TEST(Prediction, ParetoNbdDiscountedResidualTransactions) {
    const PurchaseModel model = pareto_nbd(0.5629966, 12.559037, 0.4081095, 10.5148048);
    const Outlook endless{1e6, 0.0027};
    EXPECT_LT(relative_error(expected_orders(model, {7, 35, 77.86}, endless), 1.86418332807), 1e-9);
    const double expected[] = {2.1991554497,  2.84353440607,  2.86712839121,  2.44541007861, 1.84050192448,
                               1.26241647174, 0.809618119454, 0.494803619375, 0.29202470157, 0.167927508566};
    for (int x = 1; x <= 10; ++x) {
        EXPECT_LT(relative_error(expected_orders(model, {x * 1.0, 30, 77.86}, endless), expected[x - 1]), 1e-9) << x;
    }
}

TEST(Prediction, GammaGammaPublishedFigures) {
    const ValueModel model{6.25, 3.74, 15.44};
    EXPECT_NEAR(expected_order_value(model, 2, 22.35), 24.663713910761, 1e-10);
    EXPECT_NEAR(expected_order_value(model, 1, 11.77), 18.916852057842, 1e-10);
    EXPECT_NEAR(expected_order_value(model, 0, 0), 35.21897810219, 1e-10);
    EXPECT_NEAR(expected_order_value(model, 7, 73.74), 71.469670896967, 1e-10);
    EXPECT_NEAR(expected_order_value(model, 2, 25.55), 27.288385826772, 1e-10);
    EXPECT_EQ(expected_order_value(model, 0, 1e9), expected_order_value(model, 0, 0));
    EXPECT_TRUE(std::isnan(expected_order_value({6.25, 1, 15.44}, 0, 0)));
    EXPECT_TRUE(std::isnan(expected_order_value({0.1, 0.8, 15.44}, 2, 10)));
    EXPECT_GT(expected_order_value({6.25, 0.5, 15.44}, 1, 10), 10);
}

// The papers' closed forms, where they are well conditioned.
double closed_form(const PurchaseModel& model, double horizon) {
    const auto [r, alpha, a, b] = model.parameters;
    const double left = alpha / (alpha + horizon);
    switch (model.kind) {
        case PurchaseKind::bgnbd:
            return (a + b - 1) / (a - 1) * (1 - std::pow(left, r) * hypergeometric_2f1(r, b, a + b - 1, 1 - left));
        case PurchaseKind::mbgnbd:
            return b / (a - 1) * (1 - std::pow(left, r) * hypergeometric_2f1(r, b + 1, a + b, 1 - left));
        default:
            return r * b / (alpha * (a - 1)) * (1 - std::pow(b / (b + horizon), a - 1));
    }
}

TEST(Prediction, NewCustomersFollowThePapersClosedForms) {
    for (const double horizon : {10.0, 90.0, 365.0, century}) {
        for (const PurchaseModel& model : {bgnbd(0.243, 4.414, 0.793, 2.426), mbgnbd(0.5, 40, 2.5, 3),
                                           mbgnbd(0.3, 100, 0.2, 0.4), pareto_nbd(0.55, 74, 0.6, 82)}) {
            EXPECT_LT(relative_error(orders(model, horizon), closed_form(model, horizon)), 1e-11) << horizon;
        }
    }
}

// Brute force over p or mu of the customer who is alive: E[lambda e^(-lambda p t)] or E[lambda e^(-mu t)], then over t.
double brute_force(const PurchaseModel& model, double x, double age, const Outlook& outlook) {
    const auto [r, alpha, a, b] = model.parameters;
    const double rate = (r + x) / (alpha + age);
    const double shape = r + x + 1;
    const double first = model.kind == PurchaseKind::mbgnbd ? 1 : 0;
    const double other = b + x + first;
    const double log_beta = std::lgamma(a) + std::lgamma(other) - std::lgamma(a + other);
    boost::math::quadrature::tanh_sinh<double> integrator;
    const auto left = [&](double t) {
        if (model.kind == PurchaseKind::pareto_nbd) return std::pow((b + age) / (b + age + t), a);
        const auto density = [&](double p, double complement) {
            const double rest = complement < 0 ? 1 - p : (p > 0.5 ? complement : 1 - p);
            return std::exp((a - 1) * std::log(p) + (other - 1) * std::log(rest) - log_beta -
                            shape * std::log1p(p * t / (alpha + age)));
        };
        return integrator.integrate(density, 0.0, 1.0, 1e-12);
    };
    const auto discounted = [&](double t) { return std::exp(-outlook.discount_rate * t) * left(t); };
    double sum = 0;
    double from = 0;
    for (double to = std::min(30.0, outlook.horizon); from < outlook.horizon; to = std::min(4 * to, outlook.horizon)) {
        sum += integrator.integrate(discounted, from, to, 1e-12);
        from = to;
    }
    return rate * sum;
}

TEST(Prediction, DiscountedOrdersAgreeWithBruteForce) {
    for (const PurchaseModel& model :
         {bgnbd(0.4, 60, 0.8, 2.4), mbgnbd(0.52, 43, 1.5, 1.6), pareto_nbd(0.55, 74, 0.6, 82)}) {
        for (const auto& [x, age] : {std::pair{0.0, 0.0}, {0.0, 200.0}, {3.0, 100.0}, {40.0, 700.0}}) {
            for (const double horizon : {7.0, 365.0, century}) {
                const Outlook outlook{horizon, daily_discount_rate(0.10)};
                EXPECT_LT(
                    relative_error(orders_while_alive(model, x, age, outlook), brute_force(model, x, age, outlook)),
                    1e-9)
                    << static_cast<int>(model.kind) << ' ' << x << ' ' << age << ' ' << horizon;
            }
        }
    }
}

TEST(Prediction, HorizonZeroIsZeroAndDiscountingOnlyLowers) {
    const PurchaseModel model = mbgnbd(0.52, 43, 0.9, 1.6);
    EXPECT_EQ(orders_while_alive(model, 3, 100, {0, 0}), 0);
    double before = 0;
    for (const double discount : {10.0, 1.0, 0.1, 0.0}) {
        const double now = orders_while_alive(model, 3, 100, {century, daily_discount_rate(discount)});
        EXPECT_GT(now, before);
        before = now;
    }
    EXPECT_EQ(daily_discount_rate(0), 0);
    EXPECT_NEAR(std::exp(-365 * daily_discount_rate(0.1)), 1 / 1.1, 1e-15);
}

TEST(Prediction, NothingHappensWhereAOrSPassesOne) {
    for (const double horizon : {1.0, 365.0, century}) {
        for (const double x : {0.0, 7.0, 3000.0}) {
            const auto at = [&](double a) {
                return orders_while_alive(bgnbd(0.4, 60, a, 2.4), x, 500, {horizon, 0}) +
                       orders_while_alive(mbgnbd(0.4, 60, a, 2.4), x, 500, {horizon, 0}) +
                       orders_while_alive(pareto_nbd(0.4, 60, a, 80), x, 500, {horizon, 0});
            };
            EXPECT_LT(relative_error(at(1), (at(1 - 1e-6) + at(1 + 1e-6)) / 2), 1e-10) << horizon << ' ' << x;
        }
    }
}

TEST(Prediction, FiniteAndWithinBoundsEverywhere) {
    const double sizes[] = {1e-6, 0.01, 1, 50, 1e4};
    for (const PurchaseKind kind : {PurchaseKind::bgnbd, PurchaseKind::mbgnbd, PurchaseKind::pareto_nbd}) {
        for (int code = 0; code < 625; code += 24) {
            const PurchaseModel model{kind,
                                      {sizes[code % 5], sizes[code / 5 % 5], sizes[code / 25 % 5], sizes[code / 125]}};
            for (const PurchaseHistory& history :
                 {PurchaseHistory{0, 0, 0}, {0, 0, 40'000}, {1, 0, 1}, {5'000, 39'999, 40'000}, {5'000, 10, 40'000}}) {
                const double alive = p_alive(model, history);
                EXPECT_TRUE(alive >= 0 && alive <= 1) << static_cast<int>(kind) << ' ' << code << ' ' << alive;
                const double some = orders(model, 90, history);
                EXPECT_TRUE(some >= 0 && std::isfinite(some)) << static_cast<int>(kind) << ' ' << code << ' ' << some;
                // No more than who never leaves would buy.
                const auto [r, alpha, a, b] = model.parameters;
                const double most = (r + history.repeat_purchases) / (alpha + history.age) * 90;
                EXPECT_LE(some, most * (1 + 1e-9)) << static_cast<int>(kind) << ' ' << code;
            }
        }
    }
}

// Within the limits of check() nothing overflows, and nothing takes long.
TEST(Prediction, FiniteAtTheLimits) {
    const double limits[] = {1e-15, 1e-7, 1, 1e7, 1e15};
    for (const PurchaseKind kind : {PurchaseKind::bgnbd, PurchaseKind::mbgnbd, PurchaseKind::pareto_nbd}) {
        for (int code = 0; code < 625; code += 7) {
            const bool pareto = kind == PurchaseKind::pareto_nbd;
            PurchaseModel model{kind, {limits[1 + code % 3], limits[code / 3 % 5], limits[1 + code / 15 % 3], 0}};
            model.parameters[3] = pareto ? limits[code / 45 % 5] : limits[1 + code / 45 % 3];
            EXPECT_NO_THROW(check(model));
            for (const PurchaseHistory& history :
                 {PurchaseHistory{0, 0, 0}, {0, 0, 1e15}, {1e9, 0, 1e15}, {5'000, 1, 1}}) {
                const double alive = p_alive(model, history);
                EXPECT_TRUE(alive >= 0 && alive <= 1) << static_cast<int>(kind) << ' ' << code << ' ' << alive;
                const double all = orders_while_alive(model, history.repeat_purchases, history.age, {1e15, 0});
                EXPECT_TRUE(all >= 0 && std::isfinite(all)) << static_cast<int>(kind) << ' ' << code << ' ' << all;
            }
        }
    }
}

TEST(DaysHeldOut, AreAThirdOfTheHistoryWithinBounds) {
    EXPECT_EQ(days_held_out(20), 0);
    EXPECT_EQ(days_held_out(21), 14);
    EXPECT_EQ(days_held_out(300), 100);
    EXPECT_EQ(days_held_out(1000), 180);
    EXPECT_EQ(days_held_out(-5), 0);
}

TEST(SpreadOverPeriods, IsInProportionToWhatEachAdds) {
    EXPECT_EQ(spread_over_periods(80, std::vector<double>{1, 3, 4}), (std::vector<double>{20, 40, 20}));
    EXPECT_EQ(spread_over_periods(80, std::vector<double>{7}), (std::vector<double>{80}));
    EXPECT_EQ(spread_over_periods(0, std::vector<double>{0, 0}), (std::vector<double>{0, 0}));
    EXPECT_TRUE(spread_over_periods(80, {}).empty());
}

TEST(Prediction, RefusesWhatIsOutOfRange) {
    for (const double bad : {-1.0, nan, infinity}) {
        EXPECT_THROW(check_horizon(bad), Error);
        EXPECT_THROW(check_mean_value(bad), Error);
        EXPECT_THROW(check_margin(bad), Error);
        EXPECT_THROW(check_annual_discount(bad), Error);
    }
    EXPECT_THROW(check_margin(1.01), Error);
    EXPECT_THROW(check_horizon(1.01e15), Error);
    EXPECT_THROW(check_mean_value(1.01e15), Error);
    for (const double good : {0.0, 1.0}) {
        check_horizon(good);
        check_mean_value(good);
        check_margin(good);
        check_annual_discount(good);
    }
}

}  // namespace
}  // namespace clientele
