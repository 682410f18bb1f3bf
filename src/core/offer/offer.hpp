// Offers: which program a customer gets, from which reference value, for which minimum spend and reward.
//
// Everything is decided in integers: reference values in 1/100,000 of the currency, rates in millionths, rewards in
// the currency's smallest unit. The texts of a decision are made in offer_text.hpp.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/calendar.hpp"
#include "core/experiment/bucket.hpp"
#include "core/offer/ladder.hpp"
#include "core/offer/margin.hpp"
#include "core/offer/offer_limits.hpp"
#include "core/offer/reward.hpp"
#include "core/response/budget_price.hpp"
#include "core/response/order_value.hpp"
#include "core/response/response_model.hpp"
#include "core/score/purchase_model.hpp"

namespace clientele {

inline constexpr int value_decimals = 5;
inline constexpr std::int64_t value_unit = 100'000;                         // of a reference value
inline constexpr std::int64_t rate_unit = 1'000'000;                        // of stretch, reward rate and margin
inline constexpr std::int64_t max_stretch = 100 * rate_unit;                // keeps every product on the ladder
inline constexpr std::int64_t max_value = 10'000'000'000'000 * value_unit;  // 10^13, as order amounts

constexpr std::int64_t power_of_ten(int exponent) {
    std::int64_t power = 1;
    while (exponent-- > 0) power *= 10;
    return power;
}

// From so many orders on it is known what a customer usually spends.
inline constexpr std::int64_t typical_from_orders = 3;

// When a second order is asked for: so many days after the first.
inline constexpr int second_order_from_days = 7;
inline constexpr int second_order_to_days = 180;

// Who is to be won back: has bought on so many days, and not for so long, nor for so many of the own median gaps.
inline constexpr int win_back_purchase_days = 3;
inline constexpr int win_back_from_days = 14;
inline constexpr int win_back_gaps = 2;

enum class Objective : std::uint8_t { grow_order_value, second_order, win_back };
inline constexpr Objective objectives[] = {Objective::grow_order_value, Objective::second_order, Objective::win_back};
// What sets the terms of grow_order_value: a multiple of the reference value, how the customer's own orders spread, or
// what was learnt of what offers earn, which acts by the spread until something was.
enum class TermsRule : std::uint8_t { stretch, spread, learned };
inline constexpr TermsRule terms_rules[] = {TermsRule::stretch, TermsRule::spread, TermsRule::learned};
// What the terms of a decision came from.
enum class Origin : std::uint8_t { stretch, spread, learned, not_learned_yet, explored };
inline constexpr int origin_count = 5;
enum class Basis : std::uint8_t { none, recent, typical, segment, store };
enum class Status : std::uint8_t { offered, held_out, refused };
enum class Holdout : std::uint8_t { none, program, global };

// Why a program was decided as it was. The codes are stable; code_of() gives their names.
enum class Reason : std::uint8_t {
    recent_order,
    usual_spend,
    segment_median,
    store_median,
    second_order_due,
    overdue,
    reward_by_rate,
    reward_capped_by_margin,
    reward_at_maximum,
    reward_fixed,
    one_rung_up,
    min_spend_at_maximum,
    last_order_bounded,
    own_spread,
    not_learned_yet,
    earns_most,
    explored,
    held_out,
    held_out_globally,
    not_in_segment,
    no_consent,
    not_started,
    ended,
    no_reference_value,
    too_variable,
    spread_unknown,
    not_exactly_one_order,
    too_soon,
    too_late,
    too_few_purchase_days,
    not_overdue,
    contact_limit,
    limit_reached,
    cooling_down,
    outgrown,
    above_maximum,
    no_reward,
    budget_exhausted,
    not_worth_it,
    budget_spent_better,
    response_outdated,
    outranked,
};
inline constexpr int reason_count = 42;

class Reasons {
  public:
    void add(Reason reason) { codes_[count_++] = reason; }
    bool empty() const { return count_ == 0; }
    bool has(Reason reason) const;
    std::span<const Reason> all() const { return {codes_, count_}; }

