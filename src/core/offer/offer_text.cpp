#include "core/offer/offer_text.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string>

#include "core/offer/learned_terms.hpp"
#include "core/offer/money_text.hpp"
#include "core/profile/profile.hpp"
#include "core/score/prediction.hpp"

namespace clientele {
namespace {

using Wide = __int128;

void add_plain_value(Text& text, const Book& book, Wide value) {
    add_trimmed(text, value, value_decimals, book.decimals);
}

void add_value(Text& text, const Book& book, Wide value) {
    add_symbol(text, book);
    add_plain_value(text, book, value);
}

std::string_view times(const Book& book) { return book.unicode ? " \xC3\x97 " : " x "; }

void add_quoted(Text& text, std::string_view name) { text.add('"').add(name).add('"'); }

void add_count(Text& text, std::int64_t count, std::string_view one) {
    text.add_number(count).add(' ').add(one);
    if (count != 1) text.add('s');
}

// A median of whole days: whole or half.
void add_days(Text& text, double days) { text.add_fixed(days, days == std::floor(days) ? 0 : 1); }

void add_minute(Text& text, Instant at) {
    const Day day = day_of(at);
    const std::int64_t minute = (at - day * microseconds_a_day) / microseconds_a_second / 60;
    text.add_day(day).add(' ').add_padded(minute / 60, 2).add(':').add_padded(minute % 60, 2);
}

void add_instant(Text& text, Instant at) {
    const Day day = day_of(at);
    const std::int64_t second = (at - day * microseconds_a_day) / microseconds_a_second;
    text.add_day(day).add(' ').add_clock(static_cast<int>(second)).add(" UTC");
}

// "bucket 0.0123 of seed shop:global"; the names of the seed are given in its parts.
void add_bucket(Text& text, Fnv1a seed, std::string_view id, std::initializer_list<std::string_view> names) {
    text.add("bucket ").add_double(bucket_share(bucket_number(seed, id))).add(" of seed ");
    for (const std::string_view name : names) text.add(name);
}

// One explanation in the making: what its sentences are about.
class Explanation {
  public:
    Explanation(Text& text, const Book& book, const Decision& decision, const Customer& customer, const Program* winner)
        : text_(text),
          book_(book),
          decision_(decision),
          program_(*decision.program),
          customer_(customer),
          standing_(standing_of(book, *decision.program, customer)),
          winner_(winner) {}

    void write() {
        switch (decision_.status) {
            case Status::offered:
                text_.add("Offered: ");
                break;
            case Status::held_out:
                write_holdout();
                break;
            case Status::refused:
                write_refusal();
                break;
        }
        if (is_for_another()) return;
        if (decision_.terms.reward > 0) write_terms();
        if (!std::isnan(decision_.p_alive)) write_prospect();
    }

  private:
    bool grows() const { return program_.objective == Objective::grow_order_value; }

    void write_terms() {
        write_offer();
        write_arm();
        write_threshold();
        write_natural_share();
        write_reward();
        write_counterfactual();
        write_break_even();
    }

    void write_prospect() {
        const bool lost = decision_.p_alive < probably_alive_from;
        text_.add(lost ? " The customer is probably lost" : " The customer will probably come back");
        text_.add(" (alive with a probability of ").add_fixed(decision_.p_alive, 2).add(')');
        if (!std::isnan(customer_.facts.median_gap_days)) {
            text_.add("; their own rhythm is an order every ");
            add_days(text_, customer_.facts.median_gap_days);
            text_.add(" days");
        }
        text_.add('.');
    }

    void write_holdout() {
        text_.add("Held out: ");
        if (decision_.holdout == Holdout::global) {
            add_bucket(text_, book_.global_holdout_seed, customer_.id, {book_.seed, ":global"});
            text_.add(" is below the store's global holdout share ").add_double(book_.global_holdout);
            text_.add(", so there is no offer from any program. Otherwise: ");
            return;
        }
        add_bucket(text_, program_.holdout_seed, customer_.id, {book_.seed, ":", program_.name, ":holdout"});
        text_.add(" is below the holdout share ").add_double(program_.holdout);
        text_.add(", so there is no offer, from no other program either. Otherwise: ");
    }

