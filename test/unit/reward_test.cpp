#include "core/offer/reward.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/offer/offer.hpp"
#include "core/offer/offer_text.hpp"

namespace clientele {
namespace {

constexpr std::int64_t whole = 10'000;

TEST(Reward, SharesAreRoundedDownAndCapped) {
    EXPECT_EQ(share_of(40'000, 99 * whole + 9'900, 1'200, 2), 399);
    EXPECT_EQ(share_of(40'000, 100 * whole, 1'200, 2), 400);
    EXPECT_EQ(share_of(40'000, 1'000 * whole, 1'200, 2), 1'200);
    EXPECT_EQ(share_of(25'000, 7'039 * whole, 500, 0), 175);
    EXPECT_EQ(share_of(999'999, __int128{1'000'000'000'000'000} * whole, INT64_MAX, 3), 999'999'000'000'000'000);
}

TEST(Reward, TheHighestTierThatIsReached) {
    const Tier tiers[] = {{.min_spend = 70}, {.min_spend = 90}};
    EXPECT_EQ(tiers_reached(tiers, 70 * whole - 1), 0U);
    EXPECT_EQ(tiers_reached(tiers, 70 * whole), 1U);
    EXPECT_EQ(tiers_reached(tiers, 90 * whole - 1), 1U);
    EXPECT_EQ(tiers_reached(tiers, 1'000 * whole), 2U);
}

struct TieredTerms : testing::Test {
    TieredTerms() {
        book.currency = "USD";
        program.stretch = 1'400'000;
        program.message = plain_message;
    }
    Terms terms(double typical) const {
        const Reference reference{Basis::typical, static_cast<std::int64_t>(typical * value_unit)};
        return terms_of(book, program, program.arm(0), reference, 300'000);
    }
    std::string message(double typical) const {
        Decision decision;
        decision.program = &program;
        decision.terms = terms(typical);
        char buffer[300];
        Text text(buffer);
        add_message(text, book, decision, "average", 0);
        return {buffer, text.size()};
    }
    Book book;
    Program program;
};

TEST_F(TieredTerms, EachIsBoundedByHalfTheMargin) {
    const Step above[] = {{1'800'000, 60'000}, {2'400'000, 500'000}};
    program.reward_rate = 200'000;
    program.above = above;
    const Terms found = terms(50);
    ASSERT_EQ(found.count_above, 2);
    EXPECT_EQ(found.min_spend, 70);
    EXPECT_EQ(found.reward, 300);  // half of 30 % of 20
    EXPECT_TRUE(found.capped);
    EXPECT_EQ(found.above[0].min_spend, 90);
    EXPECT_EQ(found.above[0].reward, 540);
    EXPECT_FALSE(found.above[0].capped);
    EXPECT_EQ(found.above[1].reward, 1'125);  // half of 30 % of 75
    EXPECT_EQ(greatest_cost(program, found), 1'125);
    EXPECT_EQ(message(50),
              "Spend $70 or more and get $3.00 off, $90 or more and get $5.40 off, $125 or more and get $11.25 off");
}

TEST_F(TieredTerms, WhatEndsOnTheSameRungOrGivesNoMoreIsLeftOut) {
    const Step above[] = {{1'410'000, 60'000}, {1'800'000, 50'000}};
    program.above = above;
    EXPECT_EQ(terms(49).count_above, 1);  // 68.6 and 69.09 are both 70
    program.max_min_spend = 70;
    EXPECT_EQ(terms(50).count_above, 0);
    program.max_min_spend = highest_rung;
    program.max_reward = 300;
    EXPECT_EQ(terms(50).count_above, 0);
}

TEST_F(TieredTerms, PercentagesAreWholeWhereTheMarginBoundsThem) {
    program.reward_kind = RewardKind::percent_off;
    program.reward_rate = 65'000;
    program.reward_cap = 1'200;
    EXPECT_EQ(terms(50).share, 40'000);  // 3.00 of 70 is 4.28 %
    EXPECT_EQ(terms(50).reward, 280);
    EXPECT_TRUE(terms(50).capped);
    EXPECT_EQ(greatest_cost(program, terms(50)), 1'200);
    EXPECT_EQ(message(50), "Spend $70 or more and get 4 % off, up to $12.00");
    program.reward_cap = 300;  // never more than half the margin, whatever the share
    EXPECT_EQ(terms(50).share, 65'000);
    EXPECT_EQ(terms(50).reward, 300);
    EXPECT_TRUE(terms(50).at_max_reward);
    program.reward_rate = 12'500;
    EXPECT_EQ(terms(50).share, 12'500);
    EXPECT_EQ(terms(0.3).reward, 1);
    EXPECT_EQ(terms(50).reward, 87);
}

// Whatever is spent from the threshold on, half the margin on what is beyond the usual order pays for it.
TEST_F(TieredTerms, AnOrderAboveAThresholdIsNeverServedAtALoss) {
    const Step above[] = {{1'700'000, 100'000}, {2'500'000, 150'000}};
    program.reward_kind = RewardKind::percent_off;
    program.reward_rate = 80'000;
    program.reward_cap = 100'000;
    program.above = above;
    for (std::int64_t typical = 1; typical < 3'000; typical += 7) {
        const Terms found = terms(static_cast<double>(typical));
        const auto check = [&](const Tier& tier) {
            for (const std::int64_t spend : {tier.min_spend, tier.min_spend + 1, 3 * tier.min_spend}) {
                const std::int64_t reward = share_of(tier.share, spend * whole, program.reward_cap, 2);
                EXPECT_LE(reward, (spend - typical) * 15) << typical << " " << spend;
            }
        };
        check(found);
        for (const Tier& tier : found.tiers_above()) check(tier);
    }
}

}  // namespace
}  // namespace clientele
