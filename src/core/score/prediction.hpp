// What a purchase model and a value model predict for one customer.
//
// Numbers are checked by the check functions below and in purchase_model.hpp; the predictions take them as they are.
#pragma once

#include <span>
#include <vector>

#include "core/score/purchase_model.hpp"

namespace clientele {

// Who has a lower chance is probably lost.
inline constexpr double probably_alive_from = 0.5;

// The chance that the customer has not left for good, given the history.
double p_alive(const PurchaseModel& model, const PurchaseHistory& history);

// Orders expected within a horizon after the history's end, each counted as e^-(discount_rate t) where it comes after
// a time of t.
struct Outlook {
    double horizon = 0;
    double discount_rate = 0;
};
// Of a customer who is alive: depends on x and T only. Takes some microseconds, so callers may want to remember it.
double orders_while_alive(const PurchaseModel& model, double repeat_purchases, double age, const Outlook& outlook);
double expected_orders(const PurchaseModel& model, const PurchaseHistory& history, const Outlook& outlook);

// The mean value of an order; NaN where the model has none (p x + q <= 1). Without repeat purchases the population's,
// whatever mean_value is.
double expected_order_value(const ValueModel& model, double repeat_purchases, double mean_value);

// The continuous rate a day that an annual discount stands for: (1 + d)^(-t / 365) = e^-(rate t).
double daily_discount_rate(double annual_discount);

// A total over periods that follow each other, in the proportions in which `by_then`, what is reached by the end of
// each, grows.
std::vector<double> spread_over_periods(double total, std::span<const double> by_then);

// How many of so many days to hold back from a fit, to see whether it foretells them: a third, but a fortnight at least
// and half a year at most; none where a third is less than a week.
int days_held_out(int history_days);

// These refuse what is out of range, naming it and its value.
void check_horizon(double horizon);
void check_mean_value(double mean_value);
void check_margin(double margin);
void check_annual_discount(double annual_discount);

}  // namespace clientele
