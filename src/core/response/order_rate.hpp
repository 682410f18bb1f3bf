// How many orders a customer would place without an offer: Poisson, with a rate that is gamma distributed over
// customers.
#pragma once

namespace clientele {

struct OrderRate {
    double shape = 1;  // of the gamma
    double mean = 0;   // orders a day
    double days = 0;   // of observation

    // To expect within a horizon in days, of a customer who placed `orders` in the days of observation.
    double expected(double horizon, double orders) const { return horizon * (shape + orders) / (shape / mean + days); }
};

// By the mean and the sample variance of customers' numbers of orders.
OrderRate order_rate(double mean, double variance, double days);

}  // namespace clientele
