#include "core/base/vectors.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace clientele {
namespace {

TEST(Exponential, IsThatOfTheLibrary) {
    double worst = 0;
    for (double x = -708; x <= 709; x += 0.000'917) worst = std::max(worst, std::abs(exponential(x) / std::exp(x) - 1));
    EXPECT_LT(worst, 2 * std::numeric_limits<double>::epsilon());
    EXPECT_EQ(exponential(0), 1);
}

TEST(Exponential, StopsWhereNumbersDo) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    EXPECT_DOUBLE_EQ(exponential(-infinity), std::exp(-708.0));
    EXPECT_DOUBLE_EQ(exponential(-1e300), std::exp(-708.0));
    EXPECT_DOUBLE_EQ(exponential(infinity), std::exp(709.0));
    EXPECT_DOUBLE_EQ(exponential(1e300), std::exp(709.0));
}

}  // namespace
}  // namespace clientele
