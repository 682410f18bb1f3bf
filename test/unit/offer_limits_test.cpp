#include "core/offer/offer_limits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/offer/offer.hpp"

namespace clientele {
namespace {

constexpr Instant now = 800'000'000'000'000;
constexpr std::int64_t day = microseconds_a_day;

std::vector<std::string> codes_of(const Decision& decision) {
    std::vector<std::string> codes;
    for (const Reason reason : decision.reasons.all()) codes.emplace_back(code_of(reason));
    return codes;
}
using Codes = std::vector<std::string>;

// A store with one program of two arms that it may draw, and a customer who usually spends $50.
struct OfferLimits : testing::Test {
    OfferLimits() {
        program.name = "grow";
        program.priority = 10;
        program.holdout_seed.add("shop:grow:holdout");
        program.arm_seed.add("shop:grow:arm");
        book.seed = "shop";
        book.currency = "USD";
        book.margins.store = 300'000;
        book.programs = {&program, 1};
        book.global_holdout_seed.add("shop:global");
        customer.id = "42";
        customer.as_of = now;
        customer.facts.orders = 5;
        customer.facts.recency_days = 30;
        spends(50);
        customer.standings = {&standing, 1};
    }

    void be_customer(std::uint64_t number) {
        name = std::to_string(number);
        customer.id = name;
    }
    void spends(double amount) { customer.facts.typical_value = std::llround(amount * value_unit); }
    void use_arms(std::vector<Arm> used) {
        arms = std::move(used);
        weights.clear();
        for (const Arm& arm : arms) weights.push_back(arm.weight);
        program.arms = arms;
        program.weights = weights;
    }
    void enrol_before(const PastExposure& exposure) {
        add_exposure(standing, exposure);
        add_exposure(customer.last_threshold, exposure);
    }
    Decision decide() const { return decide_program(book, program, customer, winner_of(book, customer)); }
    Decision enrol() const { return decide_enrolment(book, customer, nullptr); }

