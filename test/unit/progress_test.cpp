#include <string>

#include <gtest/gtest.h>

#include "core/offer/progress.hpp"

namespace clientele {
namespace {

constexpr std::int64_t whole = 10'000;

TEST(Progress, GapIsRoundedUp) {
    EXPECT_EQ(gap_between(60 * whole, 47 * whole + 6000, 2), 1240);
    EXPECT_EQ(gap_between(60 * whole, 60 * whole - 1, 2), 1);
    EXPECT_EQ(gap_between(60 * whole, 59 * whole + 1, 2), 100);
    EXPECT_EQ(gap_between(60 * whole, 59 * whole, 0), 1);
    EXPECT_EQ(gap_between(60 * whole, 59 * whole - 1, 0), 2);
    EXPECT_EQ(gap_between(60 * whole, 60 * whole - 1, 3), 1);
}

TEST(Progress, NothingIsMissingFromTheThresholdOn) {
    EXPECT_EQ(gap_between(60 * whole, 60 * whole, 2), 0);
    EXPECT_EQ(gap_between(60 * whole, 61 * whole, 2), 0);
    EXPECT_EQ(gap_between(0, 0, 0), 0);
}

TEST(Progress, TheHighestThresholdFits) {
    EXPECT_EQ(gap_between(__int128{1'000'000'000'000'000} * whole, 0, 3), 1'000'000'000'000'000'000);
}

TEST(Progress, Message) {
    char buffer[200];
    Text text(buffer);
    Book book;
    book.currency = "USD";
    add_progress_message(text, "{reward} for {gap}", book, 1240, 300);
    EXPECT_EQ(std::string(buffer, text.size()), "$3.00 for $12.40");
}

}  // namespace
}  // namespace clientele
