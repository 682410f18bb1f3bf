#include "core/offer/learned_terms.hpp"

#include <cmath>

#include "core/score/prediction.hpp"

namespace clientele {
namespace {

constexpr int rate_steps = 5;  // between the least and the greatest that was tried
constexpr double guard_quantile = 0.2;

struct Option {
    Terms terms;
    std::int64_t rate;
};

// A sensitive segment has no margin of its own here: nobody is asked for other terms for being in it.
std::int64_t fair_margin(const Book& book, const Customer& customer, const CustomerMargin& margin) {
    const bool own = margin.source == MarginSource::segment;
    return own && book.response->is_sensitive(customer.segment) ? book.margins.store : margin.value;
}

// By threshold, then by reward. What the margin or the program's limits leave of a reward must have been tried as well.
std::vector<Option> options(const Book& book, const Customer& customer, std::int64_t highest,
                            const Decision& decision) {
    const std::int64_t margin = fair_margin(book, customer, decision.margin);
    const Program& program = *decision.program;
    const auto& [stretch, rate] = std::pair{book.response->stretch, book.response->reward_rate};
    const Arm least{.stretch = stretch.least}, greatest{.stretch = stretch.greatest};
    const Terms lowest = terms_of(book, program, least, decision.reference, margin);
    const std::int64_t top = terms_of(book, program, greatest, decision.reference, margin, highest).min_spend;
    std::vector<Option> options;
    if (lowest.at_max_spend) return options;
    for (std::int64_t rung = lowest.min_spend; rung <= top; rung = rung_above(rung)) {
        const Arm tried{.reward_rate = rate.least, .explored = true};
        std::int64_t before = terms_at(book, program, tried, decision.reference, margin, rung).reward - 1;
        for (int step = 0; step <= rate_steps; ++step) {
            const Arm arm{.reward_rate = rate.least + (rate.greatest - rate.least) * step / rate_steps};
            const Terms terms = terms_at(book, program, arm, decision.reference, margin, rung);
            if (terms.reward <= before || terms.reward == 0) continue;
            options.push_back({terms, arm.reward_rate});
            before = terms.reward;
        }
        if (rung == highest_rung) break;
    }
    return options;
}

double orders_to_expect(const Book& book, const Customer& customer) {
    const CustomerFacts& facts = customer.facts;
    const ResponseModel& response = *book.response;
    if (!book.has_purchase_model || facts.purchase_days < 1 || facts.recency_days < 0) {
        return response.expected_orders(static_cast<double>(facts.orders), customer.as_of);
    }
    const double t_x = facts.last_purchase_age_days;
    return expected_orders(book.purchase_model,
                           {static_cast<double>(facts.purchase_days - 1), t_x, t_x + facts.recency_days},
                           {response.horizon_days});
}

Prospect prospect_of(const Book& book, const Customer& customer, const Decision& decision) {
    Prospect prospect;
    prospect.value = decision.reference.next_order;
    prospect.value.mu += customer.season;
    prospect.orders = orders_to_expect(book, customer);
    prospect.segment = book.response->segment_of(customer.segment);
    prospect.margin = static_cast<double>(fair_margin(book, customer, decision.margin)) / rate_unit;
    return prospect;
}

OfferTerms in_currency(const Book& book, const Tier& terms) {
    return {static_cast<double>(terms.min_spend),
            static_cast<double>(terms.reward) / static_cast<double>(power_of_ten(book.decimals))};
}

// The options' profits, by one response, less what making the offer costs.
template <class Use>
void for_each_profit(const Book& book, const Prospect& prospect, const Worth& worth, std::span<const Option> options,
                     const Use& use) {
    const ResponseBelief& belief = book.response->belief;
    std::optional<OfferProfit> profit;
    for (std::size_t i = 0; i < options.size(); ++i) {
        const OfferTerms terms = in_currency(book, options[i].terms);
        if (i == 0 || options[i].terms.min_spend != options[i - 1].terms.min_spend) {
            profit.emplace(belief.mode(), prospect, belief.economics(), terms.min_spend);
        }
        use(options[i], terms, *profit, profit->at(terms.reward, belief.sure_extra_orders()) - worth.contact_cost);
    }
}

double low_profit(const Book& book, const Prospect& prospect, const Worth& worth, const OfferTerms& terms) {
    return quantile_of(book.response->belief.profits(prospect, terms), guard_quantile) - worth.contact_cost;
}

std::optional<Reason> reason_against(const LearnedTerms& found, const Worth& worth, double reward) {
    const bool earns = found.expected.profit > 0 && found.expected.low > 0 && found.expected.profit >= worth.min_profit;
    if (!earns || reward < worth.min_reward) return Reason::not_worth_it;
    if (!(found.expected.profit > worth.budget_price * reward)) return Reason::budget_spent_better;
    return std::nullopt;
}

// Whose limits and prices hold where nobody asks for a program.
const Program& learning_program(const Book& book, const Customer& customer) {
    static constexpr Program without_limits;
    for (const Program& program : book.programs) {
        if (program.uses(TermsRule::learned) && program.serves(customer.segment)) return program;
    }
    return without_limits;
}

void mark(const LearnedTerms& chosen, std::vector<CurvePoint>& curve) {
    if (chosen.against) return;
    for (CurvePoint& point : curve) {
        point.chosen = point.terms.min_spend == chosen.terms.min_spend && point.terms.reward == chosen.terms.reward;
    }
}

}  // namespace

LearnedTerms learned_terms(const Book& book, const Customer& customer, std::int64_t highest, const Decision& decision) {
    const Worth& worth = decision.program->worth;
    const double price = worth.budget_price;
    const Prospect prospect = prospect_of(book, customer, decision);
    LearnedTerms found;
    OfferTerms best;
    double greatest = -HUGE_VAL;
    for_each_profit(book, prospect, worth, options(book, customer, highest, decision),
                    [&](const Option& option, const OfferTerms& terms, const OfferProfit&, double profit) {
                        if (!(profit - price * terms.reward > greatest)) return;
                        greatest = profit - price * terms.reward;
                        found.terms = option.terms;
                        found.reward_rate = option.rate;
                        found.expected.profit = profit;
                        best = terms;
                    });
    found.against = Reason::not_worth_it;
    if (found.terms.reward == 0) return found;
    // Where it loses at the mode, what it loses at worst is nobody's concern.
    if (found.expected.profit > 0) found.expected.low = low_profit(book, prospect, worth, best);
    found.against = reason_against(found, worth, best.reward);
    if (book.response->is_outdated(customer.as_of)) found.against = Reason::response_outdated;
    return found;
}

std::vector<PricedOffer> worthwhile_offers(const Book& book, const Customer& customer, std::int64_t highest,
                                           const Decision& decision) {
    if (book.response->is_outdated(customer.as_of)) return {};
    const Worth& worth = decision.program->worth;
    const Prospect prospect = prospect_of(book, customer, decision);
    const std::vector<Option> all = options(book, customer, highest, decision);
    std::vector<PricedOffer> offers;
    std::vector<OfferTerms> terms_of_offers;
    for_each_profit(book, prospect, worth, all,
                    [&](const Option& option, const OfferTerms& terms, const OfferProfit&, double profit) {
                        if (!(profit > 0) || profit < worth.min_profit || terms.reward < worth.min_reward) return;
                        offers.push_back({0, option.terms.reward, profit});
                        terms_of_offers.push_back(terms);
                    });
    std::vector<PricedOffer> sure;
    for (const std::size_t corner : upper_hull(offers)) {
        if (low_profit(book, prospect, worth, terms_of_offers[corner]) > 0) sure.push_back(offers[corner]);
    }
    return sure;
}

std::vector<double> offer_profits(const Book& book, const Customer& customer, const Program& program,
                                  std::int64_t min_spend, std::int64_t reward) {
    Decision decision;
    decision.program = &program;
    decision.reference = reference_of(customer);
    decision.margin = margin_of(book, customer);
    const bool known = book.response != nullptr && decision.reference.knows_spread();
    if (!known || program.objective != Objective::grow_order_value) return {};
    const ResponseBelief& belief = book.response->belief;
    const Prospect prospect = prospect_of(book, customer, decision);
    const OfferTerms terms = in_currency(book, {.min_spend = min_spend, .reward = reward});
    std::vector<double> profits = belief.profits(prospect, terms);
    profits.insert(profits.begin(), belief.profit(prospect, terms));
    for (double& profit : profits) profit -= program.worth.contact_cost;
    return profits;
}

BreakEven break_even(const Book& book, const Customer& customer, const Decision& decision) {
    if (decision.terms.reward == 0) return {};
    const OfferTerms terms = in_currency(book, decision.terms);
    const double margin = static_cast<double>(decision.margin.value) / rate_unit;
    if (decision.program->objective != Objective::grow_order_value) {
        return {terms.reward / (margin * terms.min_spend)};  // there would have been no order
    }
    if (!decision.reference.knows_spread()) return {};
    if (book.response != nullptr && !book.response->is_outdated(customer.as_of)) {
        const ResponseBelief& belief = book.response->belief;
        const Prospect prospect = prospect_of(book, customer, decision);
        return {
            OfferProfit(belief.mode(), prospect, belief.economics(), terms.min_spend).break_even_share(terms.reward)};
    }
    OrderValue next = decision.reference.next_order;
    next.mu += customer.season;
    return {terms.reward / (margin * (terms.min_spend - mean_below(next, terms.min_spend))), true};
}

std::vector<CurvePoint> response_curve(const Book& book, const Customer& customer) {
    const std::int64_t highest = highest_threshold(customer.last_threshold, customer.as_of);
    Decision decision;
    decision.program = &learning_program(book, customer);
    decision.reference = reference_of(customer);
    decision.margin = margin_of(book, customer);
    std::vector<CurvePoint> curve;
    if (!decision.reference.known() || !decision.reference.knows_spread()) return curve;
    const Prospect prospect = prospect_of(book, customer, decision);
    const Worth& worth = decision.program->worth;
    for_each_profit(
        book, prospect, worth, options(book, customer, highest, decision),
        [&](const Option& option, const OfferTerms& terms, const OfferProfit& profit, double earns) {
            const auto draws = book.response->belief.profits(prospect, terms);
            CurvePoint point{option.terms, profit.natural_share(), profit.raised_share(terms.reward), earns};
            point.low = quantile_of(draws, guard_quantile) - worth.contact_cost;
            point.high = quantile_of(draws, 1 - guard_quantile) - worth.contact_cost;
            curve.push_back(point);
        });
    mark(learned_terms(book, customer, highest, decision), curve);
    return curve;
}

}  // namespace clientele
