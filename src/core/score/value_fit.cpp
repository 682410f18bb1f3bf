// Gamma-Gamma: Fader, Hardie and Lee (2005), "RFM and CLV"; Fader and Hardie (2013), note 025. Symbols are the papers':
// x purchases of mean value z have the density
//   (v / (v + x z))^q (x z / (v + x z))^(p x) / (z B(p x, q)).
#include "core/score/value_fit.hpp"

#include <algorithm>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/error.hpp"

namespace clientele {
namespace {

using boost::math::digamma;
using boost::math::lgamma;
using boost::math::trigamma;

struct Group {
    double x, z, customers;
};

// Customers with values, equal ones counted together and in ascending order, in units of a power of two.
struct GroupedValues {
    std::vector<Group> groups;
    double customers = 0;
    double sum_log_z = 0;
    double mean = 0;
    int exponent = 0;
};

auto key(const PurchaseValue& value) { return std::tie(value.repeat_purchases, value.mean_value); }

std::vector<PurchaseValue> sorted_buyers(std::span<const PurchaseValue> values) {
    std::vector<PurchaseValue> buyers;
    for (const PurchaseValue& value : values) {
        if (value.repeat_purchases > 0 && value.mean_value > 0) buyers.push_back(value);
    }
    std::sort(buyers.begin(), buyers.end(), [](const auto& one, const auto& other) { return key(one) < key(other); });
    return buyers;
}

GroupedValues group(const std::vector<PurchaseValue>& buyers) {
    GroupedValues result;
    const auto customers = static_cast<double>(buyers.size());
    for (const PurchaseValue& buyer : buyers) result.mean += buyer.mean_value / customers;
    result.exponent = std::ilogb(result.mean);
    result.mean = std::ldexp(result.mean, -result.exponent);
    result.customers = customers;
    for (const PurchaseValue& buyer : buyers) {
        const double z = std::ldexp(buyer.mean_value, -result.exponent);
        result.sum_log_z += std::log(z);
        auto& groups = result.groups;
        if (!groups.empty() && groups.back().x == buyer.repeat_purchases && groups.back().z == z) {
            ++groups.back().customers;
        } else {
            groups.push_back({buyer.repeat_purchases, z, 1});
        }
    }
    return result;
}

class ValueLikelihood : public LogLikelihood {
  public:
    ValueLikelihood(const GroupedValues& values, Poll poll) : values(values), poll(poll) {}

    std::size_t dimensions() const override { return 3; }
    double observations() const override { return values.customers; }

    Derivatives at(const Parameters& parameters, bool) const override {
        const auto [p, q, v, unused] = parameters;
        Derivatives d;
        d.value = -values.sum_log_z;
        const auto& groups = values.groups;
        for (std::size_t begin = 0, end = 0; begin < groups.size(); begin = end) {
            poll();
            const double x = groups[begin].x;
            double customers = 0;
            for (end = begin; end < groups.size() && groups[end].x == x; ++end) {
                customers += groups[end].customers;
                add_value(d, groups[end], p, q, v);
            }
            add_count(d, x, customers, p, q, v);
        }
        return d;
    }

  private:
    // What depends on x only: -ln B(p x, q) + q ln v
    static void add_count(Derivatives& d, double x, double customers, double p, double q, double v) {
        const double n = customers, px = p * x;
        d.value += n * (lgamma(px + q) - lgamma(px) - lgamma(q) + q * std::log(v));
        d.gradient[0] += n * x * (digamma(px + q) - digamma(px));
        d.gradient[1] += n * (digamma(px + q) - digamma(q) + std::log(v));
        d.gradient[2] += n * q / v;
        d.hessian[0][0] += n * x * x * (trigamma(px + q) - trigamma(px));
        d.hessian[1][0] += n * x * trigamma(px + q);
        d.hessian[1][1] += n * (trigamma(px + q) - trigamma(q));
        d.hessian[2][1] += n / v;
        d.hessian[2][2] -= n * q / (v * v);
    }

    // What depends on z, too: p x ln(x z) - (p x + q) ln(v + x z)
    static void add_value(Derivatives& d, const Group& group, double p, double q, double v) {
        const auto [x, z, n] = group;
        const double inverse = 1 / (v + x * z);
        const double log_all = std::log(v + x * z);
        const double log_own = std::log(x * z);
        const double exponent = p * x + q;
        d.value += n * (p * x * log_own - exponent * log_all);
        d.gradient[0] += n * x * (log_own - log_all);
        d.gradient[1] -= n * log_all;
        d.gradient[2] -= n * exponent * inverse;
        d.hessian[2][0] -= n * x * inverse;
        d.hessian[2][1] -= n * inverse;
        d.hessian[2][2] += n * exponent * inverse * inverse;
    }

    const GroupedValues& values;
    const Poll poll;
};

// The mean over customers is p v / (q - 1).
std::vector<Parameters> starts_of(const GroupedValues& values) {
    std::vector<Parameters> starts;
    for (const double p : {0.7, 4.0, 20.0}) {
        for (const double q : {1.5, 4.0, 20.0}) starts.push_back({p, q, values.mean * (q - 1) / p, 0});
    }
    return starts;
}

}  // namespace

void check(const PurchaseValue& value) {
    check_repeat_purchases(value.repeat_purchases);
    if (std::isfinite(value.mean_value) && value.mean_value >= 0) return;
    const bool finite = std::isfinite(value.mean_value);
    throw Error(finite ? ErrorKind::invalid_parameter : ErrorKind::numeric_range,
                finite ? "mean_value is negative" : "mean_value is not finite",
                "The value is " + shown(value.mean_value) + ".",
                "The mean value of a customer's repeat purchases is a finite number, zero or positive.");
}

std::optional<ValueFit> fit_values(std::span<const PurchaseValue> values, Poll poll) {
    for (const PurchaseValue& value : values) check(value);
    const std::vector<PurchaseValue> buyers = sorted_buyers(values);
    if (buyers.empty()) return std::nullopt;
    const GroupedValues grouped = group(buyers);
    const Maximum maximum = maximise(ValueLikelihood(grouped, poll), starts_of(grouped));
    auto [p, q, v, unused] = maximum.parameters;
    auto errors = maximum.standard_errors;
    if (errors) (*errors)[2] = std::ldexp((*errors)[2], grouped.exponent);
    return ValueFit{{p, q, std::ldexp(v, grouped.exponent)},
                    {maximum.log_likelihood - grouped.customers * grouped.exponent * std::log(2.0), errors,
                     static_cast<std::int64_t>(buyers.size()), maximum.iterations, maximum.converged}};
}

}  // namespace clientele
