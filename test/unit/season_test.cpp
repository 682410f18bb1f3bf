#include "core/response/season.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace clientele {
namespace {

TEST(Season, IsNothingWithoutOrders) { EXPECT_EQ(season({}), 0); }

// One order of sigma 0.2 weighs as much as the prior of sd 0.2; one of 0.4 a quarter of it.
TEST(Season, IsShrunkByWhatIsKnownOfTheCustomers) {
    const SeasonOrder close{{3, 0.2}, std::exp(3.3)}, vague{{4, 0.4}, std::exp(4.3)};
    EXPECT_NEAR(season(std::vector{close}), 0.15, 1e-12);
    EXPECT_NEAR(season(std::vector{vague}), 0.3 / 5, 1e-12);
    EXPECT_NEAR(season(std::vector{close, vague}), 0.3 * 1.25 / 2.25, 1e-12);
    EXPECT_NEAR(season(std::vector(1000, close)), 0.3 * 1000 / 1001, 1e-12);
}

TEST(Season, SurvivesWhatMakesNoSense) {
    EXPECT_EQ(season(std::vector{SeasonOrder{{3, 0}, 10}, SeasonOrder{{3, 0.2}, 0}}), 0);
    EXPECT_EQ(season(std::vector(100, SeasonOrder{{-4, 0.3}, 1e12})), 1);
    EXPECT_EQ(season(std::vector(100, SeasonOrder{{25, 0.3}, 0.01})), -1);
}

}  // namespace
}  // namespace clientele
