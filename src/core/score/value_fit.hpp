// Fitting the Gamma-Gamma model of order values by maximum likelihood.
#pragma once

#include "core/score/purchase_fit.hpp"

namespace clientele {

// A customer's number of repeat purchases and their mean value: x and the mean of z.
struct PurchaseValue {
    double repeat_purchases = 0;
    double mean_value = 0;
};

struct ValueFit {
    ValueModel model;
    FitReport report;
};

// Refuses what no customer can have.
void check(const PurchaseValue& value);

// The fit to the customers with repeat purchases of a positive mean value, in any order; nothing where there are none.
// Throws Error for a customer that cannot be, and what poll throws.
std::optional<ValueFit> fit_values(std::span<const PurchaseValue> values, Poll poll = never_give_up);

}  // namespace clientele
