#include "core/offer/offer.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "core/offer/learned_terms.hpp"
#include "core/score/prediction.hpp"

namespace clientele {
namespace {

using Wide = __int128;

void check_second_order(const CustomerFacts& facts, Reasons& found) {
    if (facts.orders != 1) found.add(Reason::not_exactly_one_order);
    if (facts.orders < 1) return;
    if (facts.recency_days < second_order_from_days) found.add(Reason::too_soon);
    if (facts.recency_days > second_order_to_days) found.add(Reason::too_late);
}

void check_win_back(const CustomerFacts& facts, Reasons& found) {
    if (facts.purchase_days < win_back_purchase_days) found.add(Reason::too_few_purchase_days);
    if (facts.orders < 1) return;
    const bool is_due = facts.recency_days >= win_back_from_days;
    if (!is_due || facts.recency_days <= win_back_gaps * facts.median_gap_days) found.add(Reason::not_overdue);
}

// A stretch is for customers whose orders vary little; the spread of the own orders answers variation by the threshold.
void check_variation(const Program& program, const CustomerFacts& facts, const Reference& reference, Reasons& found) {
    const bool by_spread = program.uses(TermsRule::spread) || program.uses(TermsRule::learned);
    if (by_spread && !reference.knows_spread()) found.add(Reason::spread_unknown);
    const bool varies = reference.basis == Basis::typical && facts.typical_cv > program.max_cv;
    if (varies && program.uses(TermsRule::stretch)) found.add(Reason::too_variable);
}

void check_limits(const Program& program, const Standing& standing, Instant as_of, Reasons& found) {
    if (standing.exposures >= program.max_per_customer) found.add(Reason::limit_reached);
    if (as_of < standing.cools_until) found.add(Reason::cooling_down);
}

bool consents(const Customer& customer, const Program& program) {
    return std::ranges::none_of(customer.without_consent,
                                [&](std::string_view name) { return name.empty() || name == program.name; });
}

// All that speaks against a program, but for its terms, which take more to compute.
Reasons refusals(const Book& book, const Program& program, const Customer& customer, const Reference& reference) {
    Reasons found;
    if (!program.serves(customer.segment)) found.add(Reason::not_in_segment);
    if (!consents(customer, program)) found.add(Reason::no_consent);
    if (customer.as_of < program.starts_at) found.add(Reason::not_started);
    if (customer.as_of >= program.ends_at) found.add(Reason::ended);
    if (!reference.known()) found.add(Reason::no_reference_value);
    switch (program.objective) {
        case Objective::grow_order_value:
            check_variation(program, customer.facts, reference, found);
            break;
        case Objective::second_order:
            check_second_order(customer.facts, found);
            break;
        case Objective::win_back:
            check_win_back(customer.facts, found);
            break;
    }
    if (customer.contacts >= book.most_contacts) found.add(Reason::contact_limit);
    check_limits(program, standing_of(book, program, customer), customer.as_of, found);
    return found;
}

// Whether nothing can be asked for up to this that is worth a reward. It is the same in every arm.
bool spends_as_much_as(std::int64_t highest, const Program& program, const Reference& reference) {
    const Wide spend = static_cast<Wide>(highest) * value_unit;
    return program.objective == Objective::grow_order_value ? spend <= reference.value : spend < reference.value;
}

// What an arm asks for and pays; where that is learnt, at most.
Terms greatest_terms(const Book& book, const Program& program, const Arm& arm, const Reference& reference,
                     std::int64_t margin, std::int64_t highest) {
    if (arm.terms != TermsRule::learned || book.response == nullptr) {
        return terms_of(book, program, arm, reference, margin, highest);
    }
    const Arm greatest{.stretch = book.response->stretch.greatest, .reward_rate = book.response->reward_rate.greatest};
    return terms_of(book, program, greatest, reference, margin, highest);
}

// What a program asks for and pays, over the arms and combinations that anyone is in: whether a customer is eligible
// must not depend on the one they are in.
struct Quote {
    std::int64_t highest = highest_rung;  // threshold
    bool outgrown = false;                // what is one rung above the last; then there are no terms
    bool above_maximum = false;           // of the program; likewise
    std::int64_t least_reward = unlimited;
    std::int64_t greatest_reward = 0;
    double mean_cost = 0;  // over the arms, of what is reserved
    Terms terms;           // of the last arm, which often is the only one

