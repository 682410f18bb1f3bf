#include "core/score/standard_score.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace clientele {
namespace {

using Points = std::vector<double>;

TEST(StandardScore, IsTheDistanceFromTheMeanInDeviations) {
    EXPECT_EQ(standard_score(16, 10, 4), 1.5);
    EXPECT_EQ(standard_score(4, 10, 4), -1.5);
    EXPECT_TRUE(std::isnan(standard_score(10, 10, 0)));
    EXPECT_TRUE(std::isnan(standard_score(std::nan(""), 10, 4)));
}

TEST(CubedScore, IsTheCubeOfTheScoreAndNothingWhereOnlyRoundingTellsTheValueFromTheMean) {
    EXPECT_EQ(cubed_score(16, 10, 4), 3.375);
    EXPECT_EQ(cubed_score(4, 10, 4), -3.375);
    EXPECT_EQ(cubed_score(10 + 3e-9, 10, 4), 0);
    EXPECT_EQ(cubed_score(10, 10, 0), 0);
    EXPECT_TRUE(std::isnan(cubed_score(11, 10, 0)));
}

TEST(StandardDistance, CountsEachCoordinateInItsOwnDeviations) {
    EXPECT_EQ(standard_distance(Points{0, 10}, Points{6, 410}, Points{2, 100}), 5);
    EXPECT_EQ(standard_distance(Points{0, 10}, Points{6, 410}, Points{2, 0}), 3);  // the second tells nobody apart
    EXPECT_EQ(standard_distance(Points{1, 2}, Points{1, 2}, Points{2, 100}), 0);
}

TEST(MatchPoints, TakesTheNearestPairsFirstAndEachPointOnce) {
    // The nearest of the first is the former one at 10, which is nearer to the second.
    EXPECT_EQ(match_points(Points{8, 9}, Points{10, 0}, Points{1}), (std::vector{1, 0}));
    EXPECT_EQ(match_points(Points{8, 9, 100}, Points{10, 0}, Points{1}), (std::vector{1, 0, -1}));
    EXPECT_EQ(match_points(Points{1}, Points{10, 0}, Points{1}), (std::vector{1}));
    EXPECT_EQ(match_points(Points{1, 2}, Points{}, Points{1}), (std::vector{-1, -1}));
    EXPECT_TRUE(match_points({}, {}, {}).empty());
}

TEST(MatchPoints, OfEqualDistancesTakesTheFirstFormerPointAndThenTheFirstPoint) {
    EXPECT_EQ(match_points(Points{5, 5}, Points{4, 6}, Points{1}), (std::vector{0, 1}));
    EXPECT_EQ(match_points(Points{0, 0, 10, 1}, Points{10, 0, 0, 1}, Points{5, 1}), (std::vector{1, 0}));
}

TEST(IsSkewed, AFewFarAboveAllOthers) {
    const FeatureShape skewed{10, 30, 0, 400, 5};
    EXPECT_TRUE(is_skewed(skewed));
    EXPECT_FALSE(is_skewed({10, 30, 0, 400, 2}));                   // as skewed as an exponential distribution
    EXPECT_FALSE(is_skewed({10, 30, -1, 400, 5}));                  // without a logarithm
    EXPECT_FALSE(is_skewed({0.01, std::sqrt(0.0099), 0, 1, 9.8}));  // 1 of 100 customers has it, the others do not
}

}  // namespace
}  // namespace clientele
