// Exploring, terms that are learnt, and the response as it is kept between a fit and a choice.
#include "core/offer/learned_terms.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/offer/ladder.hpp"

namespace clientele {
namespace {

constexpr Instant now = 800'000'000'000'000;
constexpr Instant a_day = microseconds_a_day;

double logit(double share) { return std::log(share / (1 - share)); }

// What nearly everything is known of: a, ln b, c, delta, ln tau, ln omega, logit A, logit q, and d of one segment.
ResponseFit known_fit(double d = 0) {
    ResponseFit fit;
    fit.mode = {-1.5, std::log(4), 0.8, 0, 0, std::log(0.03), logit(0.7), logit(0.9), d};
    fit.covariance = Matrix(fit.mode.size());
    for (std::size_t i = 0; i < fit.mode.size(); ++i) fit.covariance(i, i) = 1e-6;
    fit.converged = true;
    return fit;
}

ResponseModel model_of(const ResponseFit& fit, const Economics& economics = {}) {
    return {ResponseBelief(fit, economics),
            {"firms"},
            {1'300'000, 2'800'000},
            {20'000, 60'000},
            {0.8, 10.0 / 365, 365},
            14,
            now - a_day,
            false,
            {}};
}

Program exploring(double share) {
    static const std::vector<Arm> combinations = [] {
        std::vector<Arm> arms;
        for (const std::int64_t stretch : {1'300'000, 1'900'000, 2'800'000}) {
            for (const std::int64_t rate : {20'000, 60'000}) {
                arms.push_back(
                    {.name = "explore", .stretch = stretch, .reward_rate = rate, .weight = 1.0 / 6, .explored = true});
            }
        }
        return arms;
    }();
    Program program;
    program.name = "p";
    program.message = "Spend {min_spend} or more and get {reward} off";
    program.explore_share = share;
    program.combinations = combinations;
    program.explore_seed.add("shop:p:explore");
    program.holdout_seed.add("shop:p:holdout");
    return program;
}

Program learning() {
    Program program = exploring(0);
    program.terms = TermsRule::learned;
    program.reward_rate = 20'000;
    return program;
}

Book book_of(const Program& program, const ResponseModel* response) {
    Book book;
    book.seed = "shop";
    book.currency = "USD";
    book.margins.store = 300'000;
    book.programs = {&program, 1};
    book.response = response;
    return book;
}

// The customer of the published example: four orders of about 43.
Customer regular(std::string_view id = "42") {
    Customer customer;
    customer.id = id;
    customer.as_of = now;
    customer.facts.orders = 4;
    customer.facts.purchase_days = 4;
    customer.facts.last_value = customer.facts.typical_value = 41'17500;
    customer.facts.typical_cv = 0.17;
    customer.next_order = {3.7687296042639167, 0.3134211083978908};
    return customer;
}

Decision decide(const Program& program, const ResponseModel* response, const Customer& customer) {
    const Book book = book_of(program, response);
    return decide_program(book, program, customer, winner_of(book, customer));
}

// ---- Exploring ----

TEST(Exploring, DrawsCombinationsAlikeAndAnewAtEachEnrolment) {
    const Program program = exploring(0.3);
    constexpr int customers = 6'000;
    std::map<int, int> drawn[2];
    int both = 0;
    for (int i = 0; i < customers; ++i) {
        const std::string id = std::to_string(i);
        Customer customer = regular(id);
        bool explored = true;
        for (int enrolment = 0; enrolment < 2; ++enrolment) {
            customer.period = enrolment + 1;
            const int index = drawn_index(program, customer);
            ++drawn[enrolment][index];
            explored = explored && index > 0;
            const std::string unit = id + ":" + std::to_string(customer.period);
            EXPECT_EQ(index > 0, bucket_share(bucket_number("shop:p:explore", unit)) < 0.3) << unit;
        }
        both += explored;
    }
    for (const auto& counts : drawn) {
        EXPECT_EQ(counts.size(), 7u);
        for (const auto& [index, count] : counts) {
            const double expected = customers * (index == 0 ? 0.7 : 0.05);
            EXPECT_NEAR(count, expected, 4 * std::sqrt(expected)) << index;
        }
    }
    EXPECT_NEAR(both, 0.09 * customers, 4 * std::sqrt(0.09 * customers));  // the second draw knows nothing of the first
}

TEST(Exploring, SaysHowLikelyItWas) {
    Program program = exploring(0.3);
    program.holdout = 0.2;
    double sum = 0;
    std::map<int, double> seen;
    for (int i = 0; i < 3'000; ++i) {
        const std::string id = std::to_string(i);
        const Decision decision = decide(program, nullptr, regular(id));
        const bool held_out = decision.status == Status::held_out;
        seen[held_out ? -1 : decision.arm_index] = decision.propensity;
        EXPECT_EQ(decision.drawn, decision.arm_index > 0) << id;  // held-out rows draw terms, too
    }
    for (const auto& [outcome, propensity] : seen) sum += propensity;
    EXPECT_EQ(seen.size(), 8u);
    EXPECT_NEAR(sum, 1, 1e-12);
    EXPECT_NEAR(seen[1], 0.8 * 0.3 / 6, 1e-12);
}

TEST(Exploring, IsBoundByTheProgramsLimitsAlone) {
    Program program = exploring(0.999);
    program.max_reward = 300;
    program.max_min_spend = 100;
    bool beyond_half_margin = false;
    for (int i = 0; i < 500; ++i) {
        const std::string id = std::to_string(i);
        Customer customer = regular(id);
        customer.last_threshold = {now - a_day, 50};  // more than one rung below
        const Decision decision = decide(program, nullptr, customer);
        if (!decision.arm.explored || decision.status != Status::offered) continue;
        const double reward = static_cast<double>(decision.terms.reward) / 100;
        EXPECT_LE(decision.terms.reward, 300);
        EXPECT_LE(decision.terms.min_spend, 100);
        beyond_half_margin |= reward > 0.5 * 0.3 * (static_cast<double>(decision.terms.min_spend) - 41.175);
    }
    EXPECT_TRUE(beyond_half_margin);
}

// ---- Choosing ----

// What the best of all rungs and rates within what was tried earns, by the formulas themselves.
double best_profit(const ResponseModel& model, const Customer& customer, double margin) {
    const Prospect prospect{customer.next_order,
                            0.17047184170471844 * (0.8 / (10.0 / 365) + 365) / (0.8 / (10.0 / 365) + 366),
                            model.segment_of(customer.segment), margin};
    double best = -HUGE_VAL;
    for (std::int64_t rung = 60; rung <= 125; rung = rung_above(rung)) {
        for (const double rate : {0.02, 0.028, 0.036, 0.044, 0.052, 0.06}) {
            const double most = 0.5 * margin * (static_cast<double>(rung) - 41.175);
            const double reward = std::floor(std::min(rate * static_cast<double>(rung), most) * 100 + 1e-7) / 100;
            best = std::max(best, model.belief.profit(prospect, {static_cast<double>(rung), reward}));
        }
    }
    return best;
}

TEST(LearnedTerms, AreTheBestOfWhatWasTried) {
    const ResponseModel model = model_of(known_fit());
    const Program program = learning();
    const Decision decision = decide(program, &model, regular());
    ASSERT_EQ(decision.status, Status::offered);
    EXPECT_TRUE(decision.reasons.has(Reason::earns_most));
    EXPECT_NEAR(decision.expected.profit, best_profit(model, regular(), 0.3), 1e-9);
    EXPECT_LE(decision.expected.low, decision.expected.profit);
    EXPECT_GT(decision.expected.low, 0);
    EXPECT_GE(decision.terms.min_spend, 60);
    EXPECT_LE(decision.terms.min_spend, 125);
    // The curve knows it.
    int chosen = 0;
    for (const CurvePoint& point : response_curve(book_of(program, &model), regular())) {
        chosen += point.chosen;
        EXPECT_LE(point.profit, decision.expected.profit + 1e-12);
        EXPECT_EQ(point.chosen,
                  point.terms.min_spend == decision.terms.min_spend && point.terms.reward == decision.terms.reward);
    }
    EXPECT_EQ(chosen, 1);
}

TEST(LearnedTerms, EndTheSearchWhereNothingIsWorthIt) {
    const ResponseModel model = model_of(known_fit());
    const auto refusal = [&](const Worth& worth, Instant as_of = now) {
        Program program = learning();
        program.worth = worth;
        Customer customer = regular();
        customer.as_of = as_of;
        const Decision decision = decide(program, &model, customer);
        EXPECT_EQ(decision.status, Status::refused);
        return decision.reasons.all().front();
    };
    EXPECT_EQ(refusal({.contact_cost = 1}), Reason::not_worth_it);
    EXPECT_EQ(refusal({.min_profit = 1}), Reason::not_worth_it);
    EXPECT_EQ(refusal({.min_reward = 100}), Reason::not_worth_it);
    EXPECT_EQ(refusal({.budget_price = 1}), Reason::budget_spent_better);
    EXPECT_EQ(refusal({}, now + 90 * a_day), Reason::response_outdated);
}

TEST(LearnedTerms, AreNotOfferedWhereTheyAreNotSure) {
    ResponseFit vague = known_fit();
    vague.covariance(parameter::a, parameter::a) = 16;
    const ResponseModel model = model_of(vague);
    EXPECT_EQ(decide(learning(), &model, regular()).reasons.all().front(), Reason::not_worth_it);
}

TEST(LearnedTerms, AreBySpreadUntilThereIsAResponse) {
    const Decision decision = decide(learning(), nullptr, regular());
    ASSERT_EQ(decision.status, Status::offered);
    EXPECT_TRUE(decision.reasons.has(Reason::not_learned_yet));
    Program program = learning();
    program.terms = TermsRule::spread;
    const Decision spread = decide(program, nullptr, regular());
    EXPECT_EQ(decision.terms.min_spend, spread.terms.min_spend);
    EXPECT_EQ(decision.terms.reward, spread.terms.reward);
}

TEST(LearnedTerms, ASegmentHasAResponseAndAMarginOfItsOwnUnlessItIsSensitive) {
    ResponseModel model = model_of(known_fit(0.7));
    const Program program = learning();
    const NamedMargin margins[] = {{"firms", 500'000}};
    const auto expected = [&](std::string_view segment) {
        Book book = book_of(program, &model);
        book.margins.by_segment = margins;
        Customer customer = regular();
        customer.segment = segment;
        return decide_program(book, program, customer, winner_of(book, customer)).expected.profit;
    };
    const double others = expected("others");
    EXPECT_GT(expected("firms"), 1.5 * others);
    model.segments = {""};
    model.sensitive = {"firms"};
    EXPECT_EQ(expected("firms"), others);
}

// ---- The response that is kept ----

TEST(ResponseModel, HoldsForNinetyDays) {
    ResponseModel model = model_of(known_fit());
    EXPECT_FALSE(model.is_outdated(model.known_to + 90 * a_day));
    EXPECT_TRUE(model.is_outdated(model.known_to + 90 * a_day + 1));
    model.outdated = true;
    EXPECT_TRUE(model.is_outdated(model.known_to));
}

TEST(ResponseModel, ExpectsOrdersAsPublished) {
    const ResponseModel model = model_of(known_fit());
    EXPECT_NEAR(model.expected_orders(4, model.known_to), 0.17047184170471844, 1e-15);
    EXPECT_NEAR(model.expected_orders(0, model.known_to), 0.02841197361745307, 1e-15);
    EXPECT_NEAR(model.expected_orders(4, model.known_to + 100 * a_day), 14 * 4.8 / (0.8 / (10.0 / 365) + 465), 1e-15);
    EXPECT_EQ(model.expected_orders(4, model.known_to - 100 * a_day), model.expected_orders(4, model.known_to));
}

TEST(ResponseModel, KnowsSegmentsByName) {
    ResponseModel model = model_of(known_fit());
    EXPECT_EQ(model.segment_of("firms"), 0);
    EXPECT_EQ(model.segment_of("others"), -1);
    EXPECT_FALSE(model.is_sensitive("firms"));
}

TEST(ResponseModel, RefusesWhatNoFitHas) {
    const std::vector<double> parameters = {-1.5, 1.4, 0.8, 0, 0, -3.5, 0.8, 2.2};
    std::vector<double> triangle;
    for (int row = 0; row < 8; ++row) {
        for (int column = 0; column <= row; ++column) triangle.push_back(row == column ? 0.01 : 0.001);
    }
    const ResponseFit fit = response_fit(parameters, triangle, true);
    EXPECT_EQ(fit.covariance(2, 5), 0.001);
    EXPECT_EQ(fit.covariance(5, 2), 0.001);
    EXPECT_EQ(fit.response().q, 1);
    for (const double bad : {31.0, -31.0, HUGE_VAL, std::nan("")}) {
        auto forged = parameters;
        forged[3] = bad;
        EXPECT_THROW(response_fit(forged, triangle, true), Error) << bad;
    }
    for (const double bad : {2e4, std::nan(""), -1.0}) {  // the last: no variance
        auto forged = triangle;
        forged.back() = bad;
        EXPECT_THROW(response_fit(parameters, forged, true), Error) << bad;
    }
}

TEST(ResponseModel, RefusesWhatNoStoreHas) {
    EXPECT_NO_THROW(check(Economics{}));
    EXPECT_THROW(check(Economics{.displaced = 1.1}), Error);
    EXPECT_THROW(check(Economics{.displaced = std::nan("")}), Error);
    EXPECT_THROW(check(Economics{.extra_orders = -0.1}), Error);
    EXPECT_THROW(check(Economics{.extra_orders_error = HUGE_VAL}), Error);
    EXPECT_NO_THROW(check(OrderRate{0.8, 10.0 / 365, 365}));
    EXPECT_THROW(check(OrderRate{0, 10.0 / 365, 365}), Error);
    EXPECT_THROW(check(OrderRate{0.8, 0, 365}), Error);
    EXPECT_THROW(check(OrderRate{0.8, 10.0 / 365, -1}), Error);
}

}  // namespace
}  // namespace clientele