    bool has_terms() const { return !outgrown && !above_maximum; }
};

Quote quote_of(const Book& book, const Program& program, const Customer& customer, const Reference& reference) {
    Quote quote;
    quote.highest = highest_threshold(customer.last_threshold, customer.as_of);
    quote.above_maximum = spends_as_much_as(program.max_min_spend, program, reference);
    quote.outgrown = !quote.above_maximum && spends_as_much_as(quote.highest, program, reference);
    if (!quote.has_terms()) return quote;
    const std::int64_t margin = margin_of(book, customer).value;
    const std::size_t arms = program.arm_count();
    for (std::size_t index = 0; index < arms + program.combinations.size(); ++index) {
        const Arm arm = program.arm(index);
        if (!(arm.weight > 0)) continue;
        const Terms terms = greatest_terms(book, program, arm, reference, margin, quote.highest);
        if (index < arms) {
            quote.terms = terms;
            quote.mean_cost += arm.weight * static_cast<double>(greatest_cost(program, terms));
        }
        quote.least_reward = std::min(quote.least_reward, terms.reward);
        quote.greatest_reward = std::max(quote.greatest_reward, greatest_cost(program, terms));
    }
    return quote;
}

void check_quote(const Quote& quote, const Standing& standing, Reasons& found) {
    if (quote.outgrown) return found.add(Reason::outgrown);
    if (quote.above_maximum) return found.add(Reason::above_maximum);
    if (quote.least_reward == 0) found.add(Reason::no_reward);
    if (standing.remaining < quote.greatest_reward) found.add(Reason::budget_exhausted);
}

// A program and what it asks for and pays; nullptr: none.
struct Candidate {
    const Program* program = nullptr;
    Quote quote;
};

// The program as a candidate, if the customer is eligible.
Candidate candidate_of(const Book& book, const Program& program, const Customer& customer, const Reference& reference) {
    Reasons found = refusals(book, program, customer, reference);
    if (!found.empty()) return {};
    const Quote quote = quote_of(book, program, customer, reference);
    check_quote(quote, standing_of(book, program, customer), found);
    return {found.empty() ? &program : nullptr, quote};
}

Candidate find_winner(const Book& book, const Customer& customer, const Reference& reference) {
    for (const Program& program : book.programs) {
        const Candidate candidate = candidate_of(book, program, customer, reference);
        if (candidate.program != nullptr) return candidate;
    }
    return {};
}

Origin origin_of(const Book& book, const Arm& arm) {
    if (arm.explored) return Origin::explored;
    if (arm.terms == TermsRule::learned) return book.response == nullptr ? Origin::not_learned_yet : Origin::learned;
    return arm.terms == TermsRule::spread ? Origin::spread : Origin::stretch;
}

// The terms that earn most; what speaks against them is a reason.
void choose(const Book& book, const Customer& customer, const Quote& quote, Decision& decision) {
    const LearnedTerms learned = learned_terms(book, customer, quote.highest, decision);
    decision.terms = learned.terms;
    decision.arm.reward_rate = learned.reward_rate;
    decision.expected = learned.expected;
    if (learned.against) decision.reasons.add(*learned.against);
}

// The arm that the customer is in, or the combination that they explore.
void draw_arm(const Book& book, const Customer& customer, const Quote& quote, Decision& decision) {
    const Program& program = *decision.program;
    decision.arm_index = drawn_index(program, customer);
    decision.arm = program.arm(static_cast<std::size_t>(decision.arm_index));
    decision.origin = origin_of(book, decision.arm);
    decision.greatest_reward = quote.greatest_reward;
    decision.drawn = decision.arm.explored || program.draws_terms();
}

// What the arm asks for and pays, where that is not learnt.
Terms arm_terms(const Book& book, const Quote& quote, const Decision& decision) {
    const Program& program = *decision.program;
    if (program.arms.empty() && !decision.arm.explored) return quote.terms;
    return terms_of(book, program, decision.arm, decision.reference, decision.margin.value, quote.highest);
}

// NaN: nothing was estimated.
double estimated_profit(const Program& program, std::size_t arm, std::string_view segment) {
    double profit = std::numeric_limits<double>::quiet_NaN();
    for (const ArmEstimate& estimate : program.estimates) {
        if (estimate.arm_index != static_cast<int>(arm)) continue;
        if (estimate.segment.data() != nullptr && estimate.segment == segment) return estimate.profit;
        if (estimate.segment.data() == nullptr) profit = estimate.profit;
    }
    return profit;
}

// What the arms are expected to earn on average: arms stay alike where all of their customers are judged by that. NaN:
// that is not known of all of them, or each customer's terms are known to earn something else.
double mean_profit(const Program& program, std::string_view segment) {
    if (program.estimates.empty() || program.uses(TermsRule::learned)) return std::numeric_limits<double>::quiet_NaN();
    double mean = 0;
    for (std::size_t index = 0; index < program.arm_count(); ++index) {
        const double weight = program.arm(index).weight;
        if (weight > 0) mean += weight * estimated_profit(program, index, segment);
    }
    return mean;
}

// Whether the budget earns more with others. Who earns just as much as the last of them gets what is left.
bool is_outpriced(const Book& book, const Customer& customer, const Quote& quote, const Decision& decision) {
    const Worth& worth = decision.program->worth;
    if (!worth.planned || decision.arm.explored) return false;
    const double cost = worth.budget_price * quote.mean_cost / static_cast<double>(power_of_ten(book.decimals));
    return mean_profit(*decision.program, customer.segment) < cost * (1 - 1e-9);
}

// Fills in the arm and its terms.
void draw(const Book& book, const Customer& customer, const Quote& quote, Decision& decision) {
    draw_arm(book, customer, quote, decision);
    if (decision.origin == Origin::learned) return choose(book, customer, quote, decision);
    decision.terms = arm_terms(book, quote, decision);
    if (is_outpriced(book, customer, quote, decision)) decision.reasons.add(Reason::budget_spent_better);
}

// The amount alone, and where it came from.
Reference stretched_reference(const Customer& customer) {
    const CustomerFacts& facts = customer.facts;
    if (facts.orders >= typical_from_orders) return {Basis::typical, facts.typical_value};
    const bool is_bound = customer.fallback.basis == Basis::recent;
    if (facts.orders == 0) return is_bound ? Reference{} : customer.fallback;
    if (is_bound && customer.fallback.known() && facts.last_value > customer.fallback.value) {
        return {Basis::recent, customer.fallback.value, true};
    }
    return {Basis::recent, facts.last_value};
}

Reason reason_of(Basis basis) {
    switch (basis) {
        case Basis::recent:
            return Reason::recent_order;
        case Basis::typical:
            return Reason::usual_spend;
        case Basis::segment:
            return Reason::segment_median;
        default:
            return Reason::store_median;
    }
}

void add_origin(Origin origin, Reasons& reasons) {
    switch (origin) {
        case Origin::not_learned_yet:
            reasons.add(Reason::not_learned_yet);
            [[fallthrough]];
        case Origin::spread:
            return reasons.add(Reason::own_spread);
        case Origin::learned:
            return reasons.add(Reason::earns_most);
        case Origin::explored:
            return reasons.add(Reason::explored);
        default:
            return;
    }
}

Reasons reasons_for(const Decision& decision) {
    Reasons reasons;
    reasons.add(reason_of(decision.reference.basis));
    if (decision.program->objective == Objective::second_order) reasons.add(Reason::second_order_due);
    if (decision.program->objective == Objective::win_back) reasons.add(Reason::overdue);
    if (decision.reference.bounded) reasons.add(Reason::last_order_bounded);
    add_origin(decision.origin, reasons);
    reasons.add(decision.program->gives_thing() ? Reason::reward_fixed
                : decision.terms.at_max_reward  ? Reason::reward_at_maximum
                : decision.terms.capped         ? Reason::reward_capped_by_margin
                                                : Reason::reward_by_rate);
    if (decision.terms.limited) reasons.add(Reason::one_rung_up);
    if (decision.terms.at_max_spend) reasons.add(Reason::min_spend_at_maximum);
    return reasons;
}

void offer(const Book& book, Decision& decision) {
    decision.status = Status::offered;
    decision.reasons = reasons_for(decision);
    const Program& program = *decision.program;
    const double drawn = decision.arm.explored ? program.explore_share : 1 - program.explore_share;
    decision.propensity = (1 - book.global_holdout) * (1 - program.holdout) * drawn * decision.arm.weight;
}

void hold_out(Decision& decision, Holdout holdout, Reason reason, double propensity) {
    decision.status = Status::held_out;
    decision.holdout = holdout;
    decision.reasons.add(reason);
    decision.propensity = propensity;
}

// An eligible customer's offer, or by whom they are held out of it.
void assign(const Book& book, const Customer& customer, Decision& decision) {
    const Program& program = *decision.program;
    const double global = book.global_holdout;
    if (is_held_out_globally(book, customer)) {
        hold_out(decision, Holdout::global, Reason::held_out_globally, global);
    } else if (is_held_out(program, customer)) {
        hold_out(decision, Holdout::program, Reason::held_out, (1 - global) * program.holdout);
    } else {
        offer(book, decision);
    }
}

// What a purchase model says of a customer to win back: whatever is decided, its reasons say it.
void consult_model(const Book& book, const CustomerFacts& facts, Decision& decision) {
    const bool asked = book.has_purchase_model && decision.program->objective == Objective::win_back;
    if (!asked || facts.purchase_days < 1 || facts.recency_days < 0) return;
    const double t_x = facts.last_purchase_age_days;
    decision.p_alive =
        p_alive(book.purchase_model, {static_cast<double>(facts.purchase_days - 1), t_x, t_x + facts.recency_days});
}

}  // namespace

bool Reasons::has(Reason reason) const {
    const auto codes = all();
    return std::find(codes.begin(), codes.end(), reason) != codes.end();
}

bool Program::serves(std::string_view segment) const {
    if (every_segment) return true;
    if (segment.data() == nullptr) return false;
    return std::find(segments.begin(), segments.end(), segment) != segments.end();
}

bool Program::draws_terms() const {
    const auto has_weight = [](const Arm& arm) { return arm.weight > 0; };
    return std::count_if(arms.begin(), arms.end(), has_weight) > 1 &&
           std::all_of(arms.begin(), arms.end(), [](const Arm& arm) { return arm.terms == TermsRule::stretch; });
}

bool Program::uses(TermsRule rule) const {
    if (arms.empty()) return terms == rule;
    return std::any_of(arms.begin(), arms.end(),
                       [rule](const Arm& arm) { return arm.terms == rule && arm.weight > 0; });
}

bool Book::asks_for_cv() const {
    return std::any_of(programs.begin(), programs.end(), [](const Program& program) {
        return program.objective == Objective::grow_order_value && !std::isnan(program.max_cv);
    });
}

bool Book::asks_for_next_order() const {
    return std::any_of(programs.begin(), programs.end(), [](const Program& program) {
        return program.uses(TermsRule::spread) || program.uses(TermsRule::learned);
    });
}

bool Book::asks_for_expected_orders() const {
    return response != nullptr && std::any_of(programs.begin(), programs.end(),
                                              [](const Program& program) { return program.uses(TermsRule::learned); });
}

bool Book::asks_for_recency() const {
    return std::any_of(programs.begin(), programs.end(),
                       [](const Program& program) { return program.objective != Objective::grow_order_value; });
}

bool Book::asks_for_gap() const {
    return std::any_of(programs.begin(), programs.end(),
                       [](const Program& program) { return program.objective == Objective::win_back; });
}

const Program* program_named(const Book& book, std::string_view name) {
    const auto found = std::find_if(book.programs.begin(), book.programs.end(),
                                    [name](const Program& program) { return program.name == name; });
    return found == book.programs.end() ? nullptr : &*found;
}

int currency_decimals(std::string_view currency) {
    constexpr std::string_view none[] = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
                                         "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"};
    constexpr std::string_view three[] = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
    constexpr std::string_view four[] = {"CLF", "UYW"};
    const auto is_in = [&](const auto& list) {
        return std::find(std::begin(list), std::end(list), currency) != std::end(list);
    };
    if (is_in(none)) return 0;
    if (is_in(three)) return 3;
    return is_in(four) ? 4 : 2;
}