    void write_refusal() {
        text_.add("Refused: ");
        bool first = true;
        for (const Reason reason : decision_.reasons.all()) {
            if (!first) text_.add("; ");
            write_reason(reason);
            first = false;
        }
        text_.add('.');
        if (decision_.terms.reward > 0 && !is_for_another()) text_.add(" Otherwise: ");
    }

    void write_reason(Reason reason) {
        switch (reason) {
            case Reason::not_in_segment:
                return write_segments();
            case Reason::no_consent:
                text_.add("the customer has not given the consent that is asked for");
                return;
            case Reason::not_started:
                text_.add("the program starts at ");
                return write_moment(program_.starts_at);
            case Reason::ended:
                text_.add("the program ended at ");
                return write_moment(program_.ends_at);
            case Reason::no_reference_value:
                return write_no_reference();
            case Reason::too_variable:
                return write_variation();
            case Reason::not_exactly_one_order:
                text_.add("the customer has ");
                add_count(text_, customer_.facts.orders, "order");
                text_.add(", exactly 1 is asked for");
                return;
            case Reason::too_soon:
            case Reason::too_late:
                write_recency();
                text_.add(", ").add_number(second_order_from_days).add(" to ").add_number(second_order_to_days);
                text_.add(" days are asked for");
                return;
            case Reason::too_few_purchase_days:
                text_.add("the customer has ");
                add_count(text_, customer_.facts.purchase_days, "purchase day");
                text_.add(", at least ").add_number(win_back_purchase_days).add(" are asked for");
                return;
            case Reason::not_overdue:
                return write_not_overdue();
            case Reason::no_reward:
                return write_no_reward();
            case Reason::outranked:
                return write_outranked();
            default:
                write_limit(reason);
        }
    }

    void write_limit(Reason reason) {
        switch (reason) {
            case Reason::contact_limit:
                return write_contacts();
            case Reason::limit_reached:
                return write_enrolments();
            case Reason::cooling_down:
                return write_cooldown();
            case Reason::outgrown:
                return write_outgrown();
            case Reason::above_maximum:
                return write_above_maximum();
            case Reason::budget_exhausted:
                return write_budget();
            default:
                write_worth(reason);
        }
    }

    // Of terms that are learnt.
    void write_worth(Reason reason) {
        switch (reason) {
            case Reason::spread_unknown:
                text_.add(
                    "it is not known how orders spread: too few of the store's customers had three orders at the "
                    "last refresh");
                return;
            case Reason::not_worth_it:
                if (decision_.terms.reward == 0) {
                    text_.add("nothing that was tried can be asked for");
                    return;
                }
                text_.add("no offer is worth making: the best is expected to earn ");
                return write_expectation();
            case Reason::budget_spent_better:
                text_.add("the budget earns more with others: of this, ");
                add_money(program_.worth.budget_price);
                text_.add(" a unit");
                return;
            case Reason::response_outdated:
                text_.add(
                    "what offers earn was learnt too long ago, or does not hold any more: "
                    "clientele.fit_response() learns it again");
                return;
            default:
                text_.add(code_of(reason));
        }
    }

    // What a customer is expected to earn is little: four decimals at least.
    void add_money(double amount) { text_.add_fixed(amount, std::max(book_.decimals, 4)).add(' ').add(book_.currency); }

    void write_expectation() {
        add_money(decision_.expected.profit);
        if (std::isnan(decision_.expected.low)) return;
        text_.add(" (with 80 % certainty more than ");
        add_money(decision_.expected.low);
        text_.add(')');
    }

    void write_segments() {
        if (customer_.segment.data() == nullptr) {
            text_.add("the customer is in no segment");
        } else {
            text_.add("the customer is in segment ");
            add_quoted(text_, customer_.segment);
        }
        text_.add(", the program is for ");
        for (const std::string_view& segment : program_.segments) {
            if (&segment != program_.segments.data()) text_.add(", ");
            add_quoted(text_, segment);
        }
    }

