#include "core/response/extra_orders.hpp"

#include <algorithm>
#include <cmath>

namespace clientele {
namespace {

constexpr double prior_sd = 0.005;

}  // namespace

ExtraOrders extra_orders(double difference, double standard_error) {
    const double both = std::hypot(prior_sd, standard_error), share = prior_sd / both;
    return {std::max(difference * share * share, 0.0), share * standard_error};
}

}  // namespace clientele
