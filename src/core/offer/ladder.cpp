#include "core/offer/ladder.hpp"

#include <string>

#include "core/base/error.hpp"
#include "core/base/format.hpp"

namespace clientele {
namespace {

// The distance between rungs just below the amount, which is at most 1,000.
std::int64_t step_below(std::int64_t amount) {
    if (amount <= 10) return 1;
    if (amount <= 30) return 5;
    if (amount <= 100) return 10;
    if (amount <= 200) return 25;
    if (amount <= 500) return 50;
    return 100;
}

void check_range(std::int64_t amount) {
    if (amount >= 0 && amount <= highest_rung) return;
    throw Error(ErrorKind::numeric_range, "amount is outside the ladder", fmt::format("The amount is {}.", amount),
                fmt::format("The ladder has rungs for amounts from 0 to {}.", highest_rung));
}

// The distance between the rungs around the amount, which is above 0. The pattern of 100 to 1,000 repeats in each
// decade above.
std::int64_t step_around(std::int64_t amount) {
    std::int64_t decade = 1;
    while (amount > 1'000 * decade) decade *= 10;
    const std::int64_t in_decade = (amount + decade - 1) / decade;
    return step_below(in_decade) * decade;
}

}  // namespace

std::int64_t ladder_rung(std::int64_t amount) {
    check_range(amount);
    if (amount == 0) return 1;
    const std::int64_t step = step_around(amount);
    return (amount + step - 1) / step * step;
}

std::int64_t rung_at_or_below(std::int64_t amount) {
    check_range(amount);
    const std::int64_t step = step_around(amount);
    return amount / step * step;
}

std::int64_t rung_above(std::int64_t amount) {
    const std::int64_t rung = ladder_rung(amount);
    return rung < highest_rung ? ladder_rung(rung + 1) : rung;
}

}  // namespace clientele