    void write_moment(Instant limit) {
        add_instant(text_, limit);
        text_.add(", this is as of ");
        add_instant(text_, customer_.as_of);
    }

    void write_no_reference() {
        switch (decision_.reference.basis) {
            case Basis::recent:
                text_.add("the last order was of zero");
                return;
            case Basis::typical:
                text_.add("the customer usually spends zero");
                return;
            default:
                text_.add("the customer has no order, and there is no median of others to start from");
        }
    }

    void write_variation() {
        const double found = customer_.facts.typical_cv;
        text_.add("spending varies too much: coefficient of variation ");
        // Two decimals, unless they would show the limit itself.
        if (found - program_.max_cv < 0.01) {
            text_.add_double(found);
        } else {
            text_.add_fixed(found, 2);
        }
        text_.add(", allowed ").add_double(program_.max_cv);
    }

    void write_recency() {
        text_.add("the last order was ");
        add_count(text_, customer_.facts.recency_days, "day");
        text_.add(" ago");
    }

    void write_not_overdue() {
        write_recency();
        text_.add(", at least ").add_number(win_back_from_days);
        if (!std::isnan(customer_.facts.median_gap_days)) {
            text_.add(" and more than ").add_number(win_back_gaps).add(times(book_)).add("the median gap of ");
            text_.add_double(customer_.facts.median_gap_days).add(" days");
        }
        text_.add(" are asked for");
    }

    // Whether they were shown an offer or held out of it.
    void write_contacts() {
        text_.add("all programs together have enrolled the customer ");
        add_count(text_, customer_.contacts, "time");
        text_.add(" within the period of the store's contact limit, at most ").add_number(book_.most_contacts);
        text_.add(" are allowed");
    }

    void write_enrolments() {
        text_.add("the customer was enrolled ");
        add_count(text_, standing_.exposures, "time");
        text_.add(", at most ").add_number(program_.max_per_customer).add(" are allowed");
    }

    void write_cooldown() {
        text_.add("the customer was last enrolled at ");
        add_instant(text_, standing_.last_issued_at);
        text_.add("; again from ");
        write_moment(standing_.cools_until);
    }

    // "one rung above the $60 last asked for"
    void write_step() {
        text_.add("one rung above the ");
        add_whole(text_, book_, limiting_threshold(customer_.last_threshold, customer_.as_of));
        text_.add(" last asked for");
    }

    void write_outgrown() {
        text_.add("the next offer may ask for at most ");
        add_whole(text_, book_, highest_threshold(customer_.last_threshold, customer_.as_of));
        text_.add(", ");
        write_step();
        text_.add(grows() ? ", not more than the " : ", less than the ").add(basis_words()).add(" of ");
        add_value(text_, book_, decision_.reference.value);
    }

    void write_above_maximum() {
        text_.add("the program asks for at most ");
        add_whole(text_, book_, program_.max_min_spend);
        text_.add(grows() ? ", not more than the " : ", less than the ").add(basis_words()).add(" of ");
        add_value(text_, book_, decision_.reference.value);
    }

    void write_budget() {
        text_.add("the budget has ");
        add_reward(text_, book_, std::max<std::int64_t>(standing_.remaining, 0));
        text_.add(" left, up to ");
        add_reward(text_, book_, decision_.greatest_reward);
        text_.add(" are needed");
    }

    // Of the arm without a reward, which need not be the customer's.
    void write_no_reward() {
        text_.add(program_.gives_thing() ? "the reward costs more than is at stake"
                                         : "the reward would be below the smallest unit of the currency");
        for (std::size_t index = 0; index < program_.arm_count() + program_.combinations.size(); ++index) {
            const Arm arm = program_.arm(index);
            const Terms terms = terms_of(book_, program_, arm, decision_.reference, decision_.margin.value,
                                         highest_threshold(customer_.last_threshold, customer_.as_of));
            if (!(arm.weight > 0) || terms.reward > 0) continue;
            if (arm.explored || !program_.arms.empty()) add_quoted(text_.add(" in arm "), arm.name);
            text_.add(": ");
            return write_reward_rule(terms);
        }
    }

