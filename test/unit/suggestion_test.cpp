#include "core/basket/suggestion.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace clientele {
namespace {

using Reasons = std::vector<std::string>;

constexpr std::int64_t money(double amount) { return static_cast<std::int64_t>(amount * 10'000 + 0.5); }

using Companions = std::vector<Candidate::Companion>;
const Companions tea = {{"tea", 0.2}}, tea_and_milk = {{"tea", 0.2}, {"milk", 0.3}}, little = {{"tea", 0.1}};
const std::vector<std::int32_t> weekly = {100, 107, 114, 114, 121}, twice = {90, 100}, even = {10, 20, 32};

Candidate candidate(std::string_view product, double price) { return {product, product, money(price), {}, {}, 0}; }

SuggestionQuestion question(std::optional<double> gap = {}, std::size_t most = 3) {
    return {gap ? std::optional(money(*gap)) : std::nullopt, most, 2, 130, 10, 1'000};
}

TEST(Candidates, AreWhatCanBeHadAndIsNotInTheBasket) {
    const std::vector<Reason> known = {
        {"1", "tea", 0, false, "", 0, {}, 0},           {"2", "cake", money(3), true, "1", 0.2, {}, 0},
        {"2", "cake", money(3), true, "9", 0.1, {}, 0}, {"2", "cake", money(3), true, "", 0, 5, 0},
        {"2", "cake", money(3), true, "", 0, {}, 70},   {"3", "jam", money(3), false, "1", 0.2, {}, 0},
        {"4", "bags", 0, true, "1", 0.2, {}, 0},        {"5", "", money(2), true, "", 0, {}, 1},
    };
    const std::vector<std::string_view> basket = {"1", "9", "1", "unknown", ""};
    const auto found = candidates_among(known, basket);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].name, "cake");
    ASSERT_EQ(found[0].companions.size(), 2u);
    EXPECT_EQ(found[0].companions[0].name, "tea");
    EXPECT_EQ(found[0].companions[1].name, "9");
    EXPECT_EQ(found[0].days, std::vector<std::int32_t>{5});
    EXPECT_EQ(found[0].orders, 70);
    EXPECT_EQ(found[1].name, "5");
}

TEST(Relevance, AddsUpAffinities) {
    Candidate c = candidate("cake", 3);
    c.companions = tea_and_milk;
    EXPECT_DOUBLE_EQ(relevance(c, question()), 0.5);
}

TEST(Relevance, KnowsWhatTheCustomerBuysAndWhenItIsDue) {
    Candidate c = candidate("cake", 3);
    c.days = weekly;
    EXPECT_DOUBLE_EQ(relevance(c, question()), 4.0 / 12);
    SuggestionQuestion early = question();
    early.today = 123;  // two of seven days after the last
    EXPECT_DOUBLE_EQ(relevance(c, early), 4.0 / 12 * 2 / 7);
    early.today = 110;  // a clock that is behind
    EXPECT_DOUBLE_EQ(relevance(c, early), 0);
    c.days = twice;  // no rhythm yet
    early.today = 101;
    EXPECT_DOUBLE_EQ(relevance(c, early), 2.0 / 12);
}

TEST(Relevance, OfWhatIsPopularIsLessThanOfAnythingElse) {
    Candidate c = candidate("bags", 3);
    c.orders = 500;
    EXPECT_DOUBLE_EQ(relevance(c, question()), 0.0005);
    SuggestionQuestion nothing = question();
    nothing.counted_orders = 0;
    EXPECT_EQ(relevance(c, nothing), 0);
}

TEST(Suggest, TheBestFirstAndInEqualCasesTheCheaper) {
    std::vector<Candidate> list = {candidate("a", 2), candidate("b", 1), candidate("c", 9), candidate("d", 1)};
    list[2].companions = tea;
    const auto found = suggest(list, question());
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0].candidates, std::vector<std::size_t>{2});
    EXPECT_EQ(found[1].candidates, std::vector<std::size_t>{1});
    EXPECT_EQ(found[2].candidates, std::vector<std::size_t>{3});
    EXPECT_EQ(found[0].price, money(9));
}

TEST(Suggest, WhatClosesTheGapWithLittleToSpare) {
    std::vector<Candidate> list = {candidate("far", 40), candidate("near", 13), candidate("short", 12.39)};
    for (Candidate& c : list) c.companions = tea;
    const auto found = suggest(list, question(12.4, 2));
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].candidates, std::vector<std::size_t>{1});
    EXPECT_DOUBLE_EQ(found[0].score, 0.2 * (12.4 / 13 * (12.4 / 13)));
    EXPECT_EQ(found[1].candidates, std::vector<std::size_t>{0});
}