    Program program;
    std::vector<Arm> arms;
    std::vector<double> weights;
    Standing standing;
    Book book;
    std::string name;
    Customer customer;
};

TEST_F(OfferLimits, VoidExposuresCountAgainstNoLimitButTheStep) {
    enrol_before({now - 3 * day, 40, false});
    enrol_before({now - 1 * day, 60, true});
    enrol_before({now - 2 * day, 50, false});  // whatever the order
    enrol_before({now, 0, false});             // of which nobody knows what it asked for
    EXPECT_EQ(standing.exposures, 3);
    EXPECT_EQ(standing.last_issued_at, now);
    EXPECT_EQ(customer.last_threshold.min_spend, 60);
    EXPECT_EQ(highest_threshold(customer.last_threshold, now), 70);
}

TEST_F(OfferLimits, TheStepIsForgottenAfter180Days) {
    const LastThreshold last{now - 180 * day, 60};
    EXPECT_EQ(highest_threshold(last, now), 70);
    EXPECT_EQ(highest_threshold(last, now + 1), highest_rung);
    EXPECT_EQ(highest_threshold(LastThreshold{}, now), highest_rung);
    EXPECT_EQ(limiting_threshold(LastThreshold{}, now), 0);
}

TEST_F(OfferLimits, TheStepStartsFromTheRungAtOrAbove) {
    const std::pair<std::int64_t, std::int64_t> cases[] = {
        {1, 2}, {10, 15}, {11, 20}, {61, 80}, {100, 125}, {1'000, 1'250}, {highest_rung, highest_rung}};
    for (const auto& [asked, next] : cases) {
        EXPECT_EQ(highest_threshold({now, asked}, now), next) << asked;
    }
}

TEST_F(OfferLimits, OnlySoManyOffersPerCustomer) {
    program.max_per_customer = 2;
    standing.exposures = 1;
    EXPECT_EQ(decide().status, Status::offered);
    standing.exposures = 2;
    EXPECT_EQ(codes_of(decide()), (Codes{"limit_reached"}));
    EXPECT_EQ(decide().terms.min_spend, 70);
    EXPECT_EQ(enrol().program, nullptr);
}

TEST_F(OfferLimits, OnlySoManyContactsByAllPrograms) {
    customer.contacts = 1'000'000;
    EXPECT_EQ(decide().status, Status::offered);  // a store without a limit
    book.most_contacts = 2;
    customer.contacts = 1;
    EXPECT_EQ(decide().status, Status::offered);
    customer.contacts = 2;
    program.max_per_customer = 1;
    standing.exposures = 1;
    EXPECT_EQ(codes_of(decide()), (Codes{"contact_limit", "limit_reached"}));
    EXPECT_EQ(enrol().program, nullptr);
}

TEST_F(OfferLimits, NothingIsOfferedWhileItCoolsDown) {
    standing.cools_until = now + 1;
    EXPECT_EQ(codes_of(decide()), (Codes{"cooling_down"}));
    standing.cools_until = now;
    EXPECT_EQ(decide().status, Status::offered);
}

TEST_F(OfferLimits, AnExhaustedBudgetStopsEveryArm) {
    book.margins.store = rate_unit;
    use_arms({{"low", 1'400'000, 10'000, 0.5}, {"high", 1'400'000, 50'000, 0.5}});
    standing.remaining = 350;
    EXPECT_EQ(decide().status, Status::offered);
    EXPECT_EQ(decide().greatest_reward, 350);
    standing.remaining = 349;
    for (int id = 0; id < 50; ++id) {
        be_customer(id);
        EXPECT_EQ(codes_of(decide()), (Codes{"budget_exhausted"}));
    }
    // An arm that nobody is in needs nothing.
    use_arms({{"low", 1'400'000, 10'000, 1}, {"high", 1'400'000, 50'000, 0}});
    EXPECT_EQ(decide().status, Status::offered);
}

TEST_F(OfferLimits, TheThresholdRisesByOneRungAtMost) {
    enrol_before({now - day, 50, false});
    const Decision decision = decide();  // 50 asks for 70
    EXPECT_EQ(decision.terms.min_spend, 60);
    EXPECT_TRUE(decision.terms.limited);
    // Half of 30 % of 10, which is less than 5 % of 60.
    EXPECT_EQ(decision.terms.reward, 150);
    EXPECT_EQ(codes_of(decision), (Codes{"usual_spend", "reward_capped_by_margin", "one_rung_up"}));
    enrol_before({now - 1, 60, false});
    EXPECT_EQ(decide().terms.min_spend, 70);
    EXPECT_FALSE(decide().terms.limited);
}

// Else a customer who has outgrown one program would be asked for any amount by the next.
TEST_F(OfferLimits, TheStepIsTheSameForEveryProgram) {
    std::vector<Program> programs(2, program);
    std::vector<Standing> standings(2);
    programs[0].max_per_customer = 1;
    programs[1].name = "then";
    book.programs = programs;
    customer.standings = standings;
    const PastExposure past{now - day, 50, false};
    add_exposure(standings[0], past);
    add_exposure(customer.last_threshold, past);
    EXPECT_EQ(enrol().program, &programs[1]);
    EXPECT_EQ(enrol().terms.min_spend, 60);
    EXPECT_TRUE(enrol().terms.limited);
    spends(100);
    for (const Program& each : programs) {
        EXPECT_TRUE(decide_program(book, each, customer, nullptr).reasons.has(Reason::outgrown));
    }
    EXPECT_EQ(enrol().program, nullptr);
}

TEST_F(OfferLimits, WhoeverHasOutgrownTheStepIsRefused) {
    enrol_before({now - day, 50, false});
    spends(55);
    EXPECT_EQ(decide().status, Status::offered);
    for (const double amount : {60.0, 100.0}) {
        spends(amount);
        EXPECT_EQ(codes_of(decide()), (Codes{"outgrown"}));
        EXPECT_EQ(decide().terms.min_spend, 0);
    }
    program.objective = Objective::win_back;
    customer.facts.purchase_days = 5;
    customer.facts.median_gap_days = 5;
    spends(60);
    EXPECT_EQ(decide().status, Status::offered);
    EXPECT_EQ(decide().terms.min_spend, 60);
    spends(60.01);
    EXPECT_EQ(codes_of(decide()), (Codes{"outgrown"}));
    EXPECT_EQ(enrol().program, nullptr);
    customer.as_of = now + 180 * day;
    EXPECT_EQ(enrol().terms.min_spend, 70);
}

// Whoever is offered something again and again is never asked for more than a rung more than the last time.
TEST_F(OfferLimits, ThresholdsThatAreIssuedNeverRiseByMoreThanARung) {
    std::mt19937_64 random(13);
    use_arms({{"near", 1'200'000, 50'000, 0.5}, {"far", 4'000'000, 50'000, 0.5}});
    int limited = 0;
    for (int id = 0; id < 500; ++id) {
        be_customer(id);
        standing = {};
        customer.last_threshold = {};
        customer.as_of = now;
        Instant last_at = 0;
        std::int64_t last = 0;
        for (int period = 0; period < 40; ++period) {
            customer.as_of += static_cast<std::int64_t>(random() % 60) * day;
            spends(std::exp(static_cast<double>(random() % 1'000) / 100));
            const Decision decision = enrol();
            if (decision.program == nullptr) continue;
            if (last > 0 && customer.as_of - last_at <= step_days * day) {
                ASSERT_LE(decision.terms.min_spend, rung_above(last));
            }
            ASSERT_GT(decision.terms.min_spend * value_unit, decision.reference.value);
            ASSERT_GT(decision.terms.reward, 0);
            limited += decision.terms.limited ? 1 : 0;
            last = decision.terms.min_spend;
            last_at = customer.as_of;
            enrol_before({last_at, last, random() % 4 == 0});
        }
    }
    EXPECT_GT(limited, 500);
}

struct OfferArms : OfferLimits {};

TEST_F(OfferArms, WithoutArmsEverybodyIsInTheOnlyOne) {
    const Decision decision = decide();
    EXPECT_EQ(decision.arm.name, "default");
    EXPECT_EQ(decision.arm_index, 0);
    EXPECT_EQ(decision.propensity, 1);
}

TEST_F(OfferArms, TheArmIsTheVariantOfItsSeed) {
    use_arms({{"a", 1'200'000, 50'000, 0.2}, {"b", 1'400'000, 50'000, 0.3}, {"c", 2'000'000, 50'000, 0.5}});
    std::map<std::string_view, int> counts;
    for (int id = 0; id < 10'000; ++id) {
        be_customer(id);
        const Decision decision = enrol();
        ASSERT_EQ(decision.arm_index,
                  choose_variant(bucket_share(bucket_number("shop:grow:arm", customer.id)), weights));
        ASSERT_EQ(decision.propensity, decision.arm.weight);
        ASSERT_EQ(decision.terms.min_spend,
                  terms_of(book, program, arms[decision.arm_index], decision.reference, 0).min_spend);
        ++counts[decision.arm.name];
    }
    // Within 4 standard deviations of a fair draw.
    for (const Arm& arm : arms) {
        const double sd = std::sqrt(10'000 * arm.weight * (1 - arm.weight));
        EXPECT_NEAR(counts[arm.name], 10'000 * arm.weight, 4 * sd) << arm.name;
    }
}

TEST_F(OfferArms, WhatTheWeightsLeaveOverIsTheLastArmsThatAnyoneIsIn) {
    use_arms({{"a", 1'200'000, 50'000, 0.3}, {"b", 1'400'000, 50'000, 0.3}, {"c", 2'000'000, 50'000, 0}});
    int left_over = 0;
    for (int id = 0; id < 1'000; ++id) {
        be_customer(id);
        if (bucket_share(bucket_number(program.arm_seed, customer.id)) < 0.6) continue;
        EXPECT_EQ(arm_index_of(program, customer), 1);
        ++left_over;
    }
    EXPECT_GT(left_over, 300);
}

// Random customers and weights: in whatever order the weights stand, the same customers are eligible.
TEST_F(OfferArms, EligibilityDoesNotDependOnTheArm) {
    std::mt19937_64 random(17);
    int eligible = 0, refused = 0;
    for (int round = 0; round < 3'000; ++round) {
        be_customer(random() % 1'000);
        standing = {};
        customer.last_threshold = {};
        if (random() % 2 == 0) {
            enrol_before({now - day, static_cast<std::int64_t>(1 + random() % 100), false});
        }
        if (random() % 2 == 0) standing.remaining = static_cast<std::int64_t>(random() % 1'000);
        spends(static_cast<double>(random() % 10'000) / 100);
        std::vector<Arm> drawn = {{"a", 1'000'001 + static_cast<std::int64_t>(random() % 2'000'000),
                                   static_cast<std::int64_t>(random() % 50'000), 0.1},
                                  {"b", 1'400'000, static_cast<std::int64_t>(random() % 5'000), 0.3},
                                  {"c", 2'000'000, 50'000, 0.6}};
        std::vector<double> shares = {0.1, 0.3, 0.6};
        std::vector<bool> found;
        do {
            for (std::size_t index = 0; index < drawn.size(); ++index) drawn[index].weight = shares[index];
            use_arms(drawn);
            const Decision decision = enrol();
            found.push_back(decision.program != nullptr);
            if (decision.program == nullptr) continue;
            ASSERT_GT(decision.terms.reward, 0);
            ASSERT_LE(decision.terms.reward, decision.greatest_reward);
            ASSERT_LE(decision.greatest_reward, standing.remaining);
        } while (std::next_permutation(shares.begin(), shares.end()));
        ASSERT_TRUE(std::all_of(found.begin(), found.end(), [&](bool one) { return one == found[0]; }));
        ++(found[0] ? eligible : refused);
    }
    EXPECT_GT(eligible, 300);
    EXPECT_GT(refused, 300);
}

// What can become of an eligible customer: the probabilities sum to 1, and are how often it happens.
TEST_F(OfferArms, PropensitiesAreTheProbabilitiesOfAllThatCanHappen) {
    book.global_holdout = 0.05;
    program.holdout = 0.2;
    use_arms({{"a", 1'200'000, 50'000, 0.25}, {"b", 1'400'000, 50'000, 0.75}});
    std::map<std::string, double> propensities;
    std::map<std::string, int> counts;
    constexpr int customers = 20'000;
    for (int id = 0; id < customers; ++id) {
        be_customer(id);
        const Decision decision = enrol();
        ASSERT_FALSE(decision.arm.name.empty());
        const bool offered = decision.status == Status::offered;
        ASSERT_EQ(offered, decision.holdout == Holdout::none);
        const std::string outcome(offered ? decision.arm.name : code_of(decision.holdout));
        const auto [known, is_new] = propensities.try_emplace(outcome, decision.propensity);
        ASSERT_EQ(known->second, decision.propensity);
        ++counts[outcome];
    }
    ASSERT_EQ(propensities.size(), 4);
    double sum = 0;
    for (const auto& [outcome, propensity] : propensities) {
        sum += propensity;
        EXPECT_NEAR(counts[outcome], customers * propensity, 4 * std::sqrt(customers * propensity)) << outcome;
    }
    EXPECT_NEAR(sum, 1, 1e-12);
}

TEST_F(OfferArms, TheGlobalHoldoutComesBeforeTheProgramsOwn) {
    book.global_holdout = 0.5;
    program.holdout = 0.5;
    use_arms({{"a", 1'200'000, 50'000, 0.5}, {"b", 2'000'000, 50'000, 0.5}});
    for (int id = 0; id < 200; ++id) {
        be_customer(id);
        const bool global = bucket_share(bucket_number("shop:global", customer.id)) < 0.5;
        const bool own = bucket_share(bucket_number("shop:grow:holdout", customer.id)) < 0.5;
        const Decision decision = decide();
        EXPECT_EQ(decision.holdout, global ? Holdout::global : own ? Holdout::program : Holdout::none);
        EXPECT_EQ(decision.propensity, global ? 0.5 : own ? 0.25 : 0.125);
        EXPECT_EQ(decide_offer(book, customer, nullptr).program != nullptr, !global && !own);
        EXPECT_EQ(decide_offer(book, customer, &program).program != nullptr, !global && !own);
        // Also who is held out has terms, and the arm that they would be in.
        EXPECT_EQ(decision.terms.min_spend, decision.arm.name == "a" ? 60 : 100);
        EXPECT_EQ(decision.reasons.has(Reason::held_out_globally), global);
    }
}

TEST_F(OfferArms, AnArmWithoutARewardIsNoOfferInAnyArm) {
    use_arms({{"free", 1'400'000, 0, 0.01}, {"paid", 1'400'000, 50'000, 0.99}});
    for (int id = 0; id < 20; ++id) {
        be_customer(id);
        EXPECT_EQ(codes_of(decide()), (Codes{"no_reward"}));
        EXPECT_EQ(enrol().program, nullptr);
    }
}

// decide_enrolment() takes short cuts; it must agree with the decisions of all programs.
TEST_F(OfferArms, TheShortWayAgreesWithTheLong) {
    std::mt19937_64 random(19);
    use_arms({{"a", 1'200'000, 20'000, 0.5}, {"b", 2'500'000, 90'000, 0.5}});
    std::vector<Program> programs(3, program);
    std::vector<Standing> standings(3);
    for (int index = 0; index < 3; ++index) {
        const std::string prefix = "shop:" + std::to_string(index);
        programs[index].holdout = 0.3;
        programs[index].max_per_customer = 2;
        programs[index].holdout_seed.add(prefix);
        programs[index].arm_seed.add(prefix);
    }
    programs[2].arms = {};
    book.programs = programs;
    book.global_holdout = 0.1;
    customer.standings = standings;
    int held_out = 0;
    for (int round = 0; round < 20'000; ++round) {
        be_customer(random() % 5'000);
        spends(static_cast<double>(random() % 10'000) / 100);
        for (Standing& one : standings) {
            one = {};
            if (random() % 2 == 0) {
                one.exposures = static_cast<std::int64_t>(random() % 3);
                one.cools_until = now - 2 + static_cast<std::int64_t>(random() % 5);
                one.remaining = static_cast<std::int64_t>(random() % 1'500);
            }
        }
        customer.last_threshold = {now - day, static_cast<std::int64_t>(random() % 150)};
        Decision expected;
        const Program* winner = winner_of(book, customer);
        for (const Program& each : programs) {
            const Decision decision = decide_program(book, each, customer, winner);
            if (decision.status != Status::refused) expected = decision;
        }
        const Decision found = decide_enrolment(book, customer, nullptr);
        ASSERT_EQ(found.program, expected.program);
        ASSERT_EQ(found.status, expected.status);
        ASSERT_EQ(found.terms.min_spend, expected.terms.min_spend);
        ASSERT_EQ(found.greatest_reward, expected.greatest_reward);
        ASSERT_EQ(found.propensity, expected.propensity);
        held_out += found.status == Status::held_out ? 1 : 0;
    }
    EXPECT_GT(held_out, 1'000);
}

}  // namespace
}  // namespace clientele