    void write_outranked() {
        if (customer_.open) return write_open();
        text_.add("eligible, but program ");
        add_quoted(text_, winner_->name);
        text_.add(" comes first (priority ").add_number(winner_->priority).add(" before ");
        text_.add_number(program_.priority).add(')');
        if (is_held_out_globally(book_, customer_)) {
            text_.add(", and the store holds the customer out of everything");
        } else if (is_held_out(*winner_, customer_)) {
            text_.add(", and holds the customer out");
        }
    }

    void write_open() {
        text_.add("the customer ").add(customer_.open->held_out ? "is held out of " : "has an offer of ");
        add_quoted(text_.add("program "), customer_.open->program);
        text_.add(" until ");
        add_minute(text_, customer_.open->valid_until);
    }

    // Whether an exposure of another program is all that speaks against this one; then its terms are nobody's concern.
    bool is_for_another() const { return customer_.open && decision_.reasons.has(Reason::outranked); }

    void write_offer() {
        text_.add("spend ");
        add_whole(text_, book_, decision_.terms.min_spend);
        add_given(text_.add(" or more, get "), book_, program_, decision_.terms);
        add_off(text_, program_);
        for (const Tier& tier : decision_.terms.tiers_above()) {
            add_whole(text_.add("; "), book_, tier.min_spend);
            add_given(text_.add(" or more, "), book_, program_, tier);
        }
        text_.add('.');
    }

    void write_basis() {
        const std::int64_t value = decision_.reference.value;
        switch (decision_.reference.basis) {
            case Basis::recent:
                text_.add(" The last order was ");
                add_value(text_, book_, decision_.reference.bounded ? customer_.facts.last_value : value);
                text_.add(" (below ").add_number(typical_from_orders).add(" orders, the last one counts");
                if (decision_.reference.bounded) {
                    text_.add(", for no more than what 95 % of the store's customers usually spend at most, ");
                    add_value(text_, book_, value);
                }
                text_.add(')');
                return;
            case Basis::typical:
                text_.add(" The customer usually spends ");
                add_value(text_, book_, value);
                text_.add(" (median of the last ");
                text_.add_number(std::min<std::int64_t>(customer_.facts.orders, recent_capacity)).add(" orders)");
                return;
            default:
                text_.add(decision_.reference.basis == Basis::segment ? " Customers of the segment usually spend "
                                                                      : " Customers of the store usually spend ");
                add_value(text_, book_, value);
                text_.add(" (median; this one has no order)");
        }
    }

    void write_threshold() {
        write_basis();
        const Wide stretch = grows() ? decision_.arm.stretch : rate_unit;
        const Wide target = decision_.reference.value * stretch;
        if (decision_.origin == Origin::learned) return write_choice();
        const bool stretches = decision_.arm.terms == TermsRule::stretch;
        if (!stretches) {
            write_spread();
        } else if (grows()) {
            text_.add("; ");
            add_trimmed(text_, decision_.arm.stretch, rate_decimals, 0);
            text_.add(times(book_));
            add_plain_value(text_, book_, decision_.reference.value);
            text_.add(" = ");
            add_trimmed(text_, target, value_decimals + rate_decimals, book_.decimals);
        }
        if (decision_.terms.limited || decision_.terms.at_max_spend) {
            text_.add(", but at most ");
            add_whole(text_, book_, decision_.terms.min_spend);
            text_.add(" is asked for, ");
            decision_.terms.limited ? write_step() : static_cast<void>(text_.add("the most that the program asks for"));
            text_.add('.');
        } else if (stretches && target == static_cast<Wide>(decision_.terms.min_spend) * value_unit * rate_unit) {
            text_.add(", which is a rung.");
        } else {
            text_.add(", the next rung is ");
            add_whole(text_, book_, decision_.terms.min_spend);
            text_.add('.');
        }
    }

