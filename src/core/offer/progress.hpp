// How far a basket is from what an offer asks for.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/text.hpp"
#include "core/offer/offer.hpp"
#include "core/profile/profile.hpp"

namespace clientele {

// What is missing, in smallest units of the currency, rounded up: whoever adds that much has reached it. 0: reached.
// The amounts have money_decimals.
std::int64_t gap_between(__int128 min_spend, __int128 basket, int currency_decimals);

// Said of what is no amount without the "off", and of a share with its cap.
inline constexpr std::string_view plain_progress_message = "{gap} more and you get {reward} off";

// Refuses a message with a placeholder that has no value.
void check_progress_message(std::string_view message);

// What such a message tells of.
struct ProgressWords {
    std::string_view message;
    std::string_view program;
    std::string_view segment;
    __int128 min_spend = 0;   // with money_decimals
    std::int64_t gap = 0;     // in smallest units of the currency
    std::int64_t reward = 0;  // in smallest units of the currency
    Day last_day = 0;
    std::string_view reward_name = {};  // without data: an amount, or a share
    std::int64_t share = 0;             // of the order, in millionths; 0: it is none
    std::int64_t cap = 0;               // of what a share gives, in smallest units of the currency
};

// The message with its placeholders filled in. Of the book the currency counts alone.
void add_progress_message(Text& text, const Book& book, const ProgressWords& words);

}  // namespace clientele
