#include "core/score/standard_score.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace clientele {

double standard_score(double value, double mean, double deviation) {
    if (deviation == 0) return std::numeric_limits<double>::quiet_NaN();
    return (value - mean) / deviation;
}

double cubed_score(double value, double mean, double deviation) {
    constexpr double rounding = 1e-9;
    if (std::abs(value - mean) <= rounding * deviation) return 0;
    const double score = standard_score(value, mean, deviation);
    return score * score * score;
}

double standard_distance(std::span<const double> a, std::span<const double> b, std::span<const double> deviations) {
    double sum = 0;
    for (std::size_t i = 0; i < deviations.size(); ++i) {
        if (deviations[i] == 0) continue;
        const double difference = (a[i] - b[i]) / deviations[i];
        sum += difference * difference;
    }
    return std::sqrt(sum);
}

namespace {

struct Pair {
    double distance;
    std::size_t former, point;

    // Of pairs equally far apart those of the first former points come first.
    bool operator<(const Pair& other) const {
        return std::tie(distance, former, point) < std::tie(other.distance, other.former, other.point);
    }
};

std::vector<Pair> pairs_by_distance(std::span<const double> points, std::span<const double> former,
                                    std::span<const double> deviations) {
    const std::size_t d = deviations.size();
    std::vector<Pair> pairs;
    for (std::size_t i = 0; i < points.size() / d; ++i) {
        for (std::size_t j = 0; j < former.size() / d; ++j) {
            pairs.push_back({standard_distance(points.subspan(i * d, d), former.subspan(j * d, d), deviations), j, i});
        }
    }
    std::sort(pairs.begin(), pairs.end());
    return pairs;
}

}  // namespace

std::vector<int> match_points(std::span<const double> points, std::span<const double> former,
                              std::span<const double> deviations) {
    const std::size_t d = deviations.size();
    if (d == 0) return {};
    std::vector<int> matched(points.size() / d, -1);
    std::vector<bool> taken(former.size() / d, false);
    for (const Pair& pair : pairs_by_distance(points, former, deviations)) {
        if (matched[pair.point] >= 0 || taken[pair.former]) continue;
        matched[pair.point] = static_cast<int>(pair.former);
        taken[pair.former] = true;
    }
    return matched;
}

bool is_skewed(const FeatureShape& shape) {
    const double largest_variance = (shape.mean - shape.minimum) * (shape.maximum - shape.mean);
    return shape.minimum >= 0 && shape.skewness > 2 &&
           largest_variance > shape.deviation * shape.deviation * (1 + 1e-9);
}

}  // namespace clientele
