#include "pg/offer/tiers.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/profile/profile.hpp"

#include "pg/kit/jsonb_writer.hpp"
#include "pg/kit/numeric.hpp"
#include "pg/offer/book_json.hpp"
#include "pg/offer/margins.hpp"

namespace clientele {
namespace {

void push_tier(JsonbParseState** state, const Book& book, const Program& program, const Tier& tier) {
    pushJsonbValue(state, WJB_BEGIN_OBJECT, nullptr);
    push_number(state, "min_spend", make_numeric(tier.min_spend, 0));
    push_number(state, "reward", make_numeric(tier.reward, book.decimals));
    if (program.gives_share()) {
        push_number(state, "reward_rate", rate_datum(tier.share));
        push_number(state, "reward_cap", make_numeric(program.reward_cap, book.decimals));
    }
    pushJsonbValue(state, WJB_END_OBJECT, nullptr);
}

Jsonb* write_tiers(const Book& book, const Program& program, const Terms& terms) {
    JsonbParseState* state = nullptr;
    pushJsonbValue(&state, WJB_BEGIN_ARRAY, nullptr);
    push_tier(&state, book, program, terms);
    for (const Tier& tier : terms.tiers_above()) push_tier(&state, book, program, tier);
    return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, nullptr));
}

// Of a program: what is to be written of a tier.
struct TiersKey {
    const Program* program;
    std::int64_t numbers[most_tiers][3];

    bool operator==(const TiersKey&) const = default;
};

TiersKey key_of(const Program& program, const Terms& terms) {
    TiersKey key{&program, {{terms.min_spend, terms.reward, terms.share}}};
    std::size_t nth = 0;
    for (const Tier& tier : terms.tiers_above()) {
        ++nth;
        key.numbers[nth][0] = tier.min_spend;
        key.numbers[nth][1] = tier.reward;
        key.numbers[nth][2] = tier.share;
    }
    return key;
}

std::size_t hash_of(const TiersKey& key) {
    std::uint64_t hash = reinterpret_cast<std::uintptr_t>(key.program);
    for (const auto& tier : key.numbers) {
        for (const std::int64_t number : tier) {
            hash = (hash ^ static_cast<std::uint64_t>(number)) * 0x9e3779b97f4a7c15;
        }
    }
    return hash >> 32;
}

}  // namespace

// Many customers are given the same tiers, and to write jsonb takes longer than to decide.
struct WrittenTiers {
    TiersKey key;
    Jsonb* tiers;
};

namespace {

constexpr std::size_t places = 256;

WrittenTiers& place_of(PreparedBook& book, const TiersKey& key) {
    if (book.written_tiers == nullptr) {
        book.written_tiers =
            static_cast<WrittenTiers*>(MemoryContextAllocZero(book.context, places * sizeof(WrittenTiers)));
    }
    return book.written_tiers[hash_of(key) % places];
}

void keep(PreparedBook& book, WrittenTiers& place, const TiersKey& key, Jsonb* tiers) {
    Jsonb* former = place.tiers;
    place.tiers = nullptr;
    if (former != nullptr) pfree(former);
    MemoryContext caller = MemoryContextSwitchTo(book.context);
    place.tiers = DatumGetJsonbPCopy(JsonbPGetDatum(tiers));
    MemoryContextSwitchTo(caller);
    place.key = key;
}

constexpr const char* accepted =
    "tiers are 1 to 3 objects with min_spend and reward, of percentages with reward_rate and reward_cap, too.";

std::int64_t number_in(const BookSource& tier, const char* key, std::int64_t unit, std::int64_t most) {
    const JsonbValue* value = lookup(tier, key);
    if (value == nullptr) refuse(tier, key, nullptr, accepted);
    return whole_in(tier, key, value, {unit, 0, most, accepted});
}

}  // namespace

NullableDatum tiers_datum(PreparedBook& book, const Program& program, const Terms& terms) {
    const bool has_tiers = program.gives_share() || terms.count_above > 0;
    if (!has_tiers || terms.reward == 0) return null_datum;
    const TiersKey key = key_of(program, terms);
    WrittenTiers& place = place_of(book, key);
    if (place.tiers == nullptr || place.key != key) keep(book, place, key, write_tiers(book.book, program, terms));
    return known_datum(JsonbPGetDatum(place.tiers));
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
