#include "core/offer/offer_text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace clientele {
namespace {

using namespace std::chrono_literals;

struct OfferText : testing::Test {
    OfferText() {
        program.name = "basket-stretch";
        program.max_cv = 0.45;
        program.priority = 20;
        program.message = "Spend {min_spend} or more and get {reward} off";
        program.holdout_seed.add("shop:basket-stretch:holdout");
        rival.name = "rival";
        rival.priority = 10;
        rival.objective = Objective::win_back;
        rival.holdout_seed.add("shop:rival:holdout");
        book.seed = "shop";
        set_currency("USD");
        book.margins.store = 300'000;
        book.programs = {&program, 1};
        customer.id = "42";
        customer.segment = "average";
        customer.facts = {8, 8, 3'000'000, 3'000'000, 0.1, 30, 20};
    }

    void set_currency(std::string_view currency) {
        book.currency = currency;
        book.decimals = currency_decimals(currency);
    }
    Decision decide(const Program* winner) const { return decide_program(book, program, customer, winner); }
    Decision decide() const { return decide(winner_of(book, customer)); }
    std::string explain(const Program* winner) const {
        char buffer[2'000];
        Text text(buffer);
        add_explanation(text, book, decide(winner), customer, winner);
        return {buffer, text.size()};
    }
    std::string explain() const { return explain(winner_of(book, customer)); }
    std::string message(std::string_view pattern) {
        program.message = pattern;
        char buffer[500];
        Text text(buffer);
        add_message(text, book, decide(), customer.segment, day_from_civil(2026y / 3 / 9));
        return {buffer, text.size()};
    }

    Program program, rival;
    Book book;
    Customer customer;
};

TEST_F(OfferText, AnOpenExposureOfAnotherProgramIsAllThatIsSaid) {
    const Instant noon = (day_from_civil(2026y / 3 / 9) * 24 + 12) * 60 * 60 * microseconds_a_second;
    customer.open = OpenExposure{"rival", false, noon};
    EXPECT_EQ(explain(), R"(Refused: the customer has an offer of program "rival" until 2026-03-09 12:00.)");
    customer.open->held_out = true;
    EXPECT_EQ(explain(), R"(Refused: the customer is held out of program "rival" until 2026-03-09 12:00.)");
    customer.facts.typical_cv = 0.9;
    EXPECT_TRUE(explain().starts_with("Refused: spending varies too much")) << explain();
    EXPECT_NE(explain().find("Otherwise: spend"), std::string::npos) << explain();
}

TEST_F(OfferText, AModelsWordsOnWhoIsToWinBack) {
    program.objective = Objective::win_back;
    customer.facts.recency_days = 60;
    customer.facts.last_purchase_age_days = 140;
    book.has_purchase_model = true;
    book.purchase_model = {PurchaseKind::mbgnbd, {0.525, 43.281, 0.891, 1.614}};
    const auto ends_with = [&](std::string_view end) { return explain().ends_with(end); };
    EXPECT_TRUE(
        ends_with(" The customer will probably come back (alive with a probability of 0.53); their own rhythm is "
                  "an order every 20 days."))
        << explain();
    customer.facts.recency_days = 600;
    customer.facts.median_gap_days = 20.5;
    EXPECT_TRUE(
        ends_with(" The customer is probably lost (alive with a probability of 0.00); their own rhythm is an order "
                  "every 20.5 days."))
        << explain();
    char buffer[100];
    Text text(buffer);
    add_p_alive_reason(text, decide());
    add_rhythm_reason(text.add(' '), customer.facts);
    EXPECT_EQ(std::string_view(buffer, text.size()), "p_alive=0.00 median_days_between_orders=20.5");
}

TEST_F(OfferText, MessageShowsMoneyAsTheCurrencyIsWritten) {
    const char* pattern = "{min_spend}|{reward}|{currency}";
    EXPECT_EQ(message(pattern), "$50|$2.50|USD");
    set_currency("EUR");
    EXPECT_EQ(message(pattern), "€50|€2.50|EUR");
    set_currency("GBP");
    EXPECT_EQ(message(pattern), "£50|£2.50|GBP");
    set_currency("JPY");
    EXPECT_EQ(message(pattern), "¥50|¥2|JPY");
    set_currency("KWD");
    EXPECT_EQ(message(pattern), "KWD 50|KWD 2.500|KWD");
    set_currency("CHF");
    EXPECT_EQ(message(pattern), "CHF 50|CHF 2.50|CHF");
    set_currency("EUR");
    book.unicode = false;
    EXPECT_EQ(message(pattern), "EUR 50|EUR 2.50|EUR");
}

TEST_F(OfferText, MessageFillsEveryPlaceholderWhereverItStands) {
    EXPECT_EQ(message("{segment}{program} until {valid_until}."), "averagebasket-stretch until 2026-03-09.");
    EXPECT_EQ(message("{min_spend}{min_spend}"), "$50$50");
    EXPECT_EQ(message("{} {{min_spend}} {Reward} { reward } }{ {reward"), "{} {$50} {Reward} { reward } }{ {reward");
    EXPECT_EQ(message(""), "");
    customer.segment = {};
    EXPECT_EQ(message("[{segment}]"), "[]");
}

TEST_F(OfferText, UnknownPlaceholdersAreRefused) {
    EXPECT_NO_THROW(check_message("{min_spend} {reward} {currency} {valid_until} {program} {segment}"));
    for (const char* stray : {"{} off", "{X}", "Get {reward", "{{reward}}", "reward}"})
        EXPECT_THROW(check_message(stray), Error) << stray;
    try {
        check_message("Spend {min_spent}");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::invalid_parameter);
        EXPECT_EQ(error.detail, "The placeholder is {min_spent}.");
    }
}

TEST_F(OfferText, WhatDoesNotFitIsCounted) {
    char buffer[8] = "-------";
    Text text({buffer, 4});
    text.add("abc").add("def").add("ghi");
    EXPECT_EQ(text.size(), 9U);
    EXPECT_EQ(std::string(buffer), "abcd---");
    Text none({});
    add_explanation(none, book, decide(), customer, &program);
    EXPECT_EQ(none.size(), explain().size());
}

TEST_F(OfferText, NumbersAndDays) {
    char buffer[200];
    Text text(buffer);
    text.add_decimal(5, 2).add(' ').add_decimal(-12345, 2).add(' ').add_decimal(0, 0).add(' ').add_decimal(0, 3).add(
        ' ');
    text.add_decimal(static_cast<__int128>(1'000'000'000'000'000'000) * 1'000'000, 6).add(' ').add_double(0.1).add(' ');
    text.add_day(day_from_civil(1y / 2 / 3)).add(' ').add_day(0);
    EXPECT_EQ(std::string(buffer, text.size()),
              "0.05 -123.45 0 0.000 1000000000000000000.000000 0.1 0001-02-03 2000-01-01");
}

TEST_F(OfferText, ExplainsAnOffer) {
    EXPECT_EQ(explain(),
              "Offered: spend $50 or more, get $2.50 off. The customer usually spends $30.00 (median of the last 8 "
              "orders); 1.4 × 30.00 = 42.00, the next rung is $50. The reward is 5 % of $50. Would be asked for $60 "
              "from a typical value of 35.72.");
    book.unicode = false;
    EXPECT_NE(explain().find("1.4 x 30.00"), std::string::npos);
}

TEST_F(OfferText, ExplainsARewardCappedByTheMargin) {
    customer.facts = {1, 1, 5'000'000, 5'000'000, NAN, 3, NAN};
    program.stretch = 1'200'000;
    EXPECT_EQ(explain(),
              "Offered: spend $60 or more, get $1.50 off. The last order was $50.00 (below 3 orders, the last one "
              "counts); 1.2 × 50.00 = 60.00, which is a rung. The reward is half the margin of 30 % on the extra "
              "$10.00, less than 5 % of $60. Would be asked for $70 from a last order of 50.01.");
}

// By how the own orders spread: the mean of those below $50 is $28.07, and a margin of 30 % of what is added pays
// $2.50.
TEST_F(OfferText, ExplainsWhatItTakesToBreakEven) {
    customer.next_order = {std::log(30), 0.5};
    EXPECT_NE(explain().find(" Breaks even if at least 38.0 % of redeemers would not have spent it anyway."),
              std::string::npos)
        << explain();
    program.reward_rate = 500'000;
    book.margins = {};
    customer.margin = CustomerMargin{1'000'000};
    EXPECT_NE(explain().find(" Breaks even if at least 45.6 % of redeemers"), std::string::npos) << explain();
    customer.next_order = {std::log(49.9), 0.01};
    EXPECT_NE(explain().find(" Cannot break even, whoever redeems it."), std::string::npos) << explain();
}

TEST_F(OfferText, ExplainsASecondOrderFromAMedian) {
    program.objective = Objective::win_back;
    customer.facts.typical_value = 3'312'500;
    EXPECT_NE(explain().find("The customer usually spends $33.125 (median of the last 8 orders), the next rung is $40. "
                             "The reward is 5 % of $40. Would be asked for $50 from a typical value of 40.01. Breaks "
                             "even if 16.7 % of redeemers would not have ordered anyway."),
              std::string::npos)
        << explain();
    program.objective = Objective::grow_order_value;
    customer.facts = {};
    customer.fallback = {Basis::segment, 3'000'000};
    EXPECT_NE(explain().find("Customers of the segment usually spend $30.00 (median; this one has no order); 1.4 × "),
              std::string::npos);
    EXPECT_NE(explain().find("from a segment median of 35.72"), std::string::npos);
    customer.fallback.basis = Basis::store;
    EXPECT_NE(explain().find("Customers of the store usually spend $30.00"), std::string::npos);
}

TEST_F(OfferText, ExplainsAHoldout) {
    program.holdout = 0.9999;
    EXPECT_EQ(explain().find("Held out: bucket 0."), 0U) << explain();
    EXPECT_NE(explain().find(" of seed shop:basket-stretch:holdout is below the holdout share 0.9999, so there is no "
                             "offer, from no other program either. Otherwise: spend $50 or more, get $2.50 off. "),
              std::string::npos)
        << explain();
}

TEST_F(OfferText, ExplainsEachRefusal) {
    const auto refused_as = [&](const char* start) {
        EXPECT_EQ(explain().substr(0, std::string(start).size()), start);
    };
    customer.facts.typical_cv = 0.6234;
    refused_as(
        "Refused: spending varies too much: coefficient of variation 0.62, allowed 0.45. Otherwise: spend $50 or more");
    customer.facts.typical_cv = 0.4501;
    refused_as("Refused: spending varies too much: coefficient of variation 0.4501, allowed 0.45. Otherwise: ");
    customer.facts.typical_cv = 0.1;

    const std::string_view segments[] = {"families", "seniors"};
    program.segments = segments;
    program.every_segment = false;
    refused_as(
        "Refused: the customer is in segment \"average\", the program is for \"families\", \"seniors\". Otherwise: ");
    customer.segment = {};
    refused_as("Refused: the customer is in no segment, the program is for \"families\", \"seniors\". Otherwise: ");
    program.every_segment = true;

    program.starts_at = microseconds_a_day;
    refused_as("Refused: the program starts at 2000-01-02 00:00:00 UTC, this is as of 2000-01-01 00:00:00 UTC. ");
    program.starts_at = -2;
    program.ends_at = -1;
    refused_as("Refused: the program ended at 1999-12-31 23:59:59 UTC, this is as of 2000-01-01 00:00:00 UTC. ");
    program.ends_at = INT64_MAX;

    program.reward_rate = 0;
    EXPECT_EQ(explain(), "Refused: the reward would be below the smallest unit of the currency: 0 % of $50.");
    customer.facts = {};
    EXPECT_EQ(explain(), "Refused: the customer has no order, and there is no median of others to start from.");
    customer.facts.orders = 1;
    EXPECT_EQ(explain(), "Refused: the last order was of zero.");
    customer.facts.orders = 3;
    EXPECT_EQ(explain(), "Refused: the customer usually spends zero.");
}

TEST_F(OfferText, ExplainsWhatIsNotDue) {
    program.objective = Objective::second_order;
    customer.facts.recency_days = 200;
    EXPECT_EQ(explain().find("Refused: the customer has 8 orders, exactly 1 is asked for; the last order was 200 days "
                             "ago, 7 to 180 days are asked for. Otherwise: spend $30 or more, get $1.50 off."),
              0U)
        << explain();
    program.objective = Objective::win_back;
    customer.facts.recency_days = 40;
    EXPECT_EQ(explain().find("Refused: the last order was 40 days ago, at least 14 and more than 2 × the median gap of "
                             "20 days are asked for. "),
              0U)
        << explain();
    customer.facts = {1, 1, 3'000'000, 3'000'000, NAN, 1, NAN};
    EXPECT_EQ(explain().find("Refused: the customer has 1 purchase day, at least 3 are asked for; the last order was 1 "
                             "day ago, at least 14 are asked for. "),
              0U)
        << explain();
}

TEST_F(OfferText, ExplainsWhoCameFirst) {
    EXPECT_EQ(explain(&rival).find("Refused: eligible, but program \"rival\" comes first (priority 10 before 20). "
                                   "Otherwise: spend $50 or more, get $2.50 off. "),
              0U)
        << explain(&rival);
    rival.holdout = 0.99999;
    EXPECT_NE(explain(&rival).find("(priority 10 before 20), and holds the customer out. "), std::string::npos);
}

TEST_F(OfferText, NothingIsAskedAboveTheHighestRung) {
    program.stretch = max_stretch;
    customer.facts.typical_value = max_value - 1;
    EXPECT_EQ(explain().find("Would be asked"), std::string::npos) << explain();
}

struct LimitText : OfferText {
    LimitText() { customer.standings = {&standing, 1}; }

