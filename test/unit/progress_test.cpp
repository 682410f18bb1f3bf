#include <string>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
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

std::string message(std::string_view pattern, std::string_view currency = "USD") {
    char buffer[200];
    Text text(buffer);
    Book book;
    book.currency = currency;
    book.decimals = currency_decimals(currency);
    const std::int64_t unit = power_of_ten(book.decimals);
    add_progress_message(text, book, {pattern, "stretch", "families", 60 * whole + 5000, 12 * unit, 3 * unit, 9132});
    return {buffer, text.size()};
}

TEST(Progress, Message) {
    EXPECT_EQ(message(plain_progress_message), "$12.00 more and you get $3.00 off");
    EXPECT_EQ(message("{min_spend}|{currency}|{valid_until}|{program}|{segment}|{gap}{gap}"),
              "$60.5|USD|2025-01-01|stretch|families|$12.00$12.00");
    EXPECT_EQ(message("{gap}, {reward}", "JPY"),
              "\xC2\xA5"
              "12, \xC2\xA5"
              "3");
    EXPECT_EQ(message("{gap}, {reward}", "KWD"), "KWD 12.000, KWD 3.000");
}

TEST(Progress, MessagesAreChecked) {
    EXPECT_NO_THROW(check_progress_message("{gap} {min_spend} {reward} {currency} {valid_until} {program} {segment}"));
    for (const char* stray : {"{gaps}", "{gap", "gap}", "{}", "{ gap }"}) {
        EXPECT_THROW(check_progress_message(stray), Error) << stray;
    }
}

}  // namespace
}  // namespace clientele