  private:
    std::uint8_t count_ = 0;
    Reason codes_[18] = {};
};

// The amount that an offer stretches, and where it came from.
struct Reference {
    Basis basis = Basis::none;
    std::int64_t value = 0;   // 1/100,000
    bool bounded = false;     // the last order was of more
    OrderValue next_order{};  // without an offer; no spread: not known

    bool known() const { return basis != Basis::none && value > 0; }
    bool knows_spread() const { return next_order.sigma > 0; }
};

// What offers need to know about a customer's orders.
struct CustomerFacts {
    std::int64_t orders = 0;
    std::int64_t purchase_days = 0;
    std::int64_t last_value = 0;     // 1/100,000
    std::int64_t typical_value = 0;  // 1/100,000
    double typical_cv = std::numeric_limits<double>::quiet_NaN();
    std::int32_t recency_days = 0;
    double median_gap_days = std::numeric_limits<double>::quiet_NaN();
    std::int32_t last_purchase_age_days = 0;
};

// What a part of the customers is offered, at random.
struct Arm {
    std::string_view name = "default";
    std::int64_t stretch = 0;      // millionths
    std::int64_t reward_rate = 0;  // millionths
    double weight = 1;             // the share of the customers
    TermsRule terms = TermsRule::stretch;
    bool explored = false;
    std::span<const Step> above = {};  // the tiers above stretch and reward rate
};

// What an offer is worth making for, where its terms are learnt; in the currency.
struct Worth {
    double contact_cost = 0, min_profit = 0, min_reward = 0;
    double budget_price = 0;  // what a unit of the budget earns with others
    bool planned = false;     // whether anybody has looked at that
};

// What an offer of an arm is expected to bring in, as estimated from data.
struct ArmEstimate {
    std::string_view segment;  // without data: of every segment that has none of its own
    int arm_index = 0;
    double profit = 0;
};

// Texts are views of memory that outlives the book; one without data is NULL.
struct Program {
    std::string_view name;
    std::int32_t version = 1;
    std::int32_t priority = 0;
    Objective objective = Objective::grow_order_value;
    bool every_segment = true;
    std::span<const std::string_view> segments;
    TermsRule terms = TermsRule::stretch;
    std::int64_t stretch = 1'400'000;                          // millionths
    std::int64_t spread = 2'000'000;                           // millionths of a standard deviation
    std::int64_t reward_rate = 50'000;                         // millionths
    std::span<const Step> above;                               // the tiers above these two
    double max_cv = std::numeric_limits<double>::quiet_NaN();  // NaN: the check is off
    double holdout = 0;
    Fnv1a holdout_seed;               // fed with SEED:PROGRAM:holdout
    std::span<const Arm> arms;        // none: all get the stretch and reward rate above
    std::span<const double> weights;  // of the arms
    Fnv1a arm_seed;                   // fed with SEED:PROGRAM:arm
    double explore_share = 0;         // of the enrolments, which get one of these combinations at random
    std::span<const Arm> combinations;
    Fnv1a explore_seed;  // fed with SEED:PROGRAM:explore
    Worth worth;
    std::span<const ArmEstimate> estimates;
    std::int64_t max_min_spend = highest_rung;  // a rung, or 0: below the lowest
    std::int64_t max_reward = unlimited;        // smallest units of the currency
    std::int64_t max_per_customer = unlimited;
    Instant starts_at = std::numeric_limits<Instant>::min();
    Instant ends_at = std::numeric_limits<Instant>::max();
    RewardKind reward_kind = RewardKind::amount_off;
    std::int64_t reward_cap = 0;   // smallest units of the currency, the most that a share of an order gives
    std::int64_t reward_cost = 0;  // smallest units of the currency, of what is no amount
    std::string_view gift;         // what it is
    std::string_view message;
    std::string_view progress_message;
    std::string_view disclosure;