    bool starts_with(std::string_view start) const { return explain().starts_with(start); }

    Standing standing;
};

TEST_F(LimitText, ExplainsTheLimits) {
    customer.as_of = 10 * microseconds_a_day;
    program.max_per_customer = 2;
    add_exposure(standing, {0, 0, false});
    add_exposure(standing, {microseconds_a_day, 0, false});
    EXPECT_TRUE(starts_with("Refused: the customer was enrolled 2 times, at most 2 are allowed. Otherwise: spend $50"))
        << explain();
    program.max_per_customer = 3;
    standing.cools_until = 31 * microseconds_a_day;
    EXPECT_TRUE(starts_with(
        "Refused: the customer was last enrolled at 2000-01-02 00:00:00 UTC; again from 2000-02-01 00:00:00 UTC, "
        "this is as of 2000-01-11 00:00:00 UTC. Otherwise: "))
        << explain();
    standing.cools_until = never;
    standing.remaining = 249;
    EXPECT_TRUE(starts_with("Refused: the budget has $2.49 left, up to $2.50 are needed. Otherwise: ")) << explain();
}

TEST_F(LimitText, ExplainsTheStep) {
    customer.last_threshold = {customer.as_of, 35};
    EXPECT_TRUE(starts_with(
        "Offered: spend $50 or more, get $2.50 off. The customer usually spends $30.00 (median of the last 8 "
        "orders); 1.4 × 30.00 = 42.00, the next rung is $50. The reward is 5 % of $50."))
        << explain();
    customer.last_threshold.min_spend = 30;
    EXPECT_TRUE(starts_with(
        "Offered: spend $40 or more, get $1.50 off. The customer usually spends $30.00 (median of the last 8 "
        "orders); 1.4 × 30.00 = 42.00, but at most $40 is asked for, one rung above the $30 last asked for. "
        "The reward is half the margin of 30 % on the extra $10.00, less than 5 % of $40."))
        << explain();
    customer.last_threshold.min_spend = 25;
    EXPECT_EQ(
        explain(),
        "Refused: the next offer may ask for at most $30, one rung above the $25 last asked for, not more than the "
        "typical value of $30.00.");
    program.objective = Objective::win_back;
    customer.facts.typical_value = 3'000'001;
    EXPECT_TRUE(explain().ends_with(", less than the typical value of $30.00001.")) << explain();
}

// More is asked of a higher value only as far as the step allows.
TEST_F(LimitText, WhatWouldBeAskedForStaysWithinTheStep) {
    customer.facts.typical_value = 2'000'000;
    customer.last_threshold = {customer.as_of, 25};
    EXPECT_NE(explain().find("1.4 × 20.00 = 28.00, the next rung is $30. "), std::string::npos) << explain();
    EXPECT_EQ(explain().find("Would be asked"), std::string::npos) << explain();
    customer.last_threshold.min_spend = 30;
    EXPECT_NE(explain().find("Would be asked for $40 from a typical value of 21.43."), std::string::npos) << explain();
}

TEST_F(LimitText, ExplainsTheArmAndTheGlobalHoldout) {
    const Arm arms[] = {{"plain", 1'400'000, 50'000, 0.25}, {"bold", 2'000'000, 50'000, 0.75}};
    const double weights[] = {0.25, 0.75};
    program.arms = arms;
    program.weights = weights;
    program.arm_seed.add("shop:basket-stretch:arm");
    EXPECT_TRUE(
        starts_with("Offered: spend $60 or more, get $3.00 off. That is arm \"bold\", which a share of 0.75 of the "
                    "customers is in (bucket 0.8593 of seed shop:basket-stretch:arm). The customer"))
        << explain();
    book.global_holdout = 0.99999;
    book.global_holdout_seed.add("shop:global");
    EXPECT_TRUE(
        starts_with("Held out: bucket 0.7532 of seed shop:global is below the store's global holdout share "
                    "0.99999, so there is no offer from any program. Otherwise: spend $60 or more, get $3.00 off. "
                    "That is arm \"bold\""))
        << explain();
    EXPECT_NE(explain(&rival).find("(priority 10 before 20), and the store holds the customer out of everything. "),
              std::string::npos)
        << explain(&rival);
}

TEST_F(LimitText, NamesTheArmWithoutAReward) {
    const Arm arms[] = {{"paid", 1'400'000, 50'000, 0.5}, {"unused", 1'400'000, 0, 0}, {"free", 2'000'000, 0, 0.5}};
    const double weights[] = {0.5, 0, 0.5};
    program.arms = arms;
    program.weights = weights;
    EXPECT_TRUE(
        starts_with("Refused: the reward would be below the smallest unit of the currency in arm \"free\": 0 % of "
                    "$60."))
        << explain();
}

}  // namespace
}  // namespace clientele
