// Models of when customers buy, and of how much they spend: their parameters, and what they are fitted to.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace clientele {

// BG/NBD: Fader, Hardie and Lee (2005), Marketing Science 24(2). MBG/NBD: Batislam, Denizel and Filiztekin (2007).
// Pareto/NBD: Schmittlein, Morrison and Colombo (1987).
enum class PurchaseKind : std::uint8_t { bgnbd, mbgnbd, pareto_nbd };

// In the papers' symbols: r, alpha and then a, b (BG/NBD, MBG/NBD) or s, beta (Pareto/NBD).
struct PurchaseModel {
    PurchaseKind kind = PurchaseKind::bgnbd;
    std::array<double, 4> parameters{};
};

// Gamma-Gamma: Fader, Hardie and Lee (2005), JMR 42(4); Fader and Hardie (2013).
struct ValueModel {
    double p = 0, q = 0, v = 0;
};

// What a purchase model knows of a customer: x, t_x and T, the last two in one unit of time.
struct PurchaseHistory {
    double repeat_purchases = 0;
    double last_purchase_age = 0;
    double age = 0;
};

std::string_view name_of(PurchaseKind kind);

// Of ages and horizons, in any unit of time.
constexpr double largest_age = 1e15;

// These refuse what no customer and no fit can have, naming it and its value.
void check_repeat_purchases(double count);
void check(const PurchaseHistory& history);
void check(const PurchaseModel& model);
void check(const ValueModel& model);

}  // namespace clientele
