// The messages of offers, their placeholders filled in; those that are not named are written here.
#include "core/base/template.hpp"
#include "core/offer/money_text.hpp"
#include "core/offer/offer_text.hpp"
#include "core/offer/progress.hpp"

namespace clientele {
namespace {

template <class Use>
void for_each_tier(const Terms& terms, const Use& use) {
    use(static_cast<const Tier&>(terms));
    for (const Tier& tier : terms.tiers_above()) use(tier);
}

// ", up to $10.00", of a share.
void add_cap(Text& text, const Book& book, std::int64_t cap) { add_reward(text.add(", up to "), book, cap); }

// "Spend $70 or more and get $3.50 off, $90 or more and get $6.30 off"
void add_plain_message(Text& text, const Book& book, const Decision& decision) {
    const Program& program = *decision.program;
    std::string_view before = "Spend ";
    for_each_tier(decision.terms, [&](const Tier& tier) {
        add_whole(text.add(before), book, tier.min_spend);
        add_given(text.add(" or more and get "), book, program, tier);
        add_off(text, program);
        before = ", ";
    });
    if (program.gives_share()) add_cap(text, book, program.reward_cap);
}

// "$3.50 from $70, $6.30 from $90"
void add_tiers(Text& text, const Book& book, const Decision& decision) {
    std::string_view before;
    for_each_tier(decision.terms, [&](const Tier& tier) {
        add_given(text.add(before), book, *decision.program, tier);
        add_whole(text.add(" from "), book, tier.min_spend);
        before = ", ";
    });
}

void add_most(Text& text, const Book& book, const Decision& decision) {
    const Program& program = *decision.program;
    if (program.gives_thing()) return add_given(text, book, program, decision.terms);
    add_reward(text, book, greatest_cost(program, decision.terms));
}

void add_placeholder(Text& text, std::string_view name, const Book& book, const Decision& decision,
                     std::string_view segment, Day last_day) {
    if (name == "min_spend") {
        add_whole(text, book, decision.terms.min_spend);
    } else if (name == "reward") {
        add_given(text, book, *decision.program, decision.terms);
    } else if (name == "most") {
        add_most(text, book, decision);
    } else if (name == "tiers") {
        add_tiers(text, book, decision);
    } else if (name == "currency") {
        text.add(book.currency);
    } else if (name == "valid_until") {
        text.add_day(last_day);
    } else if (name == "program") {
        text.add(decision.program->name);
    } else if (name == "segment") {
        text.add(segment);
    }
}

void add_progress_reward(Text& text, const Book& book, const ProgressWords& words) {
    if (words.share > 0) return add_percent(text, words.share);
    if (words.reward_name.data() == nullptr) return add_reward(text, book, words.reward);
    text.add(words.reward_name);
}

void add_progress_placeholder(Text& text, std::string_view name, const Book& book, const ProgressWords& words) {
    if (name == "gap") {
        add_reward(text, book, words.gap);
    } else if (name == "min_spend") {
        add_symbol(text, book);
        add_trimmed(text, words.min_spend, money_decimals, 0);
    } else if (name == "reward") {
        add_progress_reward(text, book, words);
    } else if (name == "most") {
        words.share > 0 ? add_reward(text, book, words.cap) : add_progress_reward(text, book, words);
    } else if (name == "currency") {
        text.add(book.currency);
    } else if (name == "valid_until") {
        text.add_day(words.last_day);
    } else if (name == "program") {
        text.add(words.program);
    } else if (name == "segment") {
        text.add(words.segment);
    }
}

}  // namespace

void add_message(Text& text, const Book& book, const Decision& decision, std::string_view segment, Day last_day) {
    if (decision.program->message == plain_message) return add_plain_message(text, book, decision);
    fill(
        decision.program->message, [&](std::string_view part) { text.add(part); },
        [&](std::string_view name) { add_placeholder(text, name, book, decision, segment, last_day); });
}

void add_progress_message(Text& text, const Book& book, const ProgressWords& words) {
    constexpr std::string_view off = " off";
    const bool plain = words.message == plain_progress_message;
    const bool is_thing = words.reward_name.data() != nullptr;
    fill(
        plain && is_thing ? words.message.substr(0, words.message.size() - off.size()) : words.message,
        [&](std::string_view part) { text.add(part); },
        [&](std::string_view name) { add_progress_placeholder(text, name, book, words); });
    if (plain && words.share > 0) add_cap(text, book, words.cap);
}

}  // namespace clientele
