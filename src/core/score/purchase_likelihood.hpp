// The likelihood of customers' purchase histories under BG/NBD, MBG/NBD and Pareto/NBD.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/poll.hpp"
#include "core/score/maximum_likelihood.hpp"
#include "core/score/purchase_model.hpp"

namespace clientele {

// The distinct histories in ascending order, so that nothing depends on the order they came in, and how many customers
// each of them has. Times are in units of 2^exponent, near the mean age: the fit is the same in days and in seconds.
struct DistinctHistories {
    std::vector<PurchaseHistory> rows;
    std::vector<double> customers;
    int exponent = 0;
};

DistinctHistories distinct(std::span<const PurchaseHistory> histories);

// Every n-th customer, in the order of their histories: a sample much like the whole.
DistinctHistories thinned(const DistinctHistories& histories, std::size_t n);

// The same, so that what depends on x, t_x or T alone need be computed once for each of their distinct values.
struct GroupedHistories {
    explicit GroupedHistories(const DistinctHistories& histories);

    std::vector<double> purchases, last_ages, ages;          // the distinct values of x, t_x, T
    std::vector<double> customers_by_x;                      // for each of purchases
    std::vector<double> customers_by_age, purchases_by_age;  // for each of ages
    struct Group {
        std::uint32_t x, t_x, age;  // places in purchases, last_ages, ages
        double customers;
    };
    std::vector<Group> groups;
    double customers = 0;
    double total_purchases = 0;
    double total_age = 0;
};

// Of times in the unit of the histories, which must outlive it.
std::unique_ptr<LogLikelihood> purchase_likelihood(PurchaseKind kind, const GroupedHistories& histories, Poll poll);

}  // namespace clientele
