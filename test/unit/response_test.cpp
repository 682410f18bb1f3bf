// Figures: simulated and computed to sixteen digits by another implementation; "exact" ones to 25 digits by quadrature.
#include "core/response/response.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/response/response_profit.hpp"

namespace clientele {
namespace {

double logit(double share) { return std::log(share / (1 - share)); }

// a, ln b, c, delta, ln tau, ln omega, logit A, logit q
const std::vector<double> example = {-1.5, std::log(4), 0.8, 0, 0, std::log(0.03), logit(0.7), logit(0.9)};

struct Row {
    OrderValue value;
    double orders, T, r, extra, S, G, X, profit;
};
const OrderValue known{3.7687296042639167, 0.3134211083978908};
const Row rows[] = {
    {{3.7, 0.3}, 0.5, 60, 3, 0, 0.09434204697370008, 0.14223508250173741, 7.214760818079277, -0.09869855958754618},
    {{3.7, 0.6}, 0.5, 80, 1.6, 0, 0.12782954759226361, 0.05107284300307268, 3.5534381887600324, -0.03325091747370538},
    {known, 0.17047184170471844, 70, 1.4, 0, 0.06291706442374707, 0.08036752252439458, 4.81018692786043,
     0.017439981122426323},
    {{3.7, 0.3}, 0.5, 60, 3, 0.01, 0.09434204697370008, 0.14223508250173741, 7.214760818079277, 0.057609807044129144}};

double relative(double value, double expected) { return std::abs(value / expected - 1); }

TEST(Response, MomentsOfOrders) {
    const Response response(example, false);
    for (const Row& row : rows) {
        const auto m = OrdersBelow(response, -1, row.value, row.T).moments(row.r);
        EXPECT_LT(relative(m.S, row.S), 1e-12);
        EXPECT_LT(relative(m.G, row.G), 1e-12);
        EXPECT_LT(relative(m.X, row.X), 1e-12);
    }
    const auto exact = OrdersBelow(response, -1, {3.7, 0.6}, 80).moments(1.6);
    EXPECT_LT(relative(exact.G, 0.0510730327670213), 1e-5);
    EXPECT_LT(relative(exact.X, 3.55345115415854), 1e-5);
}

TEST(Response, ProfitOfAnOffer) {
    const Response response(example, false);
    for (const Row& row : rows) {
        const Prospect prospect{row.value, row.orders, -1, 0.30};
        Economics economics;
        const double rate = row.extra * std::exp(row.value.mu) / row.r;
        const OfferProfit profit(response, prospect, economics, row.T);
        EXPECT_LT(relative(profit.at(row.r, rate), row.profit), 1e-11);
        economics.contact_cost = 0.25;
        EXPECT_NEAR(profit.at(row.r, rate), row.profit - 0.25, 1e-14);
    }
}

TEST(Response, WhatABreakEvenNeeds) {
    const Response response(example, false);
    Economics economics;
    const OfferProfit profit(response, {known, 0.17, -1, 0.30}, economics, 70);
    const Row& row = rows[2];
    EXPECT_LT(relative(profit.break_even_share(1.4), 1.4 * row.G / (0.3 * (1.03 * 70 * row.G - row.X))), 1e-12);
    EXPECT_LT(relative(profit.raised_share(1.4), row.G / (0.9 * row.S + row.G)), 1e-12);
    EXPECT_GT(profit.raised_share(1.4), profit.break_even_share(1.4));  // it earns
    EXPECT_LT(relative(profit.natural_share(), row.S), 1e-12);
}

std::vector<OfferTerms> candidates() {
    std::vector<OfferTerms> result;
    for (const double T : {50, 60, 70, 80, 90, 100, 125, 150}) {
        for (const double rate : {0.02, 0.03, 0.04, 0.05, 0.06, 0.08}) {
            result.push_back({T, std::floor(rate * T * 100 + 1e-7) / 100});
        }
    }
    return result;
}

// What is known exactly: nothing to draw from.
ResponseBelief certain() {
    ResponseFit fit;
    fit.mode = example;
    fit.converged = true;
    fit.covariance = Matrix(example.size());
    return ResponseBelief(fit, Economics{});
}

TEST(Response, ChoosesTheBestOfManyTerms) {
    const ResponseBelief belief = certain();
    const Prospect prospect{known, 0.17047184170471844, -1, 0.30};
    const auto terms = candidates();
    const auto choice = choose(belief, prospect, terms);
    ASSERT_TRUE(choice);
    EXPECT_EQ(terms[choice->index].min_spend, 80);
    EXPECT_EQ(terms[choice->index].reward, 1.60);
    EXPECT_LT(relative(choice->profit, 0.017783546653492938), 1e-11);
    EXPECT_NEAR(choice->low, choice->profit, 1e-5);  // the draws are all but the mode
    EXPECT_LT(relative(belief.profit(prospect, {90, 1.80}), 0.014025956668918477), 1e-11);
    EXPECT_LT(relative(belief.profit(prospect, {50, 4.00}), -0.24175224054235783), 1e-11);
}

TEST(Response, MakesNoOfferThatIsNotWorthIt) {
    const Prospect prospect{known, 0.17047184170471844, -1, 0.30};
    const auto terms = candidates();
    EXPECT_FALSE(choose(certain(), {known, 0.17047184170471844, -1, 0.05}, terms));  // loses everywhere
    EXPECT_FALSE(choose(certain(), prospect, terms, {.min_profit = 0.02}));
    EXPECT_TRUE(choose(certain(), prospect, terms, {.min_profit = 0.017}));
    EXPECT_FALSE(choose(certain(), prospect, terms, {.min_reward = 2}));
    EXPECT_FALSE(choose(certain(), prospect, {}));
}

// What is not sure enough is not offered.
TEST(Response, GuardsAgainstWhatIsNotKnown) {
    ResponseFit fit;
    fit.mode = example;
    fit.converged = true;
    fit.covariance = Matrix(example.size());
    fit.covariance(parameter::a, parameter::a) = 4;
    Economics economics;
    const Prospect prospect{known, 0.17047184170471844, -1, 0.30};
    EXPECT_FALSE(choose(ResponseBelief(fit, economics), prospect, candidates()));
    fit.converged = false;
    EXPECT_FALSE(choose(ResponseBelief(fit, economics), prospect, candidates()));
}

// Offers are chosen by what is believed of extra orders, intervals hold what was measured: and the cautious estimate.
TEST(Response, IntervalsHoldExtraOrdersAsMeasured) {
    ResponseFit fit;
    fit.mode = example;
    fit.converged = true;
    fit.covariance = Matrix(example.size());
    Economics economics;
    economics.extra_orders_error = 0.01;
    economics.measured_extra_orders = 0.5;
    economics.measured_extra_orders_error = 0.1;
    const Prospect prospect{known, 0.17047184170471844, -1, 0.30};
    const ResponseBelief believed(fit, economics), measured(fit, economics, 100, 11, ExtraDraws::measured);
    const OfferTerms terms{80, 1.60};
    const auto interval_of = [&](const ResponseBelief& belief) {
        TotalProfit total(belief);
        total.add(prospect, terms);
        return total.per_customer(1);
    };
    EXPECT_EQ(interval_of(believed).mode, interval_of(measured).mode);
    const OfferProfit profit(measured.mode(), prospect, economics, terms.min_spend);
    EXPECT_GT(interval_of(measured).high, profit.at(terms.reward, 0.6));
    EXPECT_LT(interval_of(measured).high, profit.at(terms.reward, 0.8));
    EXPECT_EQ(interval_of(measured).low, interval_of(measured).mode);
    EXPECT_LT(interval_of(believed).high, profit.at(terms.reward, 0.03));
}

TEST(Response, SpendThatTheNextOrderLacksIsNoGain) {
    Economics economics;
    economics.displaced = 0.5;
    const Response response(example, false);
    const Row& row = rows[2];
    const double R = 0.9 * row.S + row.G, gain = 0.5 * 0.3 * (1.03 * 70 * row.G - row.X) - 1.4 * R;
    const double expected = gain * -std::expm1(-row.orders * R) / R;
    EXPECT_LT(relative(OfferProfit(response, {known, row.orders, -1, 0.30}, economics, 70).at(1.4, 0), expected),
              1e-11);
}

TEST(Response, ExtremesAreNumbers) {
    const Response response(example, false);
    for (const OrderValue& value : {OrderValue{-4.6, 0.1}, OrderValue{27, 2}, OrderValue{3.7, 0.05}}) {
        for (const double T : {1.0, 60.0, 1e15}) {
            for (const double r : {1e-4, 0.5 * T, 2 * T}) {
                const OrdersBelow below(response, -1, value, T);
                const auto m = below.moments(r);
                EXPECT_TRUE(std::isfinite(m.S + m.G + m.X)) << value.mu << ' ' << T << ' ' << r;
                EXPECT_GE(m.G, 0);
                EXPECT_LE(m.S + m.G, 1 + 1e-9);
            }
        }
    }
}

TEST(Quantile, InterpolatesAsPercentileContDoes) {
    EXPECT_DOUBLE_EQ(quantile_of({4, 1, 3, 2}, 0.5), 2.5);
    EXPECT_DOUBLE_EQ(quantile_of({4, 1, 3, 2}, 0.2), 1.6);
    EXPECT_DOUBLE_EQ(quantile_of({7}, 0.2), 7);
    EXPECT_EQ(quantile_of({}, 0.2), -HUGE_VAL);
}

}  // namespace
}  // namespace clientele
