// A few of the simulated shops of `make simulate`, small: what is learned from a log must earn.
#include "offer_simulation.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/response/extra_orders.hpp"

namespace clientele {
namespace {

const ShopKind& shop_named(const char* name) {
    for (const ShopKind& kind : shop_kinds()) {
        if (kind.name == name) return kind;
    }
    throw std::out_of_range(name);
}

OfferOutcome small_trial(const char* name, std::uint64_t seed, int exposures = 6'000, int judged = 200) {
    OfferTrial trial;
    trial.customers = 4'000;
    trial.judged = judged;
    trial.exposures = {exposures};
    return try_offers(shop_named(name), trial, seed);
}

TEST(OfferSimulation, WhatIsLearnedEarnsWhereTheDefaultLoses) {
    const OfferOutcome outcome = small_trial("medium", 1);
    ASSERT_TRUE(outcome.learned[0].converged);
    EXPECT_LT(outcome.stretch, 0);
    EXPECT_GT(outcome.spread, 0);
    EXPECT_GT(outcome.learned[0].profit, 0.4 * outcome.oracle);
    EXPECT_LE(outcome.learned[0].profit, outcome.oracle);
}

TEST(OfferSimulation, WhatIsLearnedDoesNotLoseWhereNothingEarns) {
    const OfferOutcome outcome = small_trial("subsidy", 1);
    EXPECT_LT(outcome.spread, 0);
    EXPECT_GT(outcome.learned[0].profit, -0.05 * outcome.oracle);
}

// What the next order lacks is not in the log: the interval holds the truth where it is told so, and where it is not it
// promises too much.
TEST(OfferSimulation, IntervalsHoldWhatIsDisplacedWhereItIsGiven) {
    OfferTrial trial;
    trial.customers = 4'000;
    trial.judged = 200;
    trial.exposures = {6'000};
    const Learned unaware = try_offers(shop_named("half displaced"), trial, 1).learned[0];
    trial.displaced = 0.5;
    const Learned told = try_offers(shop_named("half displaced"), trial, 1).learned[0];
    EXPECT_GT(unaware.predicted.mode, unaware.profit);
    EXPECT_LE(told.predicted.low, told.profit);
    EXPECT_GE(told.predicted.high, told.profit);
    EXPECT_LT(told.offered, unaware.offered);
}

TEST(OfferSimulation, IntervalsHoldExtraOrdersThatAreNotSeenYet) {
    const OfferOutcome outcome = small_trial("one more order in 100", 2);
    const Learned& learned = outcome.learned[0];
    EXPECT_LT(learned.predicted.mode, 0.5 * learned.profit);
    EXPECT_LE(learned.predicted.low, learned.profit);
    EXPECT_GE(learned.predicted.high, learned.profit);
}

// What offers raise becomes part of what customers are expected to spend, and so of what they are asked for next.
TEST(OfferSimulation, OffersThatRecurDoNotRatchet) {
    OfferTrial trial;
    trial.customers = 4'000;
    trial.judged = 1'500;
    trial.exposures = {6'000};
    const auto with = recur(shop_named("strong"), trial, 6, true, 1);
    const auto without = recur(shop_named("strong"), trial, 6, false, 1);
    EXPECT_GT(with[0].offered, 0.5);
    EXPECT_LT(with[5].asked, 1.03 * with[0].asked);
    EXPECT_LT(with[5].expected - without[5].expected, 0.015);
    EXPECT_GT(with[5].profit, 0.95 * with[0].profit);
}

TEST(OfferSimulation, SameSeedSameResult) {
    const OfferOutcome one = small_trial("strong", 3), other = small_trial("strong", 3),
                       third = small_trial("strong", 4);
    EXPECT_EQ(one.learned[0].profit, other.learned[0].profit);
    EXPECT_NE(one.learned[0].profit, third.learned[0].profit);
}

// Two strata, in one of which all order more. What arms order goes up by 1 per reward of the median order.
std::vector<ExposureOrders> orders_by_arm() {
    std::vector<ExposureOrders> exposures;
    for (std::int32_t stratum = 0; stratum < 2; ++stratum) {
        for (std::int32_t arm = 0; arm < 3; ++arm) {
            for (int i = 0; i < 100; ++i) {
                const double reward = 0.1 * arm, noise = i % 2 ? 0.5 : -0.5;
                exposures.push_back({i, stratum, arm, reward, 5.0 * stratum + 1 + reward + noise});
            }
        }
    }
    return exposures;
}

TEST(ExtraOrders, AreWhatArmsOrderMoreByTheirRewards) {
    const OrdersByReward measured = orders_by_reward(orders_by_arm());
    EXPECT_NEAR(measured.slope, 1, 1e-12);
    EXPECT_NEAR(measured.mean_reward, 0.15, 1e-12);
    EXPECT_NEAR(measured.difference(), 0.15, 1e-12);
    EXPECT_LT(measured.error, 1e-6);  // who orders more does so in all arms
}

TEST(ExtraOrders, AreLessSureOfCustomersWhoDiffer) {
    auto exposures = orders_by_arm();
    for (std::size_t i = 0; i < exposures.size(); ++i) exposures[i].customer = static_cast<std::int64_t>(i);
    const double squares = 400 * 0.01;  // of what arms' rewards are from their mean
    EXPECT_NEAR(orders_by_reward(exposures).error, std::sqrt(0.25 / squares), 1e-12);
}

// What a customer ordered in the year before says how many orders there will be: it takes no part in the difference.
TEST(ExtraOrders, AreWhatIsBeyondTheYearBefore) {
    auto exposures = orders_by_arm();
    for (std::size_t i = 0; i < exposures.size(); ++i) {
        exposures[i].customer = static_cast<std::int64_t>(i);
        exposures[i].before = i % 2 ? 20 : 0;  // as the noise of half an order has it
    }
    const OrdersByReward measured = orders_by_reward(exposures);
    EXPECT_NEAR(measured.slope, 1, 1e-12);
    EXPECT_LT(measured.error, 1e-9);
    EXPECT_NEAR(measured.mean_reward, 0.15, 1e-12);
    EXPECT_NEAR(measured.all_orders, 3.6, 1e-12);
}

// Who orders often varies most, and counts for less: by chance that customer got more from the greatest reward.
TEST(ExtraOrders, AreMeasuredByWhoVariesLittle) {
    std::vector<ExposureOrders> exposures = orders_by_arm();
    for (ExposureOrders& exposure : exposures) exposure.before = 1;
    for (std::int32_t arm = 0; arm < 3; ++arm) {
        for (std::int64_t i = 0; i < 6; ++i) {
            exposures.push_back({1'000 + i, 0, arm, 0.1 * arm, arm == 2 && i % 2 ? 20.0 : 10.0, 50});
        }
    }
    auto alike = exposures;
    for (ExposureOrders& exposure : alike) exposure.before = 0;
    EXPECT_LT(std::abs(orders_by_reward(exposures).slope - 1), 0.3 * std::abs(orders_by_reward(alike).slope - 1));
    EXPECT_LT(orders_by_reward(exposures).error, 0.5 * orders_by_reward(alike).error);
}

TEST(ExtraOrders, OfOneArmNothingIsMeasured) {
    auto exposures = orders_by_arm();
    for (ExposureOrders& exposure : exposures) exposure.arm = 0, exposure.reward = 0.1;
    EXPECT_TRUE(std::isinf(orders_by_reward(exposures).error));
    EXPECT_EQ(extra_orders(0, orders_by_reward(exposures).error).mean, 0);
    EXPECT_TRUE(std::isinf(orders_by_reward({}).error));
}

// What comes only because of the offer redeems at any gap: it is told from what was raised, and where there is none,
// none is found.
TEST(ExtraOrders, AreToldByRedemptionsFromWhatIsRaised) {
    OfferTrial trial;
    trial.customers = 4'000;
    trial.judged = 50;
    trial.exposures = {10'000};
    const OfferOutcome more = try_offers(shop_named("one more order in 100"), trial, 1);
    EXPECT_GT(more.learned[0].reach_p, 0.01);
    const OfferOutcome none = try_offers(shop_named("as the model"), trial, 1);
    EXPECT_GT(more.learned[0].extra.per_reward * more.learned[0].mean_reward, 0.005);
    EXPECT_LT(none.learned[0].extra.per_reward * none.learned[0].mean_reward, 0.005);
}

// How many of them there are is not known exactly either: then the parameters that make up for them are known less.
TEST(ExtraOrders, MakeTheOthersLessSure) {
    constexpr double rates[] = {0.02, 0.06}, stretches[] = {1.3, 1.9, 2.8};
    const SimulatedShop shop(shop_named("as the model"), 4'000, 1);
    Random random(1, 2);
    std::vector<ResponseOrder> orders;
    for (int i = 0; i < 10'000; ++i) {
        Exposure exposure{static_cast<std::size_t>(i % 4'000), {}, i % 6};
        exposure.terms = stretched_terms(shop.shoppers()[exposure.shopper], stretches[i % 3], rates[i % 2]);
        shop.append_orders(exposure, random, orders);
    }
    OrdersByReward measured;
    measured.all_orders = 0.4;
    measured.all_rewards = 0.07;
    measured.slope = 0.1;
    measured.error = 0.2;
    const ResponseWithExtra free = fit_with_extra(orders, 3, false, measured, std::nan("")),
                            given = fit_with_extra(orders, 3, false, measured, free.rate.per_reward);
    for (const std::size_t i : {parameter::a, parameter::lb}) {
        EXPECT_NEAR(free.fit.mode[i], given.fit.mode[i], 1e-5) << i;
        EXPECT_GT(free.fit.standard_error(i), 1.001 * given.fit.standard_error(i)) << i;
    }
    measured.error = 1e-6;  // as if it were known
    const ResponseFit known = fit_with_extra(orders, 3, false, measured, std::nan("")).fit;
    const ResponseFit same = fit_with_extra(orders, 3, false, measured, 0.1).fit;
    EXPECT_NEAR(known.standard_error(parameter::lb), same.standard_error(parameter::lb), 1e-4);
}

TEST(ExtraOrders, ThatAreGivenAreNotFitted) {
    OrdersByReward measured;
    measured.all_orders = 0.5;
    measured.all_rewards = 0.07;
    measured.slope = 0.1;
    measured.error = 0.05;
    std::vector<ResponseOrder> orders(1);
    orders[0].known = {3.7, 0.3};
    orders[0].terms = {60, 3};
    orders[0].value = 50;
    orders[0].open = true;
    const ResponseWithExtra given = fit_with_extra(orders, 0, true, measured, 0.2);
    EXPECT_EQ(given.rate.per_reward, 0.2);
    EXPECT_EQ(given.fitted, 3);
    const double extra = 0.2 * 3 / std::exp(3.7);
    EXPECT_NEAR(orders[0].extra, extra / (0.5 - 0.2 * 0.07 + extra), 1e-12);
    measured.error = INFINITY;
    EXPECT_EQ(fit_with_extra(orders, 0, true, measured, std::nan("")).rate.per_reward, 0);
    EXPECT_EQ(orders[0].extra, 0);
}

TEST(ExtraOrders, AreBelievedAsTheyAreMeasured) {
    EXPECT_NEAR(extra_orders(0.01, 1e-9).mean, 0.01, 1e-12);
    EXPECT_NEAR(extra_orders(0.01, 0.005).mean, 0.005, 1e-12);
    EXPECT_NEAR(extra_orders(0.01, 0.005).error, 0.005 / std::sqrt(2.0), 1e-12);
    EXPECT_LT(extra_orders(0.02, 0.1).mean, 1e-4);
    EXPECT_EQ(extra_orders(-0.02, 0.001).mean, 0);
}

}  // namespace
}  // namespace clientele