int shown_decimals(std::int64_t value, int currency_decimals) {
    int decimals = value_decimals;
    for (; decimals > currency_decimals && value % 10 == 0; --decimals) value /= 10;
    return decimals;
}

Reference reference_of(const Customer& customer) {
    Reference reference = stretched_reference(customer);
    reference.next_order = customer.next_order;
    return reference;
}

CustomerMargin margin_of(const Book& book, const Customer& customer) {
    return customer.margin ? *customer.margin : book.margins.of_segment(customer.segment);
}

int arm_index_of(const Program& program, const Customer& customer) {
    if (program.arms.empty()) return 0;
    const int drawn = choose_variant(bucket_share(bucket_number(program.arm_seed, customer.id)), program.weights);
    if (drawn >= 0) return drawn;
    // The weights sum to a little less than 1, and the bucket is in what is missing.
    auto last = static_cast<int>(program.arms.size()) - 1;
    while (last > 0 && !(program.arms[last].weight > 0)) --last;
    return last;
}

int explore_bucket(const Program& program, const Customer& customer) {
    Fnv1a seeded = program.explore_seed;
    seeded.add(customer.id);
    return bucket_number(seeded, ":" + std::to_string(customer.period));
}

bool explores(const Program& program, const Customer& customer) {
    return program.explore_share > 0 && bucket_share(explore_bucket(program, customer)) < program.explore_share;
}