    bool serves(std::string_view segment) const;
    // Whether customers of an arm differ from others in stretch and reward rate by chance.
    bool draws_terms() const;
    bool uses(TermsRule rule) const;
    bool gives_amount() const { return reward_kind == RewardKind::amount_off; }
    bool gives_share() const { return reward_kind == RewardKind::percent_off; }
    // Something that is given whole, at what it costs.
    bool gives_thing() const { return !gives_amount() && !gives_share(); }
    // The combinations to explore stand behind the arms.
    std::size_t arm_count() const { return arms.empty() ? 1 : arms.size(); }
    Arm arm(std::size_t index) const {
        if (index >= arm_count()) return combinations[index - arm_count()];
        return arms.empty() ? Arm{.stretch = stretch, .reward_rate = reward_rate, .terms = terms, .above = above}
                            : arms[index];
    }
};

struct Book {
    std::string_view seed;  // what its random choices are hashed with
    std::string_view currency;
    int decimals = 2;  // of the currency
    Margins margins;
    bool unicode = true;  // texts may hold more than ASCII
    double global_holdout = 0;
    std::int64_t most_contacts = unlimited;  // of a customer, by all programs, within the store's period
    Fnv1a global_holdout_seed;               // fed with SEED:global
    bool has_purchase_model = false;
    PurchaseModel purchase_model;             // in days
    const ResponseModel* response = nullptr;  // none: nothing was learnt of what offers do
    std::span<const Program> programs;        // by ascending priority number

    bool asks_for_cv() const;
    bool asks_for_next_order() const;
    bool asks_for_expected_orders() const;
    bool asks_for_recency() const;
    bool asks_for_gap() const;
};

// nullptr: the book has none of that name.
const Program* program_named(const Book& book, std::string_view name);

// An exposure of the customer that is open. They have that offer on its terms, or are held out of it, and get no other.
struct OpenExposure {
    std::string_view program;
    bool held_out = false;
    Instant valid_until = 0;  // in the store's zone
};

struct Customer {
    std::string_view id;       // UTF-8, for the holdouts and arms
    std::string_view segment;  // without data: in none
    CustomerFacts facts;
    // For a customer without orders; with basis recent for one of few orders: the most that the last one counts for.
    Reference fallback;
    OrderValue next_order;    // without an offer; no spread: not known, or not asked for
    double season = 0;        // what the logarithms of orders are above that now
    std::int64_t period = 1;  // of the next exposure: so many there will be then
    Instant as_of = 0;
    std::span<const Standing> standings;  // one a program of the book, in its order; empty: nothing limits
    LastThreshold last_threshold;
    std::int64_t contacts = 0;  // exposures within that period, of whatever program, void ones included
    std::optional<OpenExposure> open;
    std::span<const std::string_view> without_consent;  // programs; an empty name is all of them
    std::optional<CustomerMargin> margin;               // none: that of the segment, or the store's
};

// What the customer would be asked for and get: the first tier; zero is unknown.
struct Terms : Tier {
    bool limited = false;       // the minimum spend, to one rung above the last
    bool at_max_spend = false;  // by the program
    std::uint8_t count_above = 0;
    Tier above[most_tiers - 1] = {};

