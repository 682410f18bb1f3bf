#include "core/offer/margin.hpp"

#include <gtest/gtest.h>

#include <random>

namespace clientele {
namespace {

constexpr NamedMargin categories[] = {{"", 100'000}, {"baby", 200'000}, {"gift card", 0}, {"wine", 400'001}};
constexpr NamedMargin segments[] = {{"b2b", 150'000}, {"families", 350'000}};
constexpr Margins margins{300'000, categories, segments};

CustomerMargin of(std::initializer_list<std::pair<const char*, std::int64_t>> basket) {
    BasketMargin margin(margins);
    for (const auto& [category, amount] : basket) margin.add(category, amount);
    return margin.known() ? margin.margin() : CustomerMargin{-1};
}

TEST(Margin, IsThatOfTheCategoriesWeightedWithWhatWasSpent) {
    EXPECT_EQ(of({{"baby", 7}}).value, 200'000);
    EXPECT_EQ(of({{"baby", 10'000}, {"gift card", 30'000}}).value, 50'000);
    EXPECT_EQ(of({{"baby", 10'000}, {"unheard of", 10'000}}).value, 250'000);
    EXPECT_EQ(of({{"", 1}}).value, 100'000);
    EXPECT_EQ(of({{"gift card", 1}}).value, 0);
    EXPECT_EQ(of({{"baby", 1}}).source, MarginSource::categories);
}

TEST(Margin, IsRoundedToTheNearestMillionth) {
    EXPECT_EQ(of({{"wine", 1}, {"gift card", 1}}).value, 200'001);  // 200,000.5
    EXPECT_EQ(of({{"wine", 1}, {"gift card", 2}}).value, 133'334);  // 133,333.67
    EXPECT_EQ(of({{"baby", 1}, {"gift card", 2}}).value, 66'667);   // 66,666.67
    EXPECT_EQ(of({{"baby", 2}, {"gift card", 1}}).value, 133'333);  // 133,333.33
}

TEST(Margin, CountsWhatCameBackAsNothing) {
    EXPECT_EQ(of({{"baby", 10}, {"wine", -1'000}}).value, 200'000);
    EXPECT_EQ(of({{"baby", -10}, {"wine", 0}}).value, -1);
    EXPECT_EQ(of({}).value, -1);
}

TEST(Margin, OfASegmentIsItsOwnElseTheStores) {
    EXPECT_EQ(margins.of_segment("families").value, 350'000);
    EXPECT_EQ(margins.of_segment("families").source, MarginSource::segment);
    EXPECT_EQ(margins.of_segment("others").value, 300'000);
    EXPECT_EQ(margins.of_segment("others").source, MarginSource::store);
    EXPECT_EQ(margins.of_segment({}).value, 300'000);
    EXPECT_EQ((Margins{300'000, {}, {}}).of_segment("families").value, 300'000);
    EXPECT_EQ(margins.of_category("families"), 300'000);
}

TEST(Margin, DoesNotDependOnTheOrderAndIsBetweenThoseOfTheCategories) {
    std::mt19937_64 random(7);
    constexpr const char* names[] = {"", "baby", "gift card", "wine", "else"};
    for (int round = 0; round < 1'000; ++round) {
        BasketMargin forward(margins), backward(margins);
        std::int64_t amounts[5];
        for (auto& amount : amounts) amount = static_cast<std::int64_t>(random() % 99'999'999'999'999'999);
        for (int i = 0; i < 5; ++i) forward.add(names[i], amounts[i]);
        for (int i = 4; i >= 0; --i) backward.add(names[i], amounts[i]);
        ASSERT_EQ(forward.margin().value, backward.margin().value);
        ASSERT_GE(forward.margin().value, 0);
        ASSERT_LE(forward.margin().value, 400'001);
    }
}

}  // namespace
}  // namespace clientele
