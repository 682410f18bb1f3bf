#include "pg/offer/tiers.hpp"

#include <algorithm>
#include <limits>

#include "core/profile/profile.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/offer/book_json.hpp"
#include "pg/offer/margins.hpp"

namespace clientele {
namespace {

void push(JsonbParseState** state, std::string_view key, Datum number) {
    JsonbValue value{};
    value.type = jbvString;
    value.val.string.val = const_cast<char*>(key.data());
    value.val.string.len = static_cast<int>(key.size());
    pushJsonbValue(state, WJB_KEY, &value);
    value.type = jbvNumeric;
    value.val.numeric = DatumGetNumeric(number);
    pushJsonbValue(state, WJB_VALUE, &value);
}

void push_tier(JsonbParseState** state, const Book& book, const Program& program, const Tier& tier) {
    pushJsonbValue(state, WJB_BEGIN_OBJECT, nullptr);
    push(state, "min_spend", make_numeric(tier.min_spend, 0));
    push(state, "reward", make_numeric(tier.reward, book.decimals));
    if (program.gives_share()) {
        push(state, "reward_rate", rate_datum(tier.share));
        push(state, "reward_cap", make_numeric(program.reward_cap, book.decimals));
    }
    pushJsonbValue(state, WJB_END_OBJECT, nullptr);
}

constexpr const char* accepted =
    "tiers are 1 to 3 objects with min_spend and reward, of percentages with reward_rate and reward_cap, too.";

std::int64_t number_in(const BookSource& tier, const char* key, std::int64_t unit, std::int64_t most) {
    const JsonbValue* value = lookup(tier, key);
    if (value == nullptr) refuse(tier, key, nullptr, accepted);
    return whole_in(tier, key, value, {unit, 0, most, accepted});
}

}  // namespace

NullableDatum tiers_datum(const Book& book, const Program& program, const Terms& terms) {
    const bool has_tiers = program.gives_share() || terms.count_above > 0;
    if (!has_tiers || terms.reward == 0) return null_datum;
    JsonbParseState* state = nullptr;
    pushJsonbValue(&state, WJB_BEGIN_ARRAY, nullptr);
    push_tier(&state, book, program, terms);
    for (const Tier& tier : terms.tiers_above()) push_tier(&state, book, program, tier);
    JsonbValue* array = pushJsonbValue(&state, WJB_END_ARRAY, nullptr);
    return known_datum(JsonbPGetDatum(JsonbValueToJsonb(array)));
}

Tiers read_tiers(Datum datum, int currency_decimals) {
    Jsonb* given = DatumGetJsonbP(datum);
    JsonbValue whole{};
    whole.type = jbvBinary;
    whole.val.binary.data = &given->root;
    whole.val.binary.len = static_cast<int>(VARSIZE(given) - VARHDRSZ);
    const BookSource source{whole.val.binary.data};
    const std::int64_t unit = power_of_ten(currency_decimals);
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    Tiers tiers;
    tiers.count = JsonContainerSize(list_in(source, "tiers", &whole, 1, most_tiers, accepted));
    for (std::uint32_t index = 0; index < tiers.count; ++index) {
        const BookSource item = object_in(source, "tiers", &whole, index, accepted);
        Tier& tier = tiers.tiers[index];
        tier.min_spend = number_in(item, "min_spend", 1, highest_rung);
        tier.reward = number_in(item, "reward", unit, most);
        if (lookup(item, "reward_rate") == nullptr) continue;
        tier.share = number_in(item, "reward_rate", rate_unit, rate_unit);
        tiers.cap = number_in(item, "reward_cap", unit, most);
    }
    return tiers;
}

std::int64_t reward_of_tiers(const Tiers& tiers, __int128 value, int currency_decimals) {
    const std::size_t reached = tiers_reached(tiers.all(), value);
    const Tier& tier = tiers.tiers[std::max<std::size_t>(reached, 1) - 1];
    const bool is_share = tier.share > 0 && reached > 0;
    return is_share ? share_of(tier.share, value, tiers.cap, currency_decimals) : tier.reward;
}

}  // namespace clientele
