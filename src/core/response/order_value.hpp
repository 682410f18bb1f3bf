// What a customer's next order would be worth without an offer: a log-normal whose mean and variance are shrunk towards
// those of the store's customers.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/exact_sum.hpp"
#include "core/profile/profile.hpp"

namespace clientele {

inline constexpr double money_units = 10'000;  // in one of the currency

// What is known of the values of a customer's last orders, of those of positive value.
struct LogValues {
    int count = 0;
    double mean = 0;     // of the logarithms
    double squares = 0;  // of their deviations from it, summed; 0 where all values are equal
};
LogValues log_values(const Summary& profile);

// How the customers of a store differ: the variances of their logarithms are s0 d0 / chi-squared(d0), and their means
// are normal with mean m0 and variance tau2.
struct ValuePrior {
    double d0 = 0, s0 = 0, m0 = 0, tau2 = 0;
};
// Refuses what no store can have.
void check(const ValuePrior& prior);

// The logarithm of the next order is normal with mean mu and standard deviation sigma.
struct OrderValue {
    double mu = 0, sigma = 0;
};
OrderValue order_value(const LogValues& values, const ValuePrior& prior);

// The share of such orders of at least `amount`.
double natural_share(const OrderValue& value, double amount);
// The mean of those that are less; NaN where there are next to none.
double mean_below(const OrderValue& value, double amount);

// What a prior is fitted to: the state of an aggregate. Flat memory, the same bytes for the same profiles in any order.
class ValueSums {
  public:
    // Says nothing of customers of fewer than three orders, or whose orders are all of one value.
    void add(const LogValues& values);
    void merge(const ValueSums& more);
    // Refuses what cannot be a state: it may come from elsewhere.
    void check() const;

    // Nothing below two customers, since nothing is known of how they differ.
    std::optional<ValuePrior> prior() const;

  private:
    static constexpr int least_count = 3;

    std::int64_t customers() const;
    double mean_trigamma() const;
    double mean_variance_of_means(double d0, double s0) const;

    std::int64_t counts_[recent_capacity + 1] = {};  // customers by the number of their values
    ExactSum squares_[recent_capacity + 1];          // and the sums of theirs
    ExactSum e_, ee_;                                // centred log variances
    ExactSum y_, yy_;                                // means
};

}  // namespace clientele
