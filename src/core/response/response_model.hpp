// A fitted response as offers are chosen by it: what is believed, where it was tried, and when it was learnt.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/calendar.hpp"
#include "core/response/order_rate.hpp"
#include "core/response/response_profit.hpp"

namespace clientele {

// In millionths. What lies outside is not known.
struct TriedRange {
    std::int64_t least = 0, greatest = 0;
};

struct ResponseModel {
    ResponseBelief belief;              // without a season of its own: that is estimated anew
    std::vector<std::string> segments;  // that have a d of their own, in its order
    TriedRange stretch, reward_rate;
    OrderRate orders;  // of a customer without an offer, where there is no purchase model
    double horizon_days = 0;
    Instant known_to = 0;                     // what it was fitted to ends here
    bool outdated = false;                    // it was found not to hold any more
    std::vector<std::string> sensitive = {};  // segments by which nobody is treated otherwise

    // -1: none of its own.
    std::int32_t segment_of(std::string_view name) const;
    bool is_sensitive(std::string_view name) const;
    bool is_outdated(Instant as_of) const;
    // To expect within the horizon, by the orders up to as_of.
    double expected_orders(double placed, Instant as_of) const;
};

// Refuses parameters and covariances that no fit has. The covariance: the rows of its lower triangle, one after the
// other.
ResponseFit response_fit(std::span<const double> parameters, std::span<const double> lower_triangle, bool q_known);

// Refuses what no store can have.
void check(const Economics& economics);
void check(const OrderRate& rate);

}  // namespace clientele
