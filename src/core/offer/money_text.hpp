// Amounts, shares and rewards as offers speak of them.
#pragma once

#include "core/base/text.hpp"
#include "core/offer/offer.hpp"

namespace clientele {

inline constexpr int rate_decimals = 6;

// value / 10^decimals without the zeros behind the decimals that it must show.
void add_trimmed(Text& text, __int128 value, int decimals, int at_least);

// "$", or "CHF ".
void add_symbol(Text& text, const Book& book);

// Whole units of the currency, and smallest ones.
void add_whole(Text& text, const Book& book, std::int64_t amount);
void add_reward(Text& text, const Book& book, std::int64_t amount);

// "4 %", of millionths.
void add_percent(Text& text, std::int64_t rate);

// "$3.00", "4 %", or what is given in the place of an amount; and what follows where it is one: " off".
void add_given(Text& text, const Book& book, const Program& program, const Tier& tier);
void add_off(Text& text, const Program& program);

}  // namespace clientele
