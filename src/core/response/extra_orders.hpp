// Orders that come only because of an offer: measured, and believed no more than their measurement is worth.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/poll.hpp"
#include "core/response/response_fit.hpp"
#include "core/response/response_profit.hpp"

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
    double before = 0;  // the customer's orders of the year before it
};

// The orders that a reward adds, in proportion to it: by least squares of the arms' orders on their mean rewards,
// within strata. So those who were offered much are held against those who were offered little, and not only against
// the few who were held out; and a customer's reward, which goes with what they spend, plays no part but through its
// arm's mean. Orders are taken beyond what the year before lets expect (as CUPED does), and who orders often, whose
// numbers vary most, counts for less: a customer of the mean by half of one who never ordered. The error knows that
// customers recur. Nothing varies: a mean of 0, and an infinite error.
struct OrdersByReward {
    double slope = 0, error = 0;  // orders, per reward as a share of the median order
    double mean_reward = 0;       // of those offered
    double all_rewards = 0;       // the mean of all, 0 for the held out
    double all_orders = 0;

    // A customer and horizon, at the mean reward.
    double difference() const { return slope * mean_reward; }
    double difference_error() const { return error * mean_reward; }
};
OrdersByReward orders_by_reward(std::span<const ExposureOrders> exposures, Poll poll = never_give_up);

// By what is believed at the mean reward. Where it is given (an error of 0), or nothing was measured, that is all.
Economics economics_of(const OrdersByReward& measured, const ExtraOrders& believed, double displaced);

// Orders per reward that come only because of the offer, and orders of an exposure that come anyway.
struct ExtraRate {
    double per_reward = 0, own_orders = 0;
};
ExtraRate extra_rate(const OrdersByReward& measured, double per_reward);
// Says of open orders which share of their like comes only because of the offer.
void mark_extra(std::span<ResponseOrder> orders, const ExtraRate& rate);

// A response, and the extra orders that go best with it. Extra orders redeem, however far the threshold is: taken for
// others, they would make customers look as if they spent more for a reward. Redemptions tell more of them than numbers
// of orders do, but only as far as the response is as the model has it; so nothing is earned by what they tell. What
// they leave open of the extra orders is part of the fit's covariance.
struct ResponseWithExtra {
    ResponseFit fit;
    ExtraRate rate;
    int fitted = 3;  // parameters that redemptions by arm have set
};
// `given`: orders per reward that are known; NaN: as measured, and as redemptions have it.
ResponseWithExtra fit_with_extra(std::vector<ResponseOrder>& orders, std::size_t segments, bool q_known,
                                 const OrdersByReward& measured, double given, Poll poll = never_give_up);

}  // namespace clientele
