// The tiers of an offer as the column "tiers" has them: an array of objects with min_spend and reward, and of a share
// of the order its reward_rate and reward_cap, too. NULL: the reward is an amount, or what it costs, and there is one
// tier.
#pragma once

#include "pg/kit/nullable.hpp"
#include "pg/offer/offer_book.hpp"

namespace clientele {

// Valid until the next call.
NullableDatum tiers_datum(PreparedBook& book, const Program& program, const Terms& terms);

struct Tiers {
    Tier tiers[most_tiers];
    std::size_t count = 0;
    std::int64_t cap = 0;  // of what a share gives

    std::span<const Tier> all() const { return {tiers, count}; }
};

// Raises an ERROR where it is none of these. The amounts are in the currency that has so many decimals.
Tiers read_tiers(Datum datum, int currency_decimals);

// What an order of this value (with money_decimals) is given by the highest tier that it reaches, else the first would
// give at its threshold; in smallest units.
std::int64_t reward_of_tiers(const Tiers& tiers, __int128 value, int currency_decimals);

}  // namespace clientele