int drawn_index(const Program& program, const Customer& customer) {
    if (!explores(program, customer)) return arm_index_of(program, customer);
    const double place = bucket_share(explore_bucket(program, customer)) / program.explore_share;
    const std::size_t count = program.combinations.size();
    const auto combination = static_cast<std::size_t>(place * static_cast<double>(count));
    return static_cast<int>(program.arm_count() + std::min(combination, count - 1));
}

bool is_held_out(const Program& program, const Customer& customer) {
    return program.holdout > 0 && bucket_share(bucket_number(program.holdout_seed, customer.id)) < program.holdout;
}

bool is_held_out_globally(const Book& book, const Customer& customer) {
    return book.global_holdout > 0 &&
           bucket_share(bucket_number(book.global_holdout_seed, customer.id)) < book.global_holdout;
}

const Standing& standing_of(const Book& book, const Program& program, const Customer& customer) {
    static constexpr Standing none;
    return customer.standings.empty() ? none : customer.standings[&program - book.programs.data()];
}

bool median_gap_decides(const Book& book, std::string_view segment, const CustomerFacts& facts) {
    if (facts.purchase_days < win_back_purchase_days || facts.recency_days < win_back_from_days) return false;
    return std::any_of(book.programs.begin(), book.programs.end(), [segment](const Program& program) {
        return program.objective == Objective::win_back && program.serves(segment);
    });
}

