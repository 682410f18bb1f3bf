#include "core/offer/offer_code.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

using namespace clientele;

namespace {

std::array<std::uint8_t, 256> all_bytes() {
    std::array<std::uint8_t, 256> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
    return bytes;
}

}  // namespace

TEST(OfferCode, HasNoLookAlikesAndNoVowels) {
    for (const char banned : std::string("01AEIOUBSZL")) {
        EXPECT_EQ(code_alphabet.find(banned), std::string_view::npos) << banned;
    }
    EXPECT_EQ(code_alphabet.size(), 25U);
}

TEST(OfferCode, IsShownInTwoHalves) {
    const auto bytes = all_bytes();
    EXPECT_EQ(code_from_random(std::span(bytes).first(10)), "23456-789CD");
    EXPECT_EQ(code_from_random(bytes), "23456-789CD");
}

TEST(OfferCode, NeedsEnoughBytes) {
    const auto bytes = all_bytes();
    EXPECT_EQ(code_from_random(std::span(bytes).first(9)), std::nullopt);
    EXPECT_EQ(code_from_random({}), std::nullopt);
    // The last six bytes give no character.
    EXPECT_EQ(code_from_random(std::span(bytes).last(15)), std::nullopt);
    EXPECT_TRUE(code_from_random(std::span(bytes).last(16)));
}

TEST(OfferCode, EveryCharacterIsEquallyLikely) {
    std::map<char, int> counts;
    for (const std::uint8_t byte : all_bytes()) {
        std::array<std::uint8_t, code_length> bytes;
        bytes.fill(byte);
        if (const auto code = code_from_random(bytes)) ++counts[code->front()];
    }
    EXPECT_EQ(counts.size(), code_alphabet.size());
    for (const auto& [character, count] : counts) EXPECT_EQ(count, 10) << character;
}

TEST(OfferCode, IsReadAsPeopleTypeIt) {
    for (const char* typed : {"23456-789CD", "23456789cd", " 2345 6789 cd ", "23-45-67-89-CD"}) {
        EXPECT_EQ(canonical_code(typed), "23456-789CD") << typed;
    }
}

TEST(OfferCode, WhatCannotBeOneIsNone) {
    for (const char* typed : {"", "-", "23456-789C", "23456-789CDF", "23456-789CO", "23456-789C1", "23456_789CD",
                              "23456\t789CD", "23456-789C\xc3\xa9", "'; DROP TABLE ledger"}) {
        EXPECT_EQ(canonical_code(typed), std::nullopt) << typed;
    }
    EXPECT_EQ(canonical_code(std::string_view("23456789CD\0", 11)), std::nullopt);
}