    std::span<const Tier> tiers_above() const { return {above, count_above}; }
};

// What is expected of terms that are learnt.
struct Expectation {
    double profit = std::numeric_limits<double>::quiet_NaN();
    double low = std::numeric_limits<double>::quiet_NaN();  // what it exceeds with 80 % certainty
    bool known() const { return profit == profit; }
};

struct Decision {
    const Program* program = nullptr;
    Status status = Status::refused;
    Holdout holdout = Holdout::none;
    Reasons reasons;
    Reference reference;
    CustomerMargin margin;
    Arm arm;
    int arm_index = 0;
    bool drawn = false;  // the terms, at random
    Origin origin = Origin::stretch;
    Terms terms;  // in the arm
    Expectation expected;
    std::int64_t greatest_reward = 0;  // of all arms
    double propensity = 1;
    double p_alive = std::numeric_limits<double>::quiet_NaN();  // of a customer to win back, where there is a model
};

// Decimals of a currency's smallest unit (ISO 4217), given its code in upper case.
int currency_decimals(std::string_view currency);

// Decimals that a reference value is shown with: the currency's, or as many as it needs.
int shown_decimals(std::int64_t value, int currency_decimals);

// The value that offers to this customer start from.
Reference reference_of(const Customer& customer);

// What stays of the customer's orders.
CustomerMargin margin_of(const Book& book, const Customer& customer);

// What the customer's own orders spread to: exp(mu + spread sigma).
double spread_amount(const Program& program, const Reference& reference);

// Minimum spend, at most `highest`, and reward of an arm from a known reference value; margin: in millionths.
Terms terms_of(const Book& book, const Program& program, const Arm& arm, const Reference& reference,
               std::int64_t margin, std::int64_t highest = highest_rung);

// What an arm pays at a threshold.
Terms terms_at(const Book& book, const Program& program, const Arm& arm, const Reference& reference,
               std::int64_t margin, std::int64_t min_spend);

// The most that terms can cost: what a budget reserves.
std::int64_t greatest_cost(const Program& program, const Terms& terms);

// The arm that the customer is in.
int arm_index_of(const Program& program, const Customer& customer);

// The bucket by which the next exposure explores, and the arm or the combination that it gets.
int explore_bucket(const Program& program, const Customer& customer);
bool explores(const Program& program, const Customer& customer);
int drawn_index(const Program& program, const Customer& customer);

// Whether the customer is in the program's holdout, or in the one of the store.
bool is_held_out(const Program& program, const Customer& customer);
bool is_held_out_globally(const Book& book, const Customer& customer);

const Standing& standing_of(const Book& book, const Program& program, const Customer& customer);

// Whether a program wins back customers of the segment, and one of them could be overdue: then the median gap decides.
bool median_gap_decides(const Book& book, std::string_view segment, const CustomerFacts& facts);

// Whether an exposure that is open is what the customer is offered; without data, `only` is any program.
bool is_offered(const OpenExposure& open, std::string_view only);

// The program that wins, which may hold the customer out; nullptr where none is eligible, or an exposure is open.
const Program* winner_of(const Book& book, const Customer& customer);

// What is written down of the customer: the offer of the winner, or that they are held out of it; no program where
// there is neither, or an exposure is open. `only` restricts it to one program of the book, and to customers whom the
// winner does not hold out.
Decision decide_enrolment(const Book& book, const Customer& customer, const Program* only);

// The same, but for who is held out: then there is no program.
Decision decide_offer(const Book& book, const Customer& customer, const Program* only);

// What a customer would take of a program's budget, held out or not, in the smallest units of the currency: what they
// are offered whatever that earns, or what can be chosen from. Nothing where the program is not theirs.
struct BudgetDemand {
    std::int64_t at_any_price = 0;
    std::vector<PricedOffer> offers;  // cheapest first
};
BudgetDemand budget_demand(const Book& book, const Customer& customer, const Program& program);

// The decision of one program, complete with all that can be known; `winner` is winner_of() of the same customer.
Decision decide_program(const Book& book, const Program& program, const Customer& customer, const Program* winner);

// The smallest reference value, in smallest units of the currency, that the arm would ask more for; 0 where there is
// none.
std::int64_t next_step_value(const Book& book, const Program& program, const Arm& arm, const Terms& terms);

// What the arm asks for from a reference value in smallest units of the currency.
std::int64_t asked_from(const Book& book, const Program& program, const Arm& arm, std::int64_t units);

std::string_view code_of(TermsRule rule);
std::string_view code_of(Reason reason);
std::string_view code_of(Basis basis);
std::string_view code_of(Objective objective);
std::string_view code_of(Status status);
std::string_view code_of(Holdout holdout);

}  // namespace clientele