TEST(Suggest, PairsWhereTooFewCloseTheGapAlone) {
    std::vector<Candidate> list = {candidate("big", 30), candidate("a", 6), candidate("b", 7), candidate("c", 5)};
    for (Candidate& c : list) c.companions = tea;
    list[1].companions = little;
    const auto found = suggest(list, question(12, 5));
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0].candidates, std::vector<std::size_t>{0});
    EXPECT_EQ(found[1].candidates, (std::vector<std::size_t>{2, 3}));
    EXPECT_EQ(found[1].price, money(12));
    EXPECT_DOUBLE_EQ(found[1].score, 0.2);
    EXPECT_EQ(found[2].candidates, (std::vector<std::size_t>{2, 1}));
    EXPECT_TRUE(suggest(list, question(1'000)).empty());
    EXPECT_TRUE(suggest({}, question(5)).empty());
    EXPECT_EQ(suggest(list, question(12, 1)).size(), 1u);
}

// What is short of a large gap takes the dear ones, however many are more relevant.
TEST(Suggest, PairsOfTheDearestWithTheMostRelevant) {
    const std::string names = "abcdefghijklmnopqrstuvwxyz";
    std::vector<Candidate> list;
    for (int i = 0; i < 250; ++i) {
        list.push_back(candidate(std::string_view(names).substr(i % 26), 2));
        list.back().companions = tea_and_milk;
    }
    list.push_back(candidate("dear", 49));
    list.push_back(candidate("dearer", 90));
    list[250].companions = little;
    const auto found = suggest(list, question(50, 2));
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].candidates, std::vector<std::size_t>{251});
    ASSERT_EQ(found[1].candidates.size(), 2u);
    EXPECT_EQ(found[1].candidates[1], 250u);
    EXPECT_EQ(found[1].price, money(51));
    const auto both = suggest(list, question(100, 5));
    ASSERT_EQ(both.size(), 1u);
    EXPECT_EQ(both[0].candidates, (std::vector<std::size_t>{250, 251}));
}

TEST(Suggest, WhatOnlyItsPriceSpeaksForComesLast) {
    std::vector<Candidate> list = {candidate("priced", 12), candidate("a", 6), candidate("b", 7),
                                   candidate("dear", 20)};
    list[0].orders = 500;
    list[0].by_price = list[3].by_price = true;
    list[1].companions = list[2].companions = tea;
    const auto found = suggest(list, question(12, 5));
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0].candidates, (std::vector<std::size_t>{1, 2}));
    EXPECT_EQ(found[1].candidates, std::vector<std::size_t>{0});
    EXPECT_EQ(found[2].candidates, std::vector<std::size_t>{3});
    EXPECT_EQ(reasons(found[1], list, question(12)).front(), "bought most often at such a price");
    EXPECT_EQ(suggest(list, question(12, 1)).size(), 1u);
    const Reason by_price{"a", "", money(6), true, "", 0, {}, 9, true},
        of_tea{"a", "", money(6), true, "tea", 0.2, {}, 0};
    EXPECT_FALSE(candidates_among(std::vector<Reason>{of_tea, by_price}, {})[0].by_price);
    EXPECT_TRUE(candidates_among(std::vector<Reason>{by_price}, {})[0].by_price);
}

TEST(Reasons, SayWhatItGoesWithAndHowOftenItIsBought) {
    std::vector<Candidate> list = {candidate("cake", 13.6), candidate("bags", 12.4)};
    list[0].companions = tea_and_milk;
    list[0].days = weekly;
    const SuggestionQuestion gap = question(12.4);
    EXPECT_EQ(reasons({{0}, money(13.6), 0}, list, gap),
              (Reasons{"goes with milk", "bought before, usually every 7 days", "fills the gap with 1.20 to spare"}));
    EXPECT_EQ(reasons({{1}, money(12.4), 0}, list, gap), (Reasons{"often bought", "fills the gap exactly"}));
    EXPECT_EQ(reasons({{1}, money(12.4), 0}, list, question()), (Reasons{"often bought"}));
    EXPECT_EQ(reasons({{1, 0}, money(26), 0}, list, gap).size(), 4u);
}

TEST(Reasons, HalfDaysAndOddPrices) {
    std::vector<Candidate> list = {candidate("cake", 5), candidate("milk", 5)};
    list[0].days = even;
    list[1].days = twice;
    EXPECT_EQ(reasons({{0}, money(5), 0}, list, question()), (Reasons{"bought before, usually every 11 days"}));
    const std::vector<std::int32_t> half = {10, 20, 31}, daily = {1, 2, 3};
    list[0].days = half;
    EXPECT_EQ(reasons({{0}, money(5), 0}, list, question()), (Reasons{"bought before, usually every 10.5 days"}));
    list[0].days = daily;
    EXPECT_EQ(reasons({{0}, money(5), 0}, list, question()), (Reasons{"bought before, usually every day"}));
    EXPECT_EQ(reasons({{1}, 50'025, 0}, list, question(5)),
              (Reasons{"bought before", "fills the gap with 0.0025 to spare"}));
    SuggestionQuestion yen = question(5);
    yen.decimals = 0;
    EXPECT_EQ(reasons({{1}, money(7), 0}, list, yen).back(), "fills the gap with 2 to spare");
}

}  // namespace
}  // namespace clientele
