#include "core/offer/money_text.hpp"

namespace clientele {
namespace {

std::string_view symbol_of(const Book& book) {
    if (book.currency == "USD") return "$";
    if (!book.unicode) return {};
    if (book.currency == "EUR") return "\xE2\x82\xAC";
    if (book.currency == "GBP") return "\xC2\xA3";
    if (book.currency == "JPY") return "\xC2\xA5";
    return {};
}

}  // namespace

void add_trimmed(Text& text, __int128 value, int decimals, int at_least) {
    for (; decimals > at_least && value % 10 == 0; --decimals) value /= 10;
    text.add_decimal(value, decimals);
}

void add_symbol(Text& text, const Book& book) {
    const std::string_view symbol = symbol_of(book);
    if (symbol.empty()) {
        text.add(book.currency).add(' ');
    } else {
        text.add(symbol);
    }
}

void add_whole(Text& text, const Book& book, std::int64_t amount) {
    add_symbol(text, book);
    text.add_number(amount);
}

void add_reward(Text& text, const Book& book, std::int64_t amount) {
    add_symbol(text, book);
    text.add_decimal(amount, book.decimals);
}

void add_percent(Text& text, std::int64_t rate) {
    add_trimmed(text, rate, rate_decimals - 2, 0);
    text.add(" %");
}

void add_given(Text& text, const Book& book, const Program& program, const Tier& tier) {
    if (program.gives_amount()) return add_reward(text, book, tier.reward);
    if (program.gives_share()) return add_percent(text, tier.share);
    text.add(reward_name(program.reward_kind, program.gift));
}

void add_off(Text& text, const Program& program) {
    if (!program.gives_thing()) text.add(" off");
}

}  // namespace clientele
