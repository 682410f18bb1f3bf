#include "core/offer/offer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/offer/ladder.hpp"
#include "core/offer/learned_terms.hpp"
#include "core/score/prediction.hpp"

namespace clientele {
namespace {

using Codes = std::vector<std::string>;

constexpr Instant now = 800'000'000'000'000;

std::int64_t value(double amount) { return std::llround(amount * value_unit); }

Program program_named(std::string_view name, Objective objective, int priority = 10) {
    Program program;
    program.name = name;
    program.objective = objective;
    program.priority = priority;
    program.max_cv = 0.45;
    program.message = "Spend {min_spend} or more and get {reward} off";
    program.holdout_seed.add("shop:" + std::string(name) + ":holdout");
    return program;
}

Book book_of(std::span<const Program> programs, std::string_view currency = "USD", std::int64_t margin = 300'000) {
    Book book;
    book.seed = "shop";
    book.currency = currency;
    book.decimals = currency_decimals(currency);
    book.margins.store = margin;
    book.programs = programs;
    return book;
}

Customer customer_with(std::int64_t orders, double amount) {
    Customer customer;
    customer.id = "42";
    customer.segment = "average";
    customer.as_of = now;
    customer.facts.orders = orders;
    customer.facts.purchase_days = orders;
    customer.facts.last_value = value(amount);
    customer.facts.typical_value = value(amount);
    customer.facts.typical_cv = orders > 1 ? 0.1 : NAN;
    customer.facts.recency_days = 30;
    customer.facts.median_gap_days = orders > 1 ? 10 : NAN;
    return customer;
}

Decision decide_one(const Program& program, const Customer& customer, std::string_view currency = "USD",
                    std::int64_t margin = 300'000) {
    const Book book = book_of({&program, 1}, currency, margin);
    return decide_program(book, program, customer, winner_of(book, customer));
}

Codes codes_of(const Decision& decision) {
    Codes codes;
    for (const Reason reason : decision.reasons.all()) codes.emplace_back(code_of(reason));
    return codes;
}

const Program grow = program_named("basket-stretch", Objective::grow_order_value);
const Program second = program_named("second", Objective::second_order);
const Program win_back = program_named("back", Objective::win_back);

Program by_spread() {
    Program program = grow;
    program.terms = TermsRule::spread;
    program.reward_rate = 20'000;
    return program;
}

Customer customer_spreading(double usual, double sigma) {
    Customer customer = customer_with(4, usual);
    customer.next_order = {std::log(usual), sigma};
    return customer;
}

TEST(Offer, AsksForWhatTheOwnOrdersHardlyReach) {
    const Program program = by_spread();
    const Decision steady = decide_one(program, customer_spreading(40, 0.1));  // 40 exp(0.2) = 48.86
    EXPECT_EQ(steady.terms.min_spend, 50);
    EXPECT_EQ(steady.terms.reward, 100);
    EXPECT_EQ(codes_of(steady), (Codes{"usual_spend", "own_spread", "reward_by_rate"}));
    const Decision varied = decide_one(program, customer_spreading(40, 0.5));  // 40 e = 108.73
    EXPECT_EQ(varied.terms.min_spend, 125);
    EXPECT_EQ(next_step_value(book_of({&program, 1}), program, varied.arm, varied.terms), 0);
    Customer variable = customer_spreading(40, 0.5);
    variable.facts.typical_cv = 2;  // which the threshold answers
    EXPECT_EQ(decide_one(program, variable).status, Status::offered);
    EXPECT_EQ(codes_of(decide_one(grow, variable)), Codes{"too_variable"});
}

TEST(Offer, BySpreadAsksForMoreThanTheReferenceValue) {
    Customer customer = customer_with(4, 50);  // whose last orders were of more than the usual
    customer.next_order = {std::log(30), 0.1};
    EXPECT_EQ(decide_one(by_spread(), customer).terms.min_spend, 60);
    customer.facts.typical_value = value(59.99);
    EXPECT_EQ(decide_one(by_spread(), customer).terms.min_spend, 60);
    customer.facts.typical_value = value(60);
    EXPECT_EQ(decide_one(by_spread(), customer).terms.min_spend, 70);
}

TEST(Offer, BySpreadWithinTheLadder) {
    EXPECT_EQ(decide_one(by_spread(), customer_spreading(9e12, 5)).terms.min_spend, highest_rung);
    EXPECT_EQ(decide_one(by_spread(), customer_spreading(0.01, 0.1)).terms.min_spend, 1);
}

TEST(Offer, NoSpreadNoOffer) {
    const Decision decision = decide_one(by_spread(), customer_with(4, 40));
    EXPECT_EQ(codes_of(decision), Codes{"spread_unknown"});
    EXPECT_EQ(decision.terms.min_spend, 0);
    EXPECT_EQ(decide_one(grow, customer_with(4, 40)).terms.min_spend, 60);
}

TEST(Offer, AProgramAsksForNoMoreThanItsMaximum) {
    Program program = grow;
    program.max_min_spend = 60;
    const Decision within = decide_one(program, customer_with(4, 40));  // 56, the next rung is 60
    EXPECT_EQ(within.terms.min_spend, 60);
    EXPECT_FALSE(within.terms.at_max_spend);
    const Decision above = decide_one(program, customer_with(4, 50));
    EXPECT_EQ(above.terms.min_spend, 60);
    EXPECT_TRUE(above.terms.at_max_spend);
    EXPECT_EQ(above.terms.reward, 150);  // half of 30 % of the extra 10
    EXPECT_EQ(codes_of(above), (Codes{"usual_spend", "reward_capped_by_margin", "min_spend_at_maximum"}));
    const Decision refused = decide_one(program, customer_with(4, 60));
    EXPECT_EQ(codes_of(refused), Codes{"above_maximum"});
    EXPECT_EQ(refused.terms.min_spend, 0);
}

TEST(Offer, AProgramGivesNoMoreThanItsMaximum) {
    Program program = grow;
    program.max_reward = 200;
    EXPECT_EQ(decide_one(program, customer_with(4, 20)).terms.reward, 150);
    const Decision decision = decide_one(program, customer_with(4, 40));
    EXPECT_EQ(decision.terms.reward, 200);
    EXPECT_EQ(decision.greatest_reward, 200);
    EXPECT_EQ(codes_of(decision), (Codes{"usual_spend", "reward_at_maximum"}));
}

TEST(Offer, TheLastOrderOfAFewCountsForNoMoreThanWhatHardlyAnybodySpends) {
    Customer customer = customer_with(1, 77'183);
    customer.fallback = {Basis::recent, value(900)};
    const Decision decision = decide_one(grow, customer);
    EXPECT_EQ(decision.reference.value, value(900));
    EXPECT_EQ(decision.terms.min_spend, 1'500);
    EXPECT_EQ(codes_of(decision), (Codes{"recent_order", "last_order_bounded", "reward_by_rate"}));
    customer.facts.last_value = value(900);
    EXPECT_EQ(codes_of(decide_one(grow, customer)), (Codes{"recent_order", "reward_by_rate"}));
    customer.fallback = {Basis::recent, 0};  // unknown
    customer.facts.last_value = value(77'183);
    EXPECT_EQ(decide_one(grow, customer).reference.value, value(77'183));
    customer.facts.orders = 0;  // a bound is no reference
    customer.fallback = {Basis::recent, value(900)};
    EXPECT_EQ(codes_of(decide_one(grow, customer)), Codes{"no_reference_value"});
    customer.facts.orders = 3;
    customer.facts.typical_value = value(5'000);
    EXPECT_EQ(decide_one(grow, customer).reference.value, value(5'000));
}

TEST(Offer, AModelSaysWhetherWhoIsToWinBackIsAlive) {
    Customer customer = customer_with(4, 30);
    customer.facts.purchase_days = 4;
    customer.facts.recency_days = 60;
    customer.facts.median_gap_days = 20;
    customer.facts.last_purchase_age_days = 62;
    Book book = book_of({&win_back, 1}, "USD", 300'000);
    EXPECT_TRUE(std::isnan(decide_program(book, win_back, customer, &win_back).p_alive));
    book.has_purchase_model = true;
    book.purchase_model = {PurchaseKind::mbgnbd, {0.525, 43.281, 0.891, 1.614}};
    const double expected = p_alive(book.purchase_model, {3, 62, 122});
    EXPECT_EQ(decide_program(book, win_back, customer, &win_back).p_alive, expected);
    EXPECT_EQ(decide_offer(book, customer, nullptr).p_alive, expected);
    EXPECT_TRUE(std::isnan(decide_program(book, grow, customer, &grow).p_alive));
    customer.facts.recency_days = 5;
    EXPECT_EQ(decide_program(book, win_back, customer, nullptr).status, Status::refused);
    EXPECT_GT(decide_program(book, win_back, customer, nullptr).p_alive, expected);
    customer.facts.recency_days = -1;
    EXPECT_TRUE(std::isnan(decide_program(book, win_back, customer, nullptr).p_alive));
}

TEST(Offer, TheTwoExamplesOfTheProject) {
    const Decision fresh = decide_one(grow, customer_with(1, 40));
    EXPECT_EQ(fresh.status, Status::offered);
    EXPECT_EQ(fresh.terms.min_spend, 60);
    EXPECT_EQ(fresh.terms.reward, 300);
    EXPECT_EQ(codes_of(fresh), (Codes{"recent_order", "reward_by_rate"}));
    const Decision regular = decide_one(grow, customer_with(8, 30));
    EXPECT_EQ(regular.terms.min_spend, 50);
    EXPECT_EQ(regular.terms.reward, 250);
    EXPECT_EQ(codes_of(regular), (Codes{"usual_spend", "reward_by_rate"}));
}

TEST(Offer, ThresholdsAreDecidedExactly) {
    const std::pair<double, int> cases[] = {{50, 70},    {35.71, 50}, {35.72, 60}, {75, 125}, {150, 250},
                                            {800, 1250}, {40, 60},    {30, 50},    {0.01, 1}, {50.00001, 80}};
    for (const auto& [typical, asked] : cases) {
        EXPECT_EQ(decide_one(grow, customer_with(5, typical)).terms.min_spend, asked) << typical;
    }
}

TEST(Offer, BasisFollowsTheNumberOfOrders) {
    Customer customer = customer_with(2, 20);
    customer.facts.typical_value = value(99);
    EXPECT_EQ(reference_of(customer).basis, Basis::recent);
    EXPECT_EQ(reference_of(customer).value, value(20));
    customer.facts.orders = 3;
    EXPECT_EQ(reference_of(customer).basis, Basis::typical);
    EXPECT_EQ(reference_of(customer).value, value(99));
    customer.facts.orders = 0;
    EXPECT_EQ(reference_of(customer).basis, Basis::none);
    customer.fallback = {Basis::segment, value(25)};
    EXPECT_EQ(codes_of(decide_one(grow, customer))[0], "segment_median");
    customer.fallback = {Basis::store, value(25)};
    EXPECT_EQ(codes_of(decide_one(grow, customer))[0], "store_median");
}

TEST(Offer, WithoutAReferenceValueThereIsNone) {
    EXPECT_EQ(codes_of(decide_one(grow, customer_with(0, 0))), (Codes{"no_reference_value"}));
    EXPECT_EQ(codes_of(decide_one(grow, customer_with(1, 0))), (Codes{"no_reference_value"}));
    EXPECT_EQ(codes_of(decide_one(grow, customer_with(5, 0))), (Codes{"no_reference_value"}));
    Customer customer = customer_with(0, 0);
    customer.fallback = {Basis::store, 0};
    EXPECT_EQ(codes_of(decide_one(grow, customer)), (Codes{"no_reference_value"}));
    EXPECT_EQ(decide_one(grow, customer).terms.min_spend, 0);
}

TEST(Offer, RewardIsTheLesserOfRateAndHalfTheMargin) {
    // 49 asks for 70: 5 % of 70 is 3.50, half of 30 % of 21 is 3.15.
    const Decision decision = decide_one(grow, customer_with(5, 49));
    EXPECT_EQ(decision.terms.min_spend, 70);
    EXPECT_EQ(decision.terms.reward, 315);
    EXPECT_EQ(codes_of(decision), (Codes{"usual_spend", "reward_capped_by_margin"}));
}

TEST(Offer, RewardIsRoundedDownToTheSmallestUnit) {
    Program program = grow;
    program.reward_rate = 33'333;
    // 3.3333 % of 60 is 1.99998.
    EXPECT_EQ(decide_one(program, customer_with(1, 40)).terms.reward, 199);
    EXPECT_EQ(decide_one(program, customer_with(1, 40), "JPY").terms.reward, 1);
    EXPECT_EQ(decide_one(program, customer_with(1, 40), "KWD").terms.reward, 1'999);
    EXPECT_EQ(decide_one(program, customer_with(1, 40), "CLF").terms.reward, 19'999);
}

TEST(Offer, ARewardOfZeroIsNoOffer) {
    EXPECT_EQ(codes_of(decide_one(grow, customer_with(1, 5), "JPY")), (Codes{"no_reward"}));
    Program program = grow;
    program.reward_rate = 0;
    const Decision decision = decide_one(program, customer_with(1, 40));
    EXPECT_EQ(codes_of(decision), (Codes{"no_reward"}));
    EXPECT_EQ(decision.terms.min_spend, 60);
}

TEST(Offer, NeverServesTheReferenceCustomerAtALoss) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 200'000; ++round) {
        Program program = grow;
        program.stretch = 1'000'001 + static_cast<std::int64_t>(random() % 3'000'000);
        program.reward_rate = static_cast<std::int64_t>(random() % 1'000'001);
        const auto margin = static_cast<std::int64_t>(1 + random() % 1'000'000);
        const auto reference = static_cast<std::int64_t>(1 + random() % 1'000'000'000);
        const Book book = book_of({&program, 1}, "USD", margin);
        const Terms terms = terms_of(book, program, program.arm(0), {Basis::typical, reference}, margin);
        const __int128 extra = static_cast<__int128>(terms.min_spend) * value_unit - reference;
        ASSERT_GT(extra, 0);
        ASSERT_GE(terms.reward, 0);
        // 2 × reward ≤ margin × extra
        ASSERT_LE(static_cast<__int128>(2) * terms.reward * 1'000 * rate_unit, extra * margin);
        ASSERT_LE(static_cast<__int128>(terms.reward) * rate_unit,
                  static_cast<__int128>(terms.min_spend) * 100 * program.reward_rate);
        ASSERT_GE(static_cast<__int128>(terms.min_spend) * value_unit * rate_unit,
                  static_cast<__int128>(reference) * program.stretch);
    }
}

TEST(Offer, StaysExactAtTheLargestAmounts) {
    Program program = grow;
    program.stretch = max_stretch;
    program.reward_rate = rate_unit;
    const Book book = book_of({&program, 1}, "CLF", rate_unit);
    const Terms terms = terms_of(book, program, program.arm(0), {Basis::typical, max_value - 1}, rate_unit);
    EXPECT_EQ(terms.min_spend, highest_rung);
    EXPECT_TRUE(terms.capped);
    // ½ × (10^15 − 9999999999999.99999) in 1/10,000, rounded down.
    EXPECT_EQ(terms.reward, 4'950'000'000'000'000'000);
    EXPECT_EQ(next_step_value(book, program, program.arm(0), terms), 0);
}

TEST(Offer, VaryingSpendersAreRefusedOnlyOnTheTypicalBasisAndOnlyByGrowth) {
    Customer customer = customer_with(5, 30);
    customer.facts.typical_cv = 0.46;
    const Decision refused = decide_one(grow, customer);
    EXPECT_EQ(refused.status, Status::refused);
    EXPECT_EQ(codes_of(refused), (Codes{"too_variable"}));
    EXPECT_EQ(refused.terms.min_spend, 50);
    EXPECT_EQ(refused.terms.reward, 250);
    EXPECT_EQ(refused.propensity, 1);
    customer.facts.typical_cv = 0.45;
    EXPECT_EQ(decide_one(grow, customer).status, Status::offered);
    customer.facts.typical_cv = 3;
    Program unchecked = grow;
    unchecked.max_cv = NAN;
    EXPECT_EQ(decide_one(unchecked, customer).status, Status::offered);
    EXPECT_EQ(decide_one(win_back, customer).status, Status::offered);
    customer.facts.orders = 2;
    EXPECT_EQ(decide_one(grow, customer).status, Status::offered);
}

TEST(Offer, SegmentsAreComparedByBytes) {
    const std::string_view segments[] = {"families", "seniors"};
    Program program = grow;
    program.every_segment = false;
    program.segments = segments;
    Customer customer = customer_with(5, 30);
    EXPECT_EQ(codes_of(decide_one(program, customer)), (Codes{"not_in_segment"}));
    customer.segment = "Seniors";
    EXPECT_EQ(codes_of(decide_one(program, customer)), (Codes{"not_in_segment"}));
    customer.segment = {};
    EXPECT_EQ(codes_of(decide_one(program, customer)), (Codes{"not_in_segment"}));
    EXPECT_EQ(decide_one(grow, customer).status, Status::offered);
    customer.segment = "seniors";
    EXPECT_EQ(decide_one(program, customer).status, Status::offered);
}

TEST(Offer, AProgramRunsFromItsStartToJustBeforeItsEnd) {
    Program program = grow;
    program.starts_at = now;
    program.ends_at = now + 1;
    Customer customer = customer_with(5, 30);
    EXPECT_EQ(decide_one(program, customer).status, Status::offered);
    customer.as_of = now - 1;
    EXPECT_EQ(codes_of(decide_one(program, customer)), (Codes{"not_started"}));
    customer.as_of = now + 1;
    EXPECT_EQ(codes_of(decide_one(program, customer)), (Codes{"ended"}));
}

TEST(Offer, SecondOrderIsForOneOrderSevenTo180DaysAgo) {
    Customer customer = customer_with(1, 40);
    const Decision decision = decide_one(second, customer);
    EXPECT_EQ(codes_of(decision), (Codes{"recent_order", "second_order_due", "reward_by_rate"}));
    EXPECT_EQ(decision.terms.min_spend, 40);
    EXPECT_EQ(decision.terms.reward, 200);
    const std::pair<int, const char*> refused[] = {{-1, "too_soon"}, {6, "too_soon"}, {181, "too_late"}};
    for (const auto& [days, code] : refused) {
        customer.facts.recency_days = days;
        EXPECT_EQ(codes_of(decide_one(second, customer)), (Codes{code}));
    }
    for (const int days : {7, 180}) {
        customer.facts.recency_days = days;
        EXPECT_EQ(decide_one(second, customer).status, Status::offered);
    }
    EXPECT_EQ(codes_of(decide_one(second, customer_with(2, 40))), (Codes{"not_exactly_one_order"}));
    EXPECT_EQ(codes_of(decide_one(second, customer_with(0, 0))),
              (Codes{"no_reference_value", "not_exactly_one_order"}));
}

TEST(Offer, WinBackIsForTheOverdue) {
    Customer customer = customer_with(4, 41);
    const Decision decision = decide_one(win_back, customer);
    EXPECT_EQ(codes_of(decision), (Codes{"usual_spend", "overdue", "reward_by_rate"}));
    EXPECT_EQ(decision.terms.min_spend, 50);
    customer.facts.recency_days = 20;  // not above 2 × 10
    EXPECT_EQ(codes_of(decide_one(win_back, customer)), (Codes{"not_overdue"}));
    customer.facts.recency_days = 21;
    EXPECT_EQ(decide_one(win_back, customer).status, Status::offered);
    customer.facts.median_gap_days = 10.5;
    EXPECT_EQ(codes_of(decide_one(win_back, customer)), (Codes{"not_overdue"}));
    customer.facts.median_gap_days = 2;
    customer.facts.recency_days = 13;
    EXPECT_EQ(codes_of(decide_one(win_back, customer)), (Codes{"not_overdue"}));
    customer.facts.recency_days = 14;
    EXPECT_EQ(decide_one(win_back, customer).status, Status::offered);
    customer.facts.purchase_days = 2;
    EXPECT_EQ(codes_of(decide_one(win_back, customer)), (Codes{"too_few_purchase_days"}));
    // One purchase day has no gap; what is known is that 14 days have not passed.
    Customer once = customer_with(1, 40);
    EXPECT_EQ(codes_of(decide_one(win_back, once)), (Codes{"too_few_purchase_days"}));
    once.facts.recency_days = 3;
    EXPECT_EQ(codes_of(decide_one(win_back, once)), (Codes{"too_few_purchase_days", "not_overdue"}));
}

TEST(Offer, RewardOfSecondOrderAndWinBackIsCappedByHalfTheMarginOnAllOfIt) {
    const Decision decision = decide_one(second, customer_with(1, 40), "USD", 60'000);
    EXPECT_EQ(decision.terms.reward, 120);
    EXPECT_EQ(codes_of(decision), (Codes{"recent_order", "second_order_due", "reward_capped_by_margin"}));
}

TEST(Offer, EverythingThatSpeaksAgainstIsListed) {
    const std::string_view segments[] = {"families"};
    Program program = grow;
    program.every_segment = false;
    program.segments = segments;
    program.starts_at = now + 1;
    Customer customer = customer_with(5, 30);
    customer.facts.typical_cv = 1;
    EXPECT_EQ(codes_of(decide_one(program, customer)), (Codes{"not_in_segment", "not_started", "too_variable"}));
    program.reward_rate = 0;
    EXPECT_EQ(codes_of(decide_one(program, customer)),
              (Codes{"not_in_segment", "not_started", "too_variable", "no_reward"}));
}

// The first unit whose bucket is below, or not below, a share.
std::string unit_in(const Program& program, double share, bool below) {
    for (int unit = 0;; ++unit) {
        const std::string name = std::to_string(unit);
        if ((bucket_share(bucket_number(program.holdout_seed, name)) < share) == below) return name;
    }
}

TEST(Holdout, FollowsTheBucket) {
    Program program = grow;
    program.holdout = 0.1;
    Customer customer = customer_with(5, 30);
    const std::string out = unit_in(program, 0.1, true), in = unit_in(program, 0.1, false);
    customer.id = out;
    const Decision held = decide_one(program, customer);
    EXPECT_EQ(held.status, Status::held_out);
    EXPECT_EQ(codes_of(held), (Codes{"held_out"}));
    EXPECT_EQ(held.propensity, 0.1);
    EXPECT_EQ(held.terms.min_spend, 50);
    EXPECT_LT(bucket_number("shop:basket-stretch:holdout", out), 1'000);
    customer.id = in;
    EXPECT_EQ(decide_one(program, customer).status, Status::offered);
    EXPECT_EQ(decide_one(program, customer).propensity, 0.9);
    program.holdout = 0;
    customer.id = out;
    EXPECT_EQ(decide_one(program, customer).status, Status::offered);
}

struct TwoPrograms : testing::Test {
    std::vector<Program> programs = {program_named("first", Objective::win_back, 10),
                                     program_named("then", Objective::grow_order_value, 20)};
    Customer customer = customer_with(5, 30);
    Book book() const { return book_of(programs); }
    std::string offered(const Program* only = nullptr) const {
        const Decision decision = decide_offer(book(), customer, only);
        return decision.program == nullptr ? "" : std::string(decision.program->name);
    }
    Decision decision(int index) const {
        const Book both = book();
        return decide_program(both, programs[index], customer, winner_of(both, customer));
    }
};

TEST_F(TwoPrograms, TheLowestPriorityNumberWins) {
    EXPECT_EQ(offered(), "first");
    EXPECT_EQ(decision(0).status, Status::offered);
    EXPECT_EQ(decision(1).status, Status::refused);
    EXPECT_EQ(codes_of(decision(1)), (Codes{"outranked"}));
    EXPECT_EQ(decision(1).terms.min_spend, 50);
    customer.facts.recency_days = 1;
    EXPECT_EQ(offered(), "then");
    EXPECT_EQ(codes_of(decision(0)), (Codes{"not_overdue"}));
    EXPECT_EQ(decision(1).status, Status::offered);
    customer.facts.typical_cv = 2;
    EXPECT_EQ(offered(), "");
}

TEST_F(TwoPrograms, HeldOutOfTheWinnerIsHeldOutOfAll) {
    programs[0].holdout = 0.5;
    const std::string out = unit_in(programs[0], 0.5, true);
    customer.id = out;
    EXPECT_EQ(offered(), "");
    EXPECT_EQ(offered(&programs[0]), "");
    EXPECT_EQ(offered(&programs[1]), "");
    EXPECT_EQ(decision(0).status, Status::held_out);
    EXPECT_EQ(codes_of(decision(1)), (Codes{"outranked"}));
    customer.facts.recency_days = 1;  // the first is no winner any more
    EXPECT_EQ(offered(), "then");
}

TEST_F(TwoPrograms, OneProgramCanBeAskedFor) {
    EXPECT_EQ(offered(&programs[0]), "first");
    EXPECT_EQ(offered(&programs[1]), "then");
    customer.facts.typical_cv = 2;
    EXPECT_EQ(offered(&programs[1]), "");
    customer.facts.typical_cv = 0.1;
    programs[1].holdout = 0.5;
    const std::string out = unit_in(programs[1], 0.5, true);
    customer.id = out;
    EXPECT_EQ(offered(&programs[1]), "");
    EXPECT_EQ(offered(), "first");
}

TEST_F(TwoPrograms, WhoHasAnOpenExposureGetsNoOtherOffer) {
    customer.open = OpenExposure{"dropped"};
    EXPECT_EQ(offered(), "");
    EXPECT_EQ(decide_enrolment(book(), customer, nullptr).program, nullptr);
    EXPECT_EQ(codes_of(decision(0)), (Codes{"outranked"}));
    EXPECT_EQ(decision(0).propensity, 1);
    customer.facts.recency_days = 1;
    EXPECT_EQ(codes_of(decision(0)), (Codes{"not_overdue"}));
    EXPECT_TRUE(is_offered(*customer.open, {}));
    EXPECT_TRUE(is_offered(*customer.open, "dropped"));
    EXPECT_FALSE(is_offered(*customer.open, "then"));
    customer.open->held_out = true;
    EXPECT_FALSE(is_offered(*customer.open, {}));
}

// decide_offer() takes short cuts; it must agree with the decisions of all programs.
TEST_F(TwoPrograms, TheShortWayAgreesWithTheLong) {
    std::mt19937_64 random(11);
    programs.push_back(program_named("last", Objective::second_order, 30));
    for (Program& program : programs) program.holdout = 0.3;
    for (int round = 0; round < 20'000; ++round) {
        customer = customer_with(static_cast<std::int64_t>(random() % 6), static_cast<double>(random() % 5'000) / 100);
        customer.facts.recency_days = static_cast<int>(random() % 60);
        customer.facts.typical_cv = static_cast<double>(random() % 100) / 100;
        if (random() % 2 == 0) customer.fallback = {Basis::segment, static_cast<std::int64_t>(random() % 5'000'000)};
        const std::string id = std::to_string(round);
        customer.id = id;
        std::string expected;
        for (int index = 0; index < 3; ++index) {
            if (decision(index).status == Status::offered) expected = programs[index].name;
        }
        ASSERT_EQ(offered(), expected);
    }
}

TEST(Offer, BreakEvenShare) {
    const Book growing = book_of({&grow, 1}), returning = book_of({&second, 1});
    const Customer customer = customer_spreading(30, 0.5);
    const Decision decision = decide_one(grow, customer);  // $2.50 off from $50
    // The mean below 50 of exp(N(ln 30, 0.5^2)), by quadrature, is 28.07187; the reference value of 30 would be too
    // much.
    const BreakEven needs = break_even(growing, customer, decision);
    EXPECT_TRUE(needs.at_least);
    EXPECT_NEAR(needs.share, 2.5 / (0.3 * (50 - 28.07187)), 1e-4);
    const Customer once = customer_with(1, 40);
    EXPECT_DOUBLE_EQ(break_even(returning, once, decide_one(second, once)).share, 2.0 / (0.3 * 40));
    const Customer unknown = customer_with(8, 30), without = customer_with(0, 0);
    EXPECT_FALSE(break_even(growing, unknown, decide_one(grow, unknown)).known());
    EXPECT_FALSE(break_even(growing, without, decide_one(grow, without)).known());
}

TEST(Offer, TheNextStepIsTheSmallestValueAskedForMore) {
    for (const char* currency : {"USD", "JPY", "KWD", "CLF"}) {
        for (const Program* program : {&grow, &second}) {
            const Book book = book_of({program, 1}, currency);
            std::int64_t units = 1;
            for (int step = 0; step < 60; ++step) {
                const std::int64_t asked = asked_from(book, *program, program->arm(0), units);
                Terms terms;
                terms.min_spend = asked;
                const std::int64_t next = next_step_value(book, *program, program->arm(0), terms);
                ASSERT_GT(next, units);
                ASSERT_EQ(asked_from(book, *program, program->arm(0), next - 1), asked) << currency << ' ' << next;
                ASSERT_GT(asked_from(book, *program, program->arm(0), next), asked);
                units = next;
            }
        }
    }
}

TEST(Currency, SmallestUnits) {
    EXPECT_EQ(currency_decimals("USD"), 2);
    EXPECT_EQ(currency_decimals("EUR"), 2);
    EXPECT_EQ(currency_decimals("JPY"), 0);
    EXPECT_EQ(currency_decimals("KRW"), 0);
    EXPECT_EQ(currency_decimals("KWD"), 3);
    EXPECT_EQ(currency_decimals("TND"), 3);
    EXPECT_EQ(currency_decimals("CLF"), 4);
    EXPECT_EQ(currency_decimals("XXX"), 2);
}

TEST(Currency, ValuesShowNoMoreDecimalsThanTheyNeed) {
    EXPECT_EQ(shown_decimals(value(30), 2), 2);
    EXPECT_EQ(shown_decimals(value(30.125), 2), 3);
    EXPECT_EQ(shown_decimals(value(30.12345), 2), 5);
    EXPECT_EQ(shown_decimals(value(30), 0), 0);
    EXPECT_EQ(shown_decimals(value(35.5), 0), 1);
}

}  // namespace
}  // namespace clientele
