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

inline constexpr std::string_view plain_progress_message = "{gap} more and you get {reward} off";

// The message with its placeholders filled in; amounts in smallest units. Of the book the currency counts alone.
void add_progress_message(Text& text, std::string_view message, const Book& book, std::int64_t gap,
                          std::int64_t reward);

}  // namespace clientele