    void write_choice() {
        text_.add("; of what was tried, this is expected to earn most: ");
        write_expectation();
        text_.add('.');
    }

    // "; by the own orders the next exceeds 57.31 in 2.3 % of cases (2 standard deviations)"
    void write_spread() {
        const double amount = spread_amount(program_, decision_.reference);
        text_.add("; by the own orders the next one exceeds ").add_fixed(amount, book_.decimals).add(" in ");
        text_.add_fixed(100 * natural_share(decision_.reference.next_order, amount), 1).add(" % of cases (");
        add_trimmed(text_, program_.spread, rate_decimals, 0);
        text_.add(program_.spread == rate_unit ? " standard deviation)" : " standard deviations)");
    }

    // What the offer pays for nothing.
    void write_natural_share() {
        if (!grows() || !decision_.reference.knows_spread()) return;
        const double share =
            natural_share(decision_.reference.next_order, static_cast<double>(decision_.terms.min_spend));
        text_.add(" Reaches ");
        add_whole(text_, book_, decision_.terms.min_spend);
        text_.add(" in ").add_fixed(100 * share, 1).add(" % of orders anyway.");
    }

    void write_arm() {
        if (decision_.origin == Origin::not_learned_yet) {
            text_.add(" Nothing was learnt yet of what offers earn, so that this is by the spread of the own orders.");
        }
        if (decision_.arm.explored) return write_combination();
        if (program_.arms.empty()) return;
        add_quoted(text_.add(" That is arm "), decision_.arm.name);
        text_.add(", which a share of ").add_double(decision_.arm.weight).add(" of the customers is in (");
        add_bucket(text_, program_.arm_seed, customer_.id, {book_.seed, ":", program_.name, ":arm"});
        text_.add(").");
    }

    void write_combination() {
        text_.add(" That is one of ").add_number(static_cast<std::int64_t>(program_.combinations.size()));
        text_.add(" combinations that a share of ").add_double(program_.explore_share);
        text_.add(" of the enrolments explores (bucket ")
            .add_fixed(bucket_share(explore_bucket(program_, customer_)), 4);
        text_.add(" of seed ").add(book_.seed).add(":").add(program_.name).add(":explore, unit ").add(customer_.id);
        text_.add(":").add_number(customer_.period).add(").");
    }

    // "5 % of $50", or what the margin allows.
    void write_reward_rule(const Tier& tier) {
        if (program_.gives_thing()) return write_cost(tier);
        if (program_.gives_share()) return write_share(tier);
        if (tier.at_max_reward) {
            add_reward(text_, book_, tier.reward);
            text_.add(", the most that the program gives");
        } else if (tier.capped) {
            write_half_margin(tier);
        } else {
            write_rate(tier);
        }
    }

    void write_rate(const Tier& tier) {
        add_percent(text_, tier.rate);
        text_.add(" of ");
        add_whole(text_, book_, tier.min_spend);
    }

    // "4 % of the order, at most $10.00"; where the margin bounds it, "..., of $70 no more than half the margin of 30 %
    // on the extra $20"
    void write_share(const Tier& tier) {
        add_percent(text_, tier.share);
        add_reward(text_.add(" of the order, at most "), book_, program_.reward_cap);
        if (!tier.capped) return;
        add_whole(text_.add(", of "), book_, tier.min_spend);
        text_.add(" no more than ");
        write_half_margin(tier);
    }

    void write_half_margin(const Tier& tier) {
        text_.add("half the margin of ");
        write_margin();
        text_.add(" on ");
        if (!grows()) return add_whole(text_, book_, tier.min_spend);
        text_.add("the extra ");
        add_value(text_, book_, Wide{tier.min_spend} * value_unit - decision_.reference.value);
    }