bool is_offered(const OpenExposure& open, std::string_view only) {
    return !open.held_out && (only.data() == nullptr || only == open.program);
}

const Program* winner_of(const Book& book, const Customer& customer) {
    if (customer.open) return nullptr;
    return find_winner(book, customer, reference_of(customer)).program;
}

Decision decide_enrolment(const Book& book, const Customer& customer, const Program* only) {
    Decision decision;
    if (customer.open) return decision;
    decision.reference = reference_of(customer);
    decision.margin = margin_of(book, customer);
    Candidate chosen = find_winner(book, customer, decision.reference);
    if (chosen.program == nullptr) return decision;
    // The winner's holdout comes before the one of the store, which so is the same share of those who are left.
    if (only != nullptr && only != chosen.program) {
        if (is_held_out(*chosen.program, customer)) return decision;
        chosen = candidate_of(book, *only, customer, decision.reference);
        if (chosen.program == nullptr) return decision;
    }
    decision.program = chosen.program;
    consult_model(book, customer.facts, decision);
    draw(book, customer, chosen.quote, decision);
    if (decision.reasons.empty()) {
        assign(book, customer, decision);
    } else {
        decision.program = nullptr;  // and none comes behind: nobody falls through to an offer that loses
    }
    return decision;
}

Decision decide_offer(const Book& book, const Customer& customer, const Program* only) {
    Decision decision = decide_enrolment(book, customer, only);
    if (decision.status != Status::offered) decision.program = nullptr;
    return decision;
}

