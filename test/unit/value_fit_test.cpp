#include "core/score/value_fit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core/base/error.hpp"

namespace clientele {
namespace {

using Values = std::vector<PurchaseValue>;

Values simulated(int customers, const ValueModel& model) {
    std::mt19937_64 random(1);
    Values values;
    for (int i = 0; i < customers; ++i) {
        const double rate = std::gamma_distribution<double>(model.q, 1 / model.v)(random);
        const double x = i % 7;
        values.push_back({x, x > 0 ? std::gamma_distribution<double>(model.p * x, 1 / rate)(random) / x : 0});
    }
    return values;
}

double density_at(const ValueModel& model, const PurchaseValue& value) {
    const auto [p, q, v] = model;
    const auto [x, z] = value;
    const double px = p * x;
    return std::lgamma(px + q) - std::lgamma(px) - std::lgamma(q) + q * std::log(v) + px * std::log(x) +
           (px - 1) * std::log(z) - (px + q) * std::log(v + x * z);
}

double density_at(const ValueModel& model, const Values& values) {
    double sum = 0;
    for (const auto& value : values) {
        if (value.repeat_purchases > 0) sum += density_at(model, value);
    }
    return sum;
}

TEST(ValueFit, FindsTheParametersOfASimulation) {
    const ValueModel truth{6.25, 3.74, 15.44};
    const Values values = simulated(7'000, truth);
    const auto fit = fit_values(values);
    ASSERT_TRUE(fit && fit->report.converged && fit->report.standard_errors);
    const Parameters& errors = *fit->report.standard_errors;
    EXPECT_NEAR(fit->model.p, truth.p, 4 * errors[0]);
    EXPECT_NEAR(fit->model.q, truth.q, 4 * errors[1]);
    EXPECT_NEAR(fit->model.v, truth.v, 4 * errors[2]);
    EXPECT_EQ(fit->report.customers, 6'000);

    // A maximum of the density, which it reports.
    const double top = density_at(fit->model, values);
    EXPECT_NEAR(fit->report.log_likelihood, top, 1e-9 * std::abs(top));
    for (const double factor : {0.999, 1.001}) {
        EXPECT_LT(density_at({fit->model.p * factor, fit->model.q, fit->model.v}, values), top);
        EXPECT_LT(density_at({fit->model.p, fit->model.q * factor, fit->model.v}, values), top);
        EXPECT_LT(density_at({fit->model.p, fit->model.q, fit->model.v * factor}, values), top);
    }
}

// The observed information is the curvature of the density.
TEST(ValueFit, StandardErrorsAreThoseOfTheCurvature) {
    const Values values = simulated(700, {4, 3, 20});
    const auto fit = fit_values(values);
    ASSERT_TRUE(fit && fit->report.standard_errors);
    const std::array<double, 3> at = {fit->model.p, fit->model.q, fit->model.v};
    const auto moved = [&](int i, double one, int j, double other) {
        std::array<double, 3> to = at;
        to[i] += one;
        to[j] += other;
        return density_at({to[0], to[1], to[2]}, values);
    };
    double h[3][3];
    for (int i = 0; i < 3; ++i) {
        for (int j = 0; j < 3; ++j) {
            const double a = 1e-3 * at[i], b = 1e-3 * at[j];
            h[i][j] =
                -(moved(i, a, j, b) - moved(i, a, j, -b) - moved(i, -a, j, b) + moved(i, -a, j, -b)) / (4 * a * b);
        }
    }
    const auto minor = [&](int i, int j) { return h[i][i] * h[j][j] - h[i][j] * h[j][i]; };
    const double determinant = h[0][0] * minor(1, 2) - h[0][1] * (h[1][0] * h[2][2] - h[1][2] * h[2][0]) +
                               h[0][2] * (h[1][0] * h[2][1] - h[1][1] * h[2][0]);
    EXPECT_NEAR((*fit->report.standard_errors)[0] / std::sqrt(minor(1, 2) / determinant), 1, 1e-3);
    EXPECT_NEAR((*fit->report.standard_errors)[1] / std::sqrt(minor(0, 2) / determinant), 1, 1e-3);
    EXPECT_NEAR((*fit->report.standard_errors)[2] / std::sqrt(minor(0, 1) / determinant), 1, 1e-3);
}

TEST(ValueFit, NeitherOrderNorCurrencyMatters) {
    Values values = simulated(700, {4, 3, 20});
    const auto fit = fit_values(values);
    std::shuffle(values.begin(), values.end(), std::mt19937_64(2));
    const auto shuffled = fit_values(values);
    ASSERT_TRUE(fit && shuffled && fit->report.converged);
    EXPECT_EQ(fit->model.v, shuffled->model.v);
    EXPECT_EQ(fit->report.log_likelihood, shuffled->report.log_likelihood);
    for (auto& value : values) value.mean_value *= 100;
    const auto cents = fit_values(values);
    EXPECT_NEAR(cents->model.p, fit->model.p, 1e-6);
    EXPECT_NEAR(cents->model.v / fit->model.v, 100, 1e-4);
}

TEST(ValueFit, LeavesOutWhoSaysNothing) {
    Values values = simulated(700, {4, 3, 20});
    const auto fit = fit_values(values);
    values.push_back({0, 12});
    values.push_back({5, 0});
    const auto same = fit_values(values);
    EXPECT_EQ(fit->report.log_likelihood, same->report.log_likelihood);
    EXPECT_EQ(fit->report.customers, same->report.customers);
    EXPECT_FALSE(fit_values(Values{{0, 0}, {3, 0}}));
    EXPECT_FALSE(fit_values(Values{}));
}

TEST(ValueFit, SaysWhereThereIsNoMaximum) {
    for (const Values& values : {Values{{2, 10}}, Values(100, {2, 10}), Values{{1, 1e-300}, {1, 1e300}}}) {
        const auto fit = fit_values(values);
        ASSERT_TRUE(fit);
        EXPECT_FALSE(fit->report.converged);
        EXPECT_FALSE(fit->report.standard_errors);
        for (const double parameter : {fit->model.p, fit->model.q, fit->model.v}) {
            EXPECT_TRUE(std::isfinite(parameter) && parameter > 0) << parameter;
        }
    }
}

TEST(ValueFit, RefusesWhatNoCustomerHas) {
    EXPECT_THROW(fit_values(Values{{1, -5}}), Error);
    EXPECT_THROW(fit_values(Values{{1, NAN}}), Error);
    EXPECT_THROW(fit_values(Values{{1, INFINITY}}), Error);
    EXPECT_THROW(fit_values(Values{{-1, 5}}), Error);
    EXPECT_THROW(fit_values(Values{{0.5, 5}}), Error);
}

}  // namespace
}  // namespace clientele
