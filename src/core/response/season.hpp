// The season: what the logarithms of orders are above what the customers' own orders let expect.
#pragma once

#include <span>

#include "core/response/order_value.hpp"

namespace clientele {

// An order without an offer, and what was known before it.
struct SeasonOrder {
    OrderValue known;
    double value = 0;
};

// By such orders, shrunk towards 0 as a fit of the response shrinks it: 0 without any.
double season(std::span<const SeasonOrder> orders);

}  // namespace clientele
