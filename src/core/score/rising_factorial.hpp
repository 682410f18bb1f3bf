// ln Gamma(z + k) / Gamma(z) and its derivatives in z.
#pragma once

#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <cmath>

namespace clientele {

struct RisingFactorial {
    double log = 0, first = 0, second = 0;
};

// For z > 0 and whole k >= 0. For small k it is the product that it stands for, which no cancellation hurts.
inline RisingFactorial log_rising_factorial(double z, double k) {
    RisingFactorial result;
    if (k <= 32) {
        for (double i = 0; i < k; ++i) {
            const double inverse = 1 / (z + i);
            result.log += std::log(z + i);
            result.first += inverse;
            result.second -= inverse * inverse;
        }
    } else {
        result.log = boost::math::lgamma(z + k) - boost::math::lgamma(z);
        result.first = boost::math::digamma(z + k) - boost::math::digamma(z);
        result.second = boost::math::trigamma(z + k) - boost::math::trigamma(z);
    }
    return result;
}

}  // namespace clientele
