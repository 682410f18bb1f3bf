// Orders that come only because of an offer: measured, and believed no more than their measurement is worth.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/poll.hpp"

namespace clientele {

struct ExtraOrders {
    double mean = 0, error = 0;
};

// From the orders per customer of those offered less those of the held out, and its standard error: shrunk towards 0,
// since most offers bring next to none (prior: normal, mean 0, standard deviation 0.005), and never below it.
ExtraOrders extra_orders(double difference, double standard_error);

// An exposure, held out or not, and the orders of its horizon.
struct ExposureOrders {
    std::int64_t customer = 0;
    std::int32_t stratum = 0;  // within which chance alone decides on the arm
    std::int32_t arm = 0;      // of all strata: nothing, one combination of terms, or what follows from the customer
    double reward = 0;         // as a share of the median order; 0 where held out
    double orders = 0;
};

// The orders that a reward adds, in proportion to it: by least squares of the arms' orders on their mean rewards,
// within strata. So those who were offered much are held against those who were offered little, and not only against
// the few who were held out; and a customer's reward, which goes with what they spend, plays no part but through its
// arm's mean. The error knows that customers recur. Nothing varies: a mean of 0, and an infinite error.
struct OrdersByReward {
    double slope = 0, error = 0;  // orders, per reward as a share of the median order
    double mean_reward = 0;       // of those offered

    // A customer and horizon, at the mean reward.
    double difference() const { return slope * mean_reward; }
    double difference_error() const { return error * mean_reward; }
};
OrdersByReward orders_by_reward(std::span<const ExposureOrders> exposures, Poll poll = never_give_up);

}  // namespace clientele
