#include "pg/offer/offer_program.hpp"

#include <algorithm>
#include <cmath>

#include "core/offer/offer_text.hpp"
#include "core/offer/progress.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/unicode.hpp"

namespace clientele {
namespace {

constexpr double default_max_cv = 0.45;
constexpr std::string_view default_valid_for = "14 days";

double max_cv_in(const BookSource& source) {
    if (!is_present(source, "max_cv")) return default_max_cv;
    const JsonbValue* value = lookup(source, "max_cv");
    if (value == nullptr) return std::nan("");
    const double max_cv = double_in(source, "max_cv", value);
    if (!std::isfinite(max_cv) || max_cv < 0) {
        refuse(source, "max_cv", value, "max_cv is 0 or more, or null to turn the check off.");
    }
    return max_cv;
}

std::int32_t priority_in(const BookSource& source) {
    constexpr const char* accepted = "priority is a whole number; programs stand in its order, no two with the same.";
    const JsonbValue* value = lookup(source, "priority");
    if (value == nullptr) refuse(source, "priority", nullptr, accepted);
    const double priority = double_in(source, "priority", value);
    if (priority != std::rint(priority) || std::fabs(priority) > PG_INT32_MAX) {
        refuse(source, "priority", value, accepted);
    }
    return static_cast<std::int32_t>(priority);
}

Objective objective_in(const BookSource& source) {
    const std::string_view name = required_text(source, "objective");
    for (const Objective objective : objectives) {
        if (name == code_of(objective)) return objective;
    }
    refuse(source, "objective", lookup(source, "objective"),
           "Objectives are grow_order_value, second_order and win_back.");
}

Interval* interval_from(const char* text) {
    return DatumGetIntervalP(
        DirectFunctionCall3(interval_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

bool is_before(Interval* left, Interval* right) {
    return DatumGetBool(DirectFunctionCall2(interval_lt, IntervalPGetDatum(left), IntervalPGetDatum(right)));
}

Interval valid_for_in(const BookSource& source) {
    const std::string_view text = optional_text(source, "valid_for");
    return duration_in(source, "valid_for", text.data() == nullptr ? default_valid_for : text,
                       "valid_for is above 0 and at most 100 years, and no part of it is negative.");
}

void read_cooldown(const BookSource& source, ProgramParts& parts) {
    const std::string_view text = optional_text(source, "cooldown");
    parts.cools_down = text.data() != nullptr;
    if (!parts.cools_down) return;
    parts.cooldown =
        duration_in(source, "cooldown", text,
                    "cooldown is above 0 and at most 100 years, no part of it negative, or null for none.");
}

void read_segments(const BookSource& source, Program& program) {
    const JsonbValue* value = lookup(source, "segments");
    program.every_segment = value == nullptr;
    if (value == nullptr) return;
    constexpr const char* accepted = "segments is an array of names that is not empty, or null for every segment.";
    JsonbContainer* array = list_in(source, "segments", value, 1, PG_UINT32_MAX, accepted);
    const std::uint32_t count = JsonContainerSize(array);
    auto* names = static_cast<std::string_view*>(palloc(count * sizeof(std::string_view)));
    for (std::uint32_t index = 0; index < count; ++index) {
        const JsonbValue* name = getIthJsonbValueFromContainer(array, index);
        if (name->type != jbvString) refuse(source, "segments", value, accepted);
        new (&names[index]) std::string_view(text_in(name));
    }
    program.segments = {names, count};
}

std::int32_t version_in(const BookSource& source) {
    const JsonbValue* value = lookup(source, "version");
    if (value == nullptr) return Program{}.version;
    return static_cast<std::int32_t>(
        whole_in(source, "version", value, {1, 1, PG_INT32_MAX, "version is a whole number from 1."}));
}

std::int64_t max_per_customer_in(const BookSource& source) {
    const JsonbValue* value = lookup(source, "max_per_customer");
    if (value == nullptr) return unlimited;
    return whole_in(source, "max_per_customer", value,
                    {1, 1, PG_INT32_MAX, "max_per_customer is a whole number from 1, or null for no limit."});
}

std::int64_t budget_in(const BookSource& source, const Book& book) {
    const JsonbValue* value = lookup(source, "budget");
    if (value == nullptr) return unlimited;
    const std::int64_t unit = power_of_ten(book.decimals);
    return whole_in(
        source, "budget", value,
        {unit, 0, max_value / value_unit * unit - 1,
         "budget is from 0 to below 10^13, with no more decimals than the currency has, or null for none."});
}

// The greatest rung that the program may ask for.
std::int64_t max_min_spend_in(const BookSource& source) {
    const JsonbValue* value = lookup(source, "max_min_spend");
    if (value == nullptr) return highest_rung;
    const std::int64_t units =
        whole_in(source, "max_min_spend", value,
                 {10'000, 10'000, max_value / value_unit * 10'000,
                  "max_min_spend is from 1 to 10^13, with at most 4 decimals, or null for no such limit."});
    std::int64_t rung = 0;
    think([&] { rung = rung_at_or_below(units / 10'000); });
    return rung;
}

std::int64_t max_reward_in(const BookSource& source, const Book& book) {
    const JsonbValue* value = lookup(source, "max_reward");
    if (value == nullptr) return unlimited;
    const std::int64_t unit = power_of_ten(book.decimals);
    return whole_in(source, "max_reward", value,
                    {unit, 1, max_value / value_unit * unit - 1,
                     "max_reward is above 0 and below 10^13, with no more decimals than the currency has, or null for "
                     "no such limit."});
}

// --- arms -------------------------------------------------------------------------------------------------------

constexpr std::uint32_t max_arms = 20;
constexpr std::string_view explored_prefix = "explore:";  // of the names of combinations, which no arm may have
constexpr const char* accepted_arms =
    "arms is an array of 1 to 20 objects with stretch, reward_rate, tiers, terms, weight and name, none of which is "
    "required; "
    "all have a weight from 0, with a sum of 1, or none has; no two have the same name (by default their place, from "
    "0).";

std::int64_t stretch_in(const BookSource& source, std::int64_t otherwise) {
    const JsonbValue* value = lookup(source, "stretch");
    if (value == nullptr) return otherwise;
    return whole_in(
        source, "stretch", value,
        {rate_unit, rate_unit + 1, max_stretch, "stretch is above 1 and at most 100, with at most 6 decimals."});
}

// Of a program or an arm.
TermsRule terms_in(const BookSource& source, const Program& program, TermsRule otherwise) {
    const JsonbValue* value = lookup(source, "terms");
    if (value == nullptr) return otherwise;
    const std::string_view name = optional_text(source, "terms");
    for (const TermsRule rule : terms_rules) {
        if (name != code_of(rule)) continue;
        if (rule != TermsRule::stretch && program.objective != Objective::grow_order_value) {
            refuse(
                source, "terms", value,
                "Terms by the spread of the own orders, and learned ones, are for grow_order_value. What second_order "
                "and win_back change is whether an order comes: clientele.measure_lift() shows it.");
        }
        return rule;
    }
    refuse(source, "terms", value, "terms are stretch, spread or learned.");
}

std::int64_t spread_in(const BookSource& source, std::int64_t otherwise) {
    const JsonbValue* value = lookup(source, "spread");
    if (value == nullptr) return otherwise;
    return whole_in(source, "spread", value,
                    {rate_unit, 1, 10 * rate_unit, "spread is above 0 and at most 10, with at most 6 decimals."});
}

std::int64_t reward_rate_in(const BookSource& source, std::int64_t otherwise) {
    const JsonbValue* value = lookup(source, "reward_rate");
    if (value == nullptr) return otherwise;
    return whole_in(source, "reward_rate", value,
                    {rate_unit, 0, rate_unit, "reward_rate is a share from 0 to 1, with at most 6 decimals."});
}

// --- rewards ----------------------------------------------------------------------------------------------------

RewardKind reward_kind_in(const BookSource& source) {
    const JsonbValue* value = lookup(source, "reward_kind");
    if (value == nullptr) return RewardKind::amount_off;
    const std::string_view name = optional_text(source, "reward_kind");
    for (const RewardKind kind : reward_kinds) {
        if (name == code_of(kind)) return kind;
    }
    refuse(source, "reward_kind", value, "Kinds of rewards are amount_off, percent_off, free_shipping and gift.");
}

void refuse_present(const BookSource& source, const char* key, const char* accepted) {
    if (const JsonbValue* value = lookup(source, key)) refuse(source, key, value, accepted);
}

// An amount above 0, in smallest units, which must be there.
std::int64_t cost_in(const Book& book, const BookSource& source, const char* key, const char* accepted) {
    const JsonbValue* cost = lookup(source, key);
    if (cost == nullptr) refuse(source, key, nullptr, accepted);
    const std::int64_t unit = power_of_ten(book.decimals);
    return whole_in(source, key, cost, {unit, 1, max_value / value_unit * unit - 1, accepted});
}

void read_share(const Book& book, const BookSource& source, Program& program) {
    program.reward_cap =
        cost_in(book, source, "reward_cap",
                "A percentage has a reward_cap: the most that it gives, above 0 and below 10^13, with no more decimals "
                "than the currency has.");
    refuse_present(source, "max_reward", "A percentage has a reward_cap instead.");
}

void read_thing(const Book& book, const BookSource& source, Program& program) {
    if (program.reward_kind == RewardKind::gift) program.gift = required_text(source, "gift");
    if (!program.gift.empty() && program.gift.find_first_not_of(' ') == std::string_view::npos) {
        refuse(source, "gift", lookup(source, "gift"), "gift is what is given, such as \"a mug\".");
    }
    refuse_present(source, "tiers", "Free delivery and gifts are given whole: they have no tiers.");
    constexpr const char* instead = "Free delivery and gifts have a reward_cost instead.";
    if (program.reward_rate > 0) refuse_present(source, "reward_rate", instead);
    refuse_present(source, "max_reward", instead);
    program.reward_cost = cost_in(book, source, "reward_cost",
                                  "Free delivery and gifts have a reward_cost: what one costs the shop, above 0 and "
                                  "below 10^13, with no more decimals than the currency has.");
}

void read_reward(const Book& book, const BookSource& source, Program& program) {
    program.reward_kind = reward_kind_in(source);
    if (program.reward_kind != RewardKind::gift) refuse_present(source, "gift", "Only a gift has a name.");
    if (!program.gives_share()) refuse_present(source, "reward_cap", "Only a percentage, percent_off, has a cap.");
    if (!program.gives_thing()) {
        refuse_present(source, "reward_cost",
                       "Amounts and percentages cost what they are: reward_cost is of free_shipping and gift.");
    }
    if (program.gives_amount()) return;
    refuse_present(source, "explore", "What is explored and learnt is what amounts do: reward_kind => 'amount_off'.");
    program.gives_share() ? read_share(book, source, program) : read_thing(book, source, program);
}

// Of a program or an arm of this kind of reward.
void check_rate(const BookSource& source, const Program& program, std::int64_t rate) {
    if (!program.gives_share() || (rate > 0 && rate < rate_unit)) return;
    refuse(source, "reward_rate", lookup(source, "reward_rate"), "Of percent_off it is above 0 and below 1.");
}

// --- tiers ------------------------------------------------------------------------------------------------------

constexpr const char* accepted_tiers =
    "tiers is an array of 1 to 3 objects with stretch and reward_rate, each with a greater stretch than the one before "
    "it and no lower reward_rate, or null.";

std::span<const Step> steps_in(const BookSource& source, const Program& program, const JsonbValue* value) {
    constexpr std::string_view known[] = {"stretch", "reward_rate"};
    const std::uint32_t count = JsonContainerSize(list_in(source, "tiers", value, 1, most_tiers, accepted_tiers));
    auto* steps = static_cast<Step*>(palloc(count * sizeof(Step)));
    for (std::uint32_t index = 0; index < count; ++index) {
        const BookSource item = object_in(source, "tiers", value, index, accepted_tiers);
        check_keys(item, known);
        new (&steps[index]) Step{stretch_in(item, 0), reward_rate_in(item, -1)};
        if (steps[index].stretch == 0 || steps[index].reward_rate < 0) refuse(source, "tiers", value, accepted_tiers);
        check_rate(item, program, steps[index].reward_rate);
        if (index == 0) continue;
        const bool ascends =
            steps[index].stretch > steps[index - 1].stretch && steps[index].reward_rate >= steps[index - 1].reward_rate;
        if (!ascends) refuse(source, "tiers", value, accepted_tiers);
    }
    return {steps, count};
}

// Of a program or an arm, where it has them: they take the place of stretch and reward rate.
template <class Owner>
void read_tiers(const BookSource& source, const Program& program, Owner& owner) {
    const JsonbValue* value = lookup(source, "tiers");
    if (value == nullptr) return;
    if (program.objective != Objective::grow_order_value || owner.terms != TermsRule::stretch) {
        refuse(source, "tiers", value, "Tiers are of grow_order_value, whose terms are by a stretch.");
    }
    const std::span<const Step> steps = steps_in(source, program, value);
    const auto refuse_other = [&](const char* key, std::int64_t given, std::int64_t first) {
        if (given != first) refuse_present(source, key, "It is that of the first of the tiers, or left out.");
    };
    refuse_other("stretch", owner.stretch, steps.front().stretch);
    refuse_other("reward_rate", owner.reward_rate, steps.front().reward_rate);
    owner.stretch = steps.front().stretch;
    owner.reward_rate = steps.front().reward_rate;
    owner.above = steps.subspan(1);
}

// --- arms, one by one -------------------------------------------------------------------------------------------

// An arm without a name of its own goes by its place.
std::string_view arm_name_in(const BookSource& source) {
    return lookup(source, "name") == nullptr ? source.arm : required_text(source, "name");
}

double weight_in(const BookSource& source, double otherwise) {
    const JsonbValue* value = lookup(source, "weight");
    if (value == nullptr) return otherwise;
    const double weight = double_in(source, "weight", value);
    if (!(weight >= 0 && weight <= 1)) refuse(source, "weight", value, accepted_arms);
    return weight;
}

void read_arm(const BookSource& object, const Program& program, std::uint32_t index, double equal_share, Arm& arm) {
    constexpr std::string_view known[] = {"stretch", "reward_rate", "weight", "name", "terms", "tiers"};
    BookSource source = object;
    source.arm = psprintf("%u", index);
    source.arm = arm.name = arm_name_in(source);
    if (arm.name.starts_with(explored_prefix)) {
        refuse(source, "name", lookup(source, "name"),
               "Names that begin with explore: are those of combinations that are explored.");
    }
    check_keys(source, known);
    arm.terms = terms_in(source, program, program.terms);
    if (arm.terms != TermsRule::stretch && lookup(source, "stretch") != nullptr) {
        refuse(source, "stretch", lookup(source, "stretch"), "Only terms by a stretch have one.");
    }
    arm.stretch = stretch_in(source, program.stretch);
    if (program.gives_thing()) {
        refuse_present(source, "reward_rate", "Arms of free delivery and gifts differ in what they ask for alone.");
    }
    arm.reward_rate = reward_rate_in(source, program.reward_rate);
    check_rate(source, program, arm.reward_rate);
    const bool is_like_the_program = arm.stretch == program.stretch && arm.reward_rate == program.reward_rate;
    if (is_like_the_program && arm.terms == TermsRule::stretch) arm.above = program.above;
    read_tiers(source, program, arm);
    arm.weight = weight_in(source, equal_share);
}

// The arms as a whole: their names, and how many have a weight.
bool go_together(std::span<const Arm> arms, std::uint32_t weighted) {
    constexpr double tolerance = 1e-6;
    double sum = 0;
    for (const Arm& arm : arms) {
        sum += arm.weight;
        for (const Arm* other = arms.data(); other != &arm; ++other) {
            if (other->name == arm.name) return false;
        }
    }
    return (weighted == 0 || weighted == arms.size()) && std::fabs(sum - 1) <= tolerance;
}

void read_arms(const Book& book, const BookSource& source, Program& program) {
    const JsonbValue* value = lookup(source, "arms");
    if (value == nullptr) return;
    const std::uint32_t count = JsonContainerSize(list_in(source, "arms", value, 1, max_arms, accepted_arms));
    auto* arms = static_cast<Arm*>(palloc(count * sizeof(Arm)));
    auto* weights = static_cast<double*>(palloc(count * sizeof(double)));
    std::uint32_t weighted = 0;
    for (std::uint32_t index = 0; index < count; ++index) {
        const BookSource item = object_in(source, "arms", value, index, accepted_arms);
        weighted += lookup(item, "weight") != nullptr ? 1 : 0;
        read_arm(item, program, index, even_weight(count), *new (&arms[index]) Arm);
        weights[index] = arms[index].weight;
    }
    program.arms = {arms, count};
    program.weights = {weights, count};
    if (!go_together(program.arms, weighted)) refuse(source, "arms", value, accepted_arms);
    feed(program.arm_seed, {book.seed, ":", program.name, ":arm"});
}

// --- exploring --------------------------------------------------------------------------------------------------

constexpr std::uint32_t max_tried = 10;
constexpr const char* accepted_explore =
    "explore is {\"share\": above 0 and below 1, \"stretch\": [1 to 10 above 1 and at most 100], \"reward_rate\": [1 "
    "to 10 "
    "above 0 and at most 1]}, with at most 6 decimals and none twice, or null.";

struct Tried {
    std::int64_t millionths[max_tried];
    std::uint32_t count;
};

Tried tried_in(const BookSource& program, const BookSource& source, const char* key, std::int64_t from,
               std::int64_t to) {
    JsonbContainer* list = list_in(program, "explore", lookup(source, key), 1, max_tried, accepted_explore);
    Tried tried{{}, JsonContainerSize(list)};
    for (std::uint32_t i = 0; i < tried.count; ++i) {
        const JsonbValue* value = getIthJsonbValueFromContainer(list, i);
        tried.millionths[i] = whole_in(source, "explore", value, {rate_unit, from, to, accepted_explore});
        if (std::count(tried.millionths, tried.millionths + i, tried.millionths[i]) > 0) {
            refuse(program, "explore", lookup(program, "explore"), accepted_explore);
        }
    }
    return tried;
}

// "explore:1.3:0.02"
std::string_view combination_name(std::int64_t stretch, std::int64_t reward_rate) {
    constexpr double unit = rate_unit;
    return psprintf("explore:%.*g:%.*g", 9, static_cast<double>(stretch) / unit, 9,
                    static_cast<double>(reward_rate) / unit);
}

std::span<const Arm> combinations_in(const BookSource& program, const BookSource& source) {
    const Tried stretches = tried_in(program, source, "stretch", rate_unit + 1, max_stretch);
    const Tried rates = tried_in(program, source, "reward_rate", 1, rate_unit);
    const std::uint32_t count = stretches.count * rates.count;
    auto* combinations = static_cast<Arm*>(palloc(count * sizeof(Arm)));
    for (std::uint32_t i = 0; i < count; ++i) {
        Arm& combination = *new (&combinations[i]) Arm;
        combination.stretch = stretches.millionths[i / rates.count];
        combination.reward_rate = rates.millionths[i % rates.count];
        combination.weight = even_weight(count);
        combination.explored = true;
        combination.name = combination_name(combination.stretch, combination.reward_rate);
    }
    return {combinations, count};
}

// What is explored is not what arms compare.
void check_explored_arms(const BookSource& source) {
    const JsonbValue* arms = lookup(source, "arms");
    if (arms == nullptr) return;
    for (std::uint32_t index = 0; index < JsonContainerSize(arms->val.binary.data); ++index) {
        const BookSource arm = object_in(source, "arms", arms, index, accepted_arms);
        if (!lookup(arm, "stretch") && !lookup(arm, "reward_rate") && !lookup(arm, "tiers")) continue;
        refuse(
            source, "explore", lookup(source, "explore"),
            "Arms with stretches or reward rates of their own are drawn at random already: explore instead of them.");
    }
}

void read_explore(const Book& book, const BookSource& source, Program& program) {
    constexpr std::string_view known[] = {"share", "stretch", "reward_rate"};
    const JsonbValue* value = lookup(source, "explore");
    if (value == nullptr) return;
    const bool is_object = value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
    if (!is_object) refuse(source, "explore", value, accepted_explore);
    if (program.objective != Objective::grow_order_value) {
        refuse(source, "explore", value, "Exploring is for grow_order_value.");
    }
    refuse_present(source, "tiers", "What is explored and learnt is what one threshold does: it has no tiers.");
    const BookSource explore{value->val.binary.data, source.program};
    check_keys(explore, known);
    const JsonbValue* share = lookup(explore, "share");
    if (share == nullptr) refuse(source, "explore", value, accepted_explore);
    program.explore_share = double_in(explore, "share", share);
    if (!(program.explore_share > 0 && program.explore_share < 1)) refuse(source, "explore", value, accepted_explore);
    program.combinations = combinations_in(source, explore);
    check_explored_arms(source);
    feed(program.explore_seed, {book.seed, ":", program.name, ":explore"});
}

// --- learned terms ----------------------------------------------------------------------------------------------

constexpr double least_share = 0.05;

double amount_in(const BookSource& source, const char* key, bool acts) {
    const JsonbValue* value = lookup(source, key);
    if (value == nullptr) return 0;
    const double amount = double_in(source, key, value);
    if (!(amount >= 0 && amount < 1e13)) refuse(source, key, value, "It is from 0 to below 10^13, in the currency.");
    if (amount > 0 && !acts) refuse(source, key, value, "It is for learned terms: terms => 'learned'.");
    return amount;
}

// What is learnt needs what it is learnt from, and customers are told.
void read_learned(const BookSource& source, Program& program) {
    const bool learns = program.uses(TermsRule::learned);
    if (learns && !program.gives_amount()) {
        refuse(source, "reward_kind", lookup(source, "reward_kind"),
               "Terms are learnt of amounts: those of other kinds are set by stretch or spread.");
    }
    program.worth = {amount_in(source, "contact_cost", learns), amount_in(source, "min_profit", learns),
                     amount_in(source, "min_reward", learns), amount_in(source, "budget_price", true),
                     lookup(source, "budget_price") != nullptr};
    if (!learns) return;
    const auto refuse_unless = [&](bool enough, const char* key, const char* accepted) {
        if (!enough) refuse(source, key, lookup(source, key), accepted);
    };
    refuse_unless(
        program.explore_share >= least_share, "explore",
        "Learned terms need an explore share of at least 0.05: explore => '{\"share\": 0.2, \"stretch\": [1.3, "
        "1.9, 2.8], \"reward_rate\": [0.02, 0.06]}'.");
    refuse_unless(program.holdout >= least_share, "holdout", "Learned terms need a holdout of at least 0.05.");
    refuse_unless(program.disclosure.find_first_not_of(" \t\n") != std::string_view::npos, "disclosure",
                  "Learned terms need a disclosure: what the customer is told about how the offer came about.");
}

Datum* variants_of(const Program& program) {
    const std::size_t count = program.arm_count() + program.combinations.size();
    auto* variants = static_cast<Datum*>(palloc(count * sizeof(Datum)));
    for (std::size_t index = 0; index < count; ++index) variants[index] = text_datum(program.arm(index).name);
    return variants;
}

// --- estimates --------------------------------------------------------------------------------------------------

constexpr std::uint32_t max_estimates = 100'000;
constexpr const char* accepted_estimates =
    "estimates is an array of objects with segment (null: every other one), variant and expected_profit.";

Estimate estimate_in(const Book& book, const BookSource& source, const Program& program) {
    constexpr std::string_view known[] = {"segment", "variant", "expected_profit"};
    check_keys(source, known);
    const JsonbValue* value = lookup(source, "expected_profit");
    if (value == nullptr) refuse(source, "expected_profit", nullptr, accepted_estimates);
    if (!std::isfinite(double_in(source, "expected_profit", value))) {
        refuse(source, "expected_profit", value, "It is a number below 10^308, above or below zero.");
    }
    const Datum profit = NumericGetDatum(numeric_in(source, "expected_profit", value));
    const Datum rounded = DirectFunctionCall2(numeric_round, profit, Int32GetDatum(book.decimals));
    Estimate estimate{optional_text(source, "segment"), -1, rounded};
    const std::string_view variant = required_text(source, "variant");
    for (std::size_t index = 0; index < program.arm_count(); ++index) {
        if (program.arm(index).name == variant) estimate.arm_index = static_cast<int>(index);
    }
    return estimate;
}

// Those of variants that the program no longer has stay, and are of none.
void read_estimates(const Book& book, const BookSource& source, Program& program, ProgramParts& parts) {
    const JsonbValue* value = lookup(source, "estimates");
    if (value == nullptr) return;
    const std::uint32_t count =
        JsonContainerSize(list_in(source, "estimates", value, 0, max_estimates, accepted_estimates));
    auto* estimates = static_cast<Estimate*>(palloc(count * sizeof(Estimate)));
    auto* numbers = static_cast<ArmEstimate*>(palloc(count * sizeof(ArmEstimate)));
    for (std::uint32_t index = 0; index < count; ++index) {
        const BookSource item = object_in(source, "estimates", value, index, accepted_estimates);
        const Estimate& estimate = *new (&estimates[index]) Estimate(estimate_in(book, item, program));
        const Datum profit = DirectFunctionCall1(numeric_float8, estimate.expected_profit);
        new (&numbers[index]) ArmEstimate{estimate.segment, estimate.arm_index, DatumGetFloat8(profit)};
    }
    parts.estimates = {estimates, count};
    program.estimates = {numbers, count};
}

void check_program_keys(const BookSource& source) {
    constexpr std::string_view known[] = {
        "program",      "version",       "priority",   "objective",    "segments",         "stretch",
        "reward_rate",  "max_cv",        "arms",       "valid_for",    "holdout",          "max_per_customer",
        "cooldown",     "budget",        "starts_at",  "ends_at",      "message",          "disclosure",
        "estimates",    "max_min_spend", "max_reward", "terms",        "spread",           "explore",
        "contact_cost", "min_profit",    "min_reward", "budget_price", "progress_message", "reward_kind",
        "reward_cost",  "gift",          "reward_cap", "tiers"};
    check_keys(source, known);
}

}  // namespace

Interval duration_in(const BookSource& source, const char* key, std::string_view text, const char* accepted) {
    Interval* duration = interval_from(terminated(text));
    Interval zero{};
    Interval century{};
    century.month = 1'200;
    // How a sign applies to the parts behind it depends on the session's IntervalStyle; so there is none.
    const bool has_sign = duration->month < 0 || duration->day < 0 || duration->time < 0;
    if (has_sign || !is_before(&zero, duration) || is_before(&century, duration)) {
        refuse(source, key, lookup(source, key), accepted);
    }
    return *duration;
}

void feed(Fnv1a& seed, std::initializer_list<std::string_view> parts) {
    for (const std::string_view part : parts) {
        const std::string_view utf8 = utf8_of(part);
        think([&] { seed.add(utf8); });
    }
}

void read_program(const Book& book, const BookSource& object, Program& program, ProgramParts& parts) {
    BookSource source = object;
    source.program = program.name = required_text(source, "program");
    check_program_keys(source);
    program.version = version_in(source);
    program.priority = priority_in(source);
    program.objective = objective_in(source);
    read_segments(source, program);
    program.terms = terms_in(source, program, TermsRule::stretch);
    program.stretch = stretch_in(source, program.stretch);
    program.spread = spread_in(source, program.spread);
    program.reward_rate = reward_rate_in(source, program.reward_rate);
    read_reward(book, source, program);
    check_rate(source, program, program.reward_rate);
    read_tiers(source, program, program);
    read_arms(book, source, program);
    read_explore(book, source, program);
    program.max_cv = max_cv_in(source);
    program.holdout = holdout_in(source, "holdout", "holdout is a share from 0 to below 1.");
    feed(program.holdout_seed, {book.seed, ":", program.name, ":holdout"});
    program.max_per_customer = max_per_customer_in(source);
    program.max_min_spend = max_min_spend_in(source);
    program.max_reward = max_reward_in(source, book);
    read_cooldown(source, parts);
    parts.budget = budget_in(source, book);
    program.starts_at = instant_in(source, "starts_at", program.starts_at);
    program.ends_at = instant_in(source, "ends_at", program.ends_at);
    program.message = optional_text(source, "message");
    if (program.message.data() == nullptr) program.message = plain_message;
    program.disclosure = optional_text(source, "disclosure");
    program.progress_message = optional_text(source, "progress_message");
    think([&] {
        check_message(program.message);
        check_progress_message(program.progress_message);
    });
    read_learned(source, program);
    parts.valid_for = valid_for_in(source);
    parts.name = text_datum(program.name);
    parts.reward_kind = text_datum(code_of(program.reward_kind));
    parts.disclosure = program.disclosure.data() == nullptr ? 0 : text_datum(program.disclosure);
    parts.variants = variants_of(program);
    read_estimates(book, source, program, parts);
}

}  // namespace clientele
