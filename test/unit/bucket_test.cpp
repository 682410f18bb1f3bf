#include "core/experiment/bucket.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace clientele {
namespace {

// GrowthBook's own cases (packages/sdk-js/test/cases.json, specVersion 0.8.0).
TEST(Bucket, PublishedVectors) {
    EXPECT_EQ(bucket_number("seed", "b"), 2'696);
    EXPECT_EQ(bucket_number("foo", "def"), 2'019);
    EXPECT_EQ(bucket_number("90850943850283058242805", "123"), 7'516);
    EXPECT_EQ(bucket_share(2'696), 0.2696);
}

TEST(Bucket, ASeedFedBeforehandGivesTheSame) {
    Fnv1a seeded;
    seeded.add("shop:basket-stretch:holdout");
    for (int unit = 0; unit < 1'000; ++unit) {
        const std::string name = std::to_string(unit);
        ASSERT_EQ(bucket_number(seeded, name), bucket_number("shop:basket-stretch:holdout", name));
    }
}

// The reference: code units as JavaScript's charCodeAt returns them.
std::uint32_t fnv1a_of_units(const std::u16string& units) {
    std::uint32_t state = 2'166'136'261U;
    for (const char16_t unit : units) state = (state ^ unit) * 16'777'619U;
    return state;
}

TEST(Bucket, HashesUtf16CodeUnits) {
    Fnv1a latin, wide, pair, edges;
    latin.add("caf\xC3\xA9");
    wide.add("\xE2\x82\xAC");
    pair.add("\xF0\x9F\x9B\x92!");
    edges.add("\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
    EXPECT_EQ(latin.value(), fnv1a_of_units(u"caf\u00E9"));
    EXPECT_EQ(wide.value(), fnv1a_of_units(u"\u20AC"));
    EXPECT_EQ(pair.value(), fnv1a_of_units(u"\U0001F6D2!"));
    EXPECT_EQ(edges.value(), fnv1a_of_units(u"\u007F\u0080\u07FF\u0800\uFFFF\U00010000\U0010FFFF"));
}

TEST(Bucket, RefusesWhatIsNoUtf8) {
    for (const char* text : {"\x80", "\xC0\x80", "\xC3", "\xE2\x82", "\xE2\x28\xA1", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                             "\xF8\x88\x80\x80\x80", "\xE0\x80\x80", "\xF0\x80\x80\x80", "ok\xFF"}) {
        EXPECT_THROW(bucket_number("seed", text), Error) << text;
        EXPECT_THROW(bucket_number(text, "unit"), Error) << text;
    }
}

TEST(Bucket, IsUniform) {
    std::vector<int> counts(10);
    constexpr int units = 100'000;
    for (int unit = 0; unit < units; ++unit) ++counts[bucket_number("shop:a:holdout", std::to_string(unit)) / 1'000];
    for (const int count : counts) EXPECT_NEAR(count, units / 10, 400);
}

// GrowthBook's cases of chooseVariation, as weights.
TEST(Variant, PublishedVectors) {
    const std::vector<double> halves = {0.5, 0.5}, with_empty = {0.5, 0, 0.5};
    EXPECT_EQ(choose_variant(0.2, halves), 0);
    EXPECT_EQ(choose_variant(0.6, halves), 1);
    EXPECT_EQ(choose_variant(0.0, halves), 0);
    EXPECT_EQ(choose_variant(0.5, with_empty), 2);
    EXPECT_EQ(choose_variant(0.9999, std::vector<double>{0.4, 0.5999}), -1);
    EXPECT_EQ(choose_variant(0.9998, std::vector<double>{0.4, 0.5999}), 1);
}

TEST(Variant, WithoutWeightsAllHaveTheSame) {
    EXPECT_EQ(even_weight(1), 1);
    EXPECT_EQ(even_weight(4), 0.25);
    EXPECT_NO_THROW(check_weights(std::vector<double>(3, even_weight(3))));
}

TEST(Variant, NoneWithoutWeightsOrBeyondThem) {
    EXPECT_EQ(choose_variant(0, {}), -1);
    EXPECT_EQ(choose_variant(0, std::vector<double>{0, 0}), -1);
    EXPECT_EQ(choose_variant(0.31, std::vector<double>{0.1, 0.2}), -1);
}

TEST(Variant, RefusesWhatIsNoShare) {
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    EXPECT_THROW(check_weights(std::vector<double>{nan}), Error);
    EXPECT_THROW(check_weights(std::vector<double>{infinity}), Error);
    EXPECT_THROW(check_weights(std::vector<double>{0.5, -0.1}), Error);
    EXPECT_THROW(check_weights(std::vector<double>{0.7, 0.6}), Error);
    EXPECT_THROW(check_weights(std::vector<double>{0.5, 0.500002}), Error);
    EXPECT_NO_THROW(check_weights(std::vector<double>{0.5, 0.5000005}));
    EXPECT_NO_THROW(check_weights(std::vector<double>(10, 0.1)));
    EXPECT_NO_THROW(check_weights({}));
}

}  // namespace
}  // namespace clientele
