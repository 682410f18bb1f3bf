// What an arm of a program asks a customer for, and what it gives.
#include <algorithm>
#include <cmath>

#include "core/offer/offer.hpp"
#include "core/profile/profile.hpp"

namespace clientele {
namespace {

using Wide = __int128;

// In 64 bits where the numbers allow it: dividing 128 bits takes ten times as long.
Wide divide(Wide dividend, std::int64_t divisor) {
    if (dividend <= INT64_MAX) return static_cast<std::int64_t>(dividend) / divisor;
    return dividend / divisor;
}

std::int64_t divide_up(Wide dividend, std::int64_t divisor) {
    return static_cast<std::int64_t>(divide(dividend + divisor - 1, divisor));
}

// What the offer brings in, and half the margin is taken of: the extra spend where an order would have come anyway,
// else all of it.
Wide spend_at_stake(Objective objective, Wide reference_value, Wide min_spend) {
    return objective == Objective::grow_order_value ? min_spend - reference_value : min_spend;
}

// The smallest rung at or above what the own orders spread to, but above the reference value in any case.
std::int64_t spread_rung(const Program& program, const Reference& reference) {
    const double amount = spread_amount(program, reference);
    const auto spread_to = static_cast<std::int64_t>(std::ceil(std::min(amount, static_cast<double>(highest_rung))));
    return std::max(ladder_rung(spread_to), ladder_rung(reference.value / value_unit + 1));
}

// The smallest rung at or above what the arm stretches the reference value to, of other objectives at or above itself.
std::int64_t stretched_rung(const Program& program, const Arm& arm, const Reference& reference) {
    const bool grows = program.objective == Objective::grow_order_value;
    const Wide target = static_cast<Wide>(reference.value) * (grows ? arm.stretch : rate_unit);
    return ladder_rung(divide_up(target, value_unit * rate_unit));
}

// The threshold: the rung that the rule says, unless that is too much.
void set_threshold(const Program& program, const Arm& arm, const Reference& reference, std::int64_t highest,
                   Terms& terms) {
    const std::int64_t rung =
        arm.terms == TermsRule::stretch ? stretched_rung(program, arm, reference) : spread_rung(program, reference);
    terms.at_max_spend = program.max_min_spend < std::min(rung, highest);
    terms.limited = highest < rung && !terms.at_max_spend;
    terms.min_spend = std::min({rung, highest, program.max_min_spend});
}

// An amount: the program's share of the threshold, but no more than half the margin, nor than the program gives.
void set_amount(const Program& program, Wide by_rate, Wide by_margin, Tier& tier) {
    tier.at_max_reward = program.max_reward < std::min(by_rate, by_margin);
    tier.capped = by_margin < by_rate && !tier.at_max_reward;
    tier.reward = static_cast<std::int64_t>(std::min<Wide>({by_rate, by_margin, program.max_reward}));
}

// A share of the order that at the threshold, and so above it, is no more than half the margin; in whole percents where
// that is less than the program's.
void set_share(const Book& book, const Program& program, Wide by_margin, Tier& tier) {
    constexpr std::int64_t percent = rate_unit / 100;
    const std::int64_t spend = tier.min_spend * power_of_ten(book.decimals);
    const bool bounded = program.reward_cap > by_margin;
    const auto allowed = bounded ? static_cast<std::int64_t>(divide(by_margin * rate_unit, spend)) : rate_unit;
    tier.capped = allowed < tier.rate;
    tier.share = tier.capped ? allowed / percent * percent : tier.rate;
    const Wide value = Wide{tier.min_spend} * power_of_ten(money_decimals);
    tier.reward = share_of(tier.share, value, program.reward_cap, book.decimals);
    tier.at_max_reward = tier.reward == program.reward_cap;
}

// The reward at a threshold: what the margin allows of it, unless it is explored. What is no amount is given whole, or
// not at all.
void set_reward(const Book& book, const Program& program, const Arm& arm, const Reference& reference,
                std::int64_t margin, Tier& tier) {
    const std::int64_t units = power_of_ten(book.decimals);
    const Wide spend = static_cast<Wide>(tier.min_spend) * value_unit;
    const Wide stake = spend_at_stake(program.objective, reference.value, spend);
    const Wide by_rate = divide(static_cast<Wide>(tier.min_spend) * arm.reward_rate * units, rate_unit);
    const Wide by_margin = arm.explored ? by_rate : divide(stake * margin * units, 2 * value_unit * rate_unit);
    tier.rate = arm.reward_rate;
    if (program.gives_amount()) return set_amount(program, by_rate, by_margin, tier);
    if (program.gives_share()) return set_share(book, program, by_margin, tier);
    tier.reward = program.reward_cost <= by_margin ? program.reward_cost : 0;
}

// Whether an order that reaches a tier is given more than by the one below it.
bool gives_more(const Book& book, const Program& program, const Tier& tier, const Tier& below) {
    if (tier.min_spend <= below.min_spend) return false;
    if (!program.gives_share()) return tier.reward > below.reward;
    const Wide value = Wide{tier.min_spend} * power_of_ten(money_decimals);
    return tier.reward > share_of(below.share, value, program.reward_cap, book.decimals);
}

// One rung above the last bounds the first tier alone: what is above it is nobody's threshold yet.
void set_tiers_above(const Book& book, const Program& program, const Arm& arm, const Reference& reference,
                     std::int64_t margin, Terms& terms) {
    const Tier* below = &terms;
    for (const Step& step : arm.above) {
        const Arm stepped{.stretch = step.stretch, .reward_rate = step.reward_rate};
        Terms above;
        set_threshold(program, stepped, reference, highest_rung, above);
        set_reward(book, program, stepped, reference, margin, above);
        if (!gives_more(book, program, above, *below)) continue;
        terms.above[terms.count_above] = static_cast<const Tier&>(above);
        below = &terms.above[terms.count_above++];
    }
}

}  // namespace

double spread_amount(const Program& program, const Reference& reference) {
    const double spread = static_cast<double>(program.spread) / static_cast<double>(rate_unit);
    return std::exp(reference.next_order.mu + spread * reference.next_order.sigma);
}

Terms terms_of(const Book& book, const Program& program, const Arm& arm, const Reference& reference,
               std::int64_t margin, std::int64_t highest) {
    Terms terms;
    set_threshold(program, arm, reference, arm.explored ? highest_rung : highest, terms);
    set_reward(book, program, arm, reference, margin, terms);
    if (!arm.above.empty() && terms.reward > 0) set_tiers_above(book, program, arm, reference, margin, terms);
    return terms;
}

std::int64_t greatest_cost(const Program& program, const Terms& terms) {
    if (program.gives_share()) return terms.reward > 0 ? program.reward_cap : 0;
    return terms.count_above == 0 ? terms.reward : terms.tiers_above().back().reward;
}

Terms terms_at(const Book& book, const Program& program, const Arm& arm, const Reference& reference,
               std::int64_t margin, std::int64_t min_spend) {
    Terms terms;
    terms.min_spend = min_spend;
    set_reward(book, program, arm, reference, margin, terms);
    return terms;
}

std::int64_t next_step_value(const Book& book, const Program& program, const Arm& arm, const Terms& terms) {
    if (arm.terms != TermsRule::stretch || terms.min_spend == 0 || terms.min_spend >= highest_rung) return 0;
    const bool grows = program.objective == Objective::grow_order_value;
    const Wide rung = static_cast<Wide>(terms.min_spend) * power_of_ten(book.decimals) * rate_unit;
    const Wide value = rung / (grows ? arm.stretch : rate_unit) + 1;
    return value * (value_unit / power_of_ten(book.decimals)) < max_value ? static_cast<std::int64_t>(value) : 0;
}

std::int64_t asked_from(const Book& book, const Program& program, const Arm& arm, std::int64_t units) {
    const std::int64_t value = units * (value_unit / power_of_ten(book.decimals));
    return terms_of(book, program, arm, {Basis::typical, value}, 0).min_spend;
}

}  // namespace clientele