    // "$4.00, more than half the margin of 30 % on the extra $20"
    void write_cost(const Tier& tier) {
        add_reward(text_, book_, program_.reward_cost);
        text_.add(tier.reward > 0 ? ", no more than " : ", more than ");
        write_half_margin(tier);
    }

    // "30 %", and where it comes from, unless it is the same for everybody.
    void write_margin() {
        add_percent(text_, decision_.margin.value);
        if (!book_.margins.differ()) return;
        switch (decision_.margin.source) {
            case MarginSource::categories:
                text_.add(" (that of what the customer buys)");
                return;
            case MarginSource::segment:
                add_quoted(text_.add(" (that of segment "), customer_.segment);
                text_.add(')');
                return;
            default:
                text_.add(" (the store's)");
        }
    }

    void write_reward() {
        text_.add(program_.gives_thing() ? " The reward costs " : " The reward is ");
        write_reward_of(decision_.terms);
        for (const Tier& tier : decision_.terms.tiers_above()) {
            add_whole(text_.add(" From "), book_, tier.min_spend);
            text_.add(" on it is ");
            write_reward_of(tier);
        }
    }

    void write_reward_of(const Tier& tier) {
        write_reward_rule(tier);
        if (tier.capped) {
            text_.add(", less than ");
            program_.gives_share() ? add_percent(text_, tier.rate) : write_rate(tier);
        }
        text_.add('.');
    }

    // Where the last offer does not forbid to ask for more.
    void write_counterfactual() {
        if (decision_.arm.explored) return;
        const std::int64_t highest = highest_threshold(customer_.last_threshold, customer_.as_of);
        const std::int64_t units = next_step_value(book_, program_, decision_.arm, decision_.terms);
        if (units == 0 || decision_.terms.min_spend >= highest || decision_.terms.at_max_spend) return;
        if (is_beyond_bound(units)) return;
        text_.add(" Would be asked for ");
        add_whole(text_, book_, std::min(asked_from(book_, program_, decision_.arm, units), highest));
        text_.add(" from a ").add(basis_words()).add(" of ");
        text_.add_decimal(units, book_.decimals).add('.');
    }

    // Whether the last order would count for less than this.
    bool is_beyond_bound(std::int64_t units) const {
        if (decision_.reference.basis != Basis::recent || customer_.fallback.basis != Basis::recent) return false;
        const std::int64_t value = units * (value_unit / power_of_ten(book_.decimals));
        return customer_.fallback.known() && value > customer_.fallback.value;
    }

    std::string_view basis_words() const {
        switch (decision_.reference.basis) {
            case Basis::recent:
                return "last order";
            case Basis::typical:
                return "typical value";
            case Basis::segment:
                return "segment median";
            default:
                return "store median";
        }
    }

    void write_break_even() {
        const BreakEven needs = break_even(book_, customer_, decision_);
        if (!needs.known()) return;
        if (needs.share > 1) {
            text_.add(" Cannot break even, whoever redeems it.");
            return;
        }
        text_.add(" Breaks even");
        if (book_.margins.differ()) {
            text_.add(", at a margin of ");
            write_margin();
            text_.add(',');
        }
        text_.add(needs.at_least ? " if at least " : " if ").add_fixed(100 * needs.share, 1);
        text_.add(grows() ? " % of redeemers would not have spent it anyway."
                          : " % of redeemers would not have ordered anyway.");
    }

    Text& text_;
    const Book& book_;
    const Decision& decision_;
    const Program& program_;
    const Customer& customer_;
    const Standing& standing_;
    const Program* winner_;
};

}  // namespace

void add_p_alive_reason(Text& text, const Decision& decision) { text.add("p_alive=").add_fixed(decision.p_alive, 2); }

void add_rhythm_reason(Text& text, const CustomerFacts& facts) {
    text.add("median_days_between_orders=");
    add_days(text, facts.median_gap_days);
}

void add_explanation(Text& text, const Book& book, const Decision& decision, const Customer& customer,
                     const Program* winner) {
    Explanation(text, book, decision, customer, winner).write();
}

}  // namespace clientele
