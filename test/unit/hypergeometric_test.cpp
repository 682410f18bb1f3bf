#include "core/score/hypergeometric.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace clientele {
namespace {

double relative_error(double found, double expected) { return std::fabs(found / expected - 1); }

// 2F1(1, 1; 2; z) = -ln(1 - z) / z, 2F1(a, b; b; z) = (1 - z)^-a, both DLMF 15.4.
TEST(Hypergeometric, ElementaryCases) {
    EXPECT_EQ(hypergeometric_2f1(0.3, 0.7, 1.9, 0), 1);
    for (const double z : {1e-9, 0.1, 0.5, 0.9, 0.999, 1 - 1e-9, -0.5, -3.0, -1e6}) {
        EXPECT_LT(relative_error(hypergeometric_2f1(1, 1, 2, z), -std::log1p(-z) / z), 3e-12) << z;
    }
    for (const double z : {0.3, 0.99, -0.3, -1e4}) {
        EXPECT_LT(relative_error(hypergeometric_2f1(-1, 2, 5, z), 1 - 2 * z / 5), 1e-12) << z;
    }
}

// The complement reaches where 1 - z has no digits left.
TEST(Hypergeometric, NearOne) {
    const double tiny = 1e-30;
    EXPECT_LT(relative_error(hypergeometric_2f1(1, 1, 2, 1, tiny), -std::log(tiny)), 1e-12);
    // Gauss' sum, DLMF 15.4.20: Gamma(c) Gamma(c - a - b) / (Gamma(c - a) Gamma(c - b)).
    const double sum = std::tgamma(3.5) * std::tgamma(1.8) / (std::tgamma(2.6) * std::tgamma(2.7));
    EXPECT_LT(relative_error(hypergeometric_2f1(0.9, 0.8, 3.5, 1, tiny), sum), 1e-12);
}

struct Point {
    double a, b, c, z, complement, expected;
};

// Computed with mpmath at 50 digits: slow series, series that cancel, small and large parameters.
TEST(Hypergeometric, AgainstHighPrecision) {
    const Point points[] = {
        {1, 0.55, 2.16, 0.9, 0.1, 1.5124115533613821},
        {1, 132.55, 134.16, 0.05, 0.95, 1.0519674007415749},
        {1, 5000.5, 5002.1, 0.999, 0.001, 781.27995259387348},
        {1, 0.01, 0.03, 0.999999, 1e-06, 253107.86034834426},
        {0.6, 0.8, 3.2, 0.9986, 0.0014, 1.2702663400065214},
        {-99.5, 0.7, 1.2, 0.8, 0.2, 0.024156010596911362},
        {-5.5, 2.0, 2.001, 0.9999, 0.0001, 2.7997445716205671e-5},
        {1001, 300, 601, -0.03125, 1.03125, 2.2732583403464698e-7},
        {1001, 300, 601, -0.5, 1.5, 6.0605481262485874e-83},
        {3001.24, 0.79, 3003.2, -8.0, 9.0, 0.17633867111394456},
        {2.5, 0.001, 0.002, -100000.0, 100001.0, 0.49364543527792145},
        {10001, 10000, 20000, -0.001, 1.001, 0.0067472129212099567},
        {0.8, 0.001, 0.002, 0.99999, 1e-05, 4945.202007828777},
        {50, 3000, 3100, 0.5, 0.5, 232952291402905.74},
    };
    for (const auto& [a, b, c, z, complement, expected] : points) {
        EXPECT_LT(relative_error(hypergeometric_2f1(a, b, c, z, complement), expected), 2e-12)
            << a << ' ' << b << ' ' << c << ' ' << z;
        EXPECT_LT(relative_error(hypergeometric_2f1(b, a, c, z, complement), expected), 2e-12)
            << a << ' ' << b << ' ' << c << ' ' << z;
    }
}

}  // namespace
}  // namespace clientele
