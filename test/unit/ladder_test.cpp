#include "core/offer/ladder.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "core/base/error.hpp"

namespace clientele {
namespace {

// Every rung up to the top, written from the definition rather than from the code.
std::vector<std::int64_t> every_rung() {
    std::vector<std::int64_t> rungs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100};
    for (std::int64_t decade = 1; decade < highest_rung / 100; decade *= 10) {
        for (int rung : {125, 150, 175, 200, 250, 300, 350, 400, 450, 500, 600, 700, 800, 900, 1000}) {
            if (rung * decade <= highest_rung) rungs.push_back(rung * decade);
        }
    }
    return rungs;
}

TEST(Ladder, TheRungAtOrBelowIsTheGreatestThatIsNoMore) {
    for (std::int64_t amount = 1; amount < 20'000; ++amount) {
        const std::int64_t rung = rung_at_or_below(amount);
        ASSERT_LE(rung, amount);
        ASSERT_EQ(ladder_rung(rung), rung) << amount;
        ASSERT_GT(rung_above(rung), amount) << amount;
    }
    EXPECT_EQ(rung_at_or_below(highest_rung), highest_rung);
    EXPECT_EQ(rung_at_or_below(0), 0);
    EXPECT_THROW(rung_at_or_below(-1), Error);
    EXPECT_THROW(rung_at_or_below(highest_rung + 1), Error);
}

TEST(Ladder, EveryRungAnswersForItselfAndForAllSinceTheLast) {
    std::int64_t below = 0;
    for (const std::int64_t rung : every_rung()) {
        EXPECT_EQ(ladder_rung(rung), rung);
        EXPECT_EQ(ladder_rung(below + 1), rung);
        EXPECT_EQ(ladder_rung(rung - 1), rung - 1 == below && below > 0 ? below : rung) << rung;
        below = rung;
    }
    EXPECT_EQ(below, highest_rung);
}

TEST(Ladder, AgreesWithASearchUpToTwentyThousand) {
    const auto rungs = every_rung();
    std::size_t next = 0;
    for (std::int64_t amount = 1; amount <= 20'000; ++amount) {
        while (rungs[next] < amount) ++next;
        ASSERT_EQ(ladder_rung(amount), rungs[next]) << amount;
    }
}

TEST(Ladder, NothingIsAskedForTheSmallestRung) { EXPECT_EQ(ladder_rung(0), 1); }

TEST(Ladder, TheContractsExamples) {
    EXPECT_EQ(ladder_rung(70), 70);
    EXPECT_EQ(ladder_rung(50), 50);
    EXPECT_EQ(ladder_rung(51), 60);
    EXPECT_EQ(ladder_rung(105), 125);
    EXPECT_EQ(ladder_rung(210), 250);
    EXPECT_EQ(ladder_rung(1'120), 1'250);
}

TEST(Ladder, IsMonotonicAndIdempotent) {
    std::int64_t last = 0;
    for (std::int64_t amount = 0; amount < highest_rung; amount += 1 + amount / 97) {
        const std::int64_t rung = ladder_rung(amount);
        ASSERT_GE(rung, last);
        ASSERT_GE(rung, amount);
        ASSERT_EQ(ladder_rung(rung), rung);
        last = rung;
    }
}

TEST(Ladder, TheNextRungIsTheLeastAbove) {
    std::int64_t rung = ladder_rung(0);
    for (std::int64_t amount = 1; amount <= 20'000; ++amount) {
        if (amount > rung) rung = ladder_rung(amount);
        ASSERT_EQ(rung_above(amount), ladder_rung(rung + 1)) << amount;
    }
    EXPECT_EQ(rung_above(0), 2);
    EXPECT_EQ(rung_above(highest_rung), highest_rung);
    EXPECT_THROW(rung_above(-1), Error);
}

TEST(Ladder, RefusesWhatIsOutside) {
    for (const std::int64_t amount : {std::int64_t{-1}, highest_rung + 1, INT64_MAX, INT64_MIN}) {
        try {
            ladder_rung(amount);
            FAIL() << amount;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind, ErrorKind::numeric_range);
            EXPECT_NE(error.detail.find(std::to_string(amount)), std::string::npos);
        }
    }
}

}  // namespace
}  // namespace clientele
