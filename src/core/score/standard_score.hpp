// Features in standard deviations: where a group of customers lies among all, how far apart groups are, and which group
// of today continues which one of before.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace clientele {

// How many deviations a value lies above the mean, below it if negative; NaN where the feature tells no customers
// apart.
double standard_score(double value, double mean, double deviation);

// What a value adds to the skewness: the cube of its score. A distance from the mean that is a matter of rounding is
// none.
double cubed_score(double value, double mean, double deviation);

// The distance between two points, each coordinate in its own deviations.
double standard_distance(std::span<const double> a, std::span<const double> b, std::span<const double> deviations);

// For each point the number, from 0, of the former one that it continues; -1 for those beyond the former ones. Nearest
// pairs come first, and each point is in one. Both are rows of as many coordinates as there are deviations.
std::vector<int> match_points(std::span<const double> points, std::span<const double> former,
                              std::span<const double> deviations);

// How the values of a feature are distributed over customers.
struct FeatureShape {
    double mean, deviation, minimum, maximum, skewness;
};

// Whether a few customers are so far above all others that a logarithm would bring them closer. Of only two values none
// would: their variance is as large as it can be.
bool is_skewed(const FeatureShape& shape);

}  // namespace clientele