BudgetDemand budget_demand(const Book& book, const Customer& customer, const Program& program) {
    BudgetDemand demand;
    if (customer.open) return demand;
    Decision decision;
    decision.reference = reference_of(customer);
    decision.margin = margin_of(book, customer);
    const Candidate winner = find_winner(book, customer, decision.reference);
    if (winner.program != &program) return demand;
    decision.program = &program;
    draw_arm(book, customer, winner.quote, decision);
    const double profit = mean_profit(program, customer.segment);
    if (decision.origin == Origin::learned) {
        demand.offers = worthwhile_offers(book, customer, winner.quote.highest, decision);
    } else if (std::isnan(profit) || decision.arm.explored) {
        demand.at_any_price = greatest_cost(program, arm_terms(book, winner.quote, decision));
    } else if (profit > 0) {
        demand.offers.push_back({0, std::llround(winner.quote.mean_cost), profit});
    }
    return demand;
}

Decision decide_program(const Book& book, const Program& program, const Customer& customer, const Program* winner) {
    Decision decision;
    decision.program = &program;
    decision.reference = reference_of(customer);
    decision.margin = margin_of(book, customer);
    consult_model(book, customer.facts, decision);
    decision.reasons = refusals(book, program, customer, decision.reference);
    if (decision.reference.known() && !decision.reasons.has(Reason::spread_unknown)) {
        const Quote quote = quote_of(book, program, customer, decision.reference);
        check_quote(quote, standing_of(book, program, customer), decision.reasons);
        if (quote.has_terms()) draw(book, customer, quote, decision);
    }
    if (!decision.reasons.empty()) return decision;
    if (winner == &program) {
        assign(book, customer, decision);
    } else {
        decision.reasons.add(Reason::outranked);
    }
    return decision;
}

std::string_view code_of(TermsRule rule) {
    constexpr std::string_view codes[] = {"stretch", "spread", "learned"};
    return codes[static_cast<int>(rule)];
}

std::string_view code_of(Reason reason) {
    constexpr std::string_view codes[reason_count] = {"recent_order",
                                                      "usual_spend",
                                                      "segment_median",
                                                      "store_median",
                                                      "second_order_due",
                                                      "overdue",
                                                      "reward_by_rate",
                                                      "reward_capped_by_margin",
                                                      "reward_at_maximum",
                                                      "reward_fixed",
                                                      "one_rung_up",
                                                      "min_spend_at_maximum",
                                                      "last_order_bounded",
                                                      "own_spread",
                                                      "not_learned_yet",
                                                      "earns_most",
                                                      "explored",
                                                      "held_out",
                                                      "held_out_globally",
                                                      "not_in_segment",
                                                      "no_consent",
                                                      "not_started",
                                                      "ended",
                                                      "no_reference_value",
                                                      "too_variable",
                                                      "spread_unknown",
                                                      "not_exactly_one_order",
                                                      "too_soon",
                                                      "too_late",
                                                      "too_few_purchase_days",
                                                      "not_overdue",
                                                      "contact_limit",
                                                      "limit_reached",
                                                      "cooling_down",
                                                      "outgrown",
                                                      "above_maximum",
                                                      "no_reward",
                                                      "budget_exhausted",
                                                      "not_worth_it",
                                                      "budget_spent_better",
                                                      "response_outdated",
                                                      "outranked"};
    return codes[static_cast<int>(reason)];
}

std::string_view code_of(Basis basis) {
    constexpr std::string_view codes[] = {{}, "recent", "typical", "segment", "store"};
    return codes[static_cast<int>(basis)];
}

std::string_view code_of(Objective objective) {
    constexpr std::string_view codes[] = {"grow_order_value", "second_order", "win_back"};
    return codes[static_cast<int>(objective)];
}

std::string_view code_of(Status status) {
    constexpr std::string_view codes[] = {"offered", "held_out", "refused"};
    return codes[static_cast<int>(status)];
}

std::string_view code_of(Holdout holdout) {
    constexpr std::string_view codes[] = {{}, "program", "global"};
    return codes[static_cast<int>(holdout)];
}

}  // namespace clientele
