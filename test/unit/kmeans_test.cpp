#include "core/score/kmeans.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "core/base/error.hpp"
#include "core/base/random.hpp"
#include "core/score/silhouette.hpp"

namespace clientele {
namespace {

using Rows = std::vector<double>;

// Blobs around centers on a coarse grid; rounded ones have many equal rows and many ties.
Rows blobs(std::size_t count, std::size_t d, std::size_t centers, bool rounded, std::uint64_t seed) {
    Random random(seed, 0);
    Rows rows;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t center = random.bits() % centers;
        for (std::size_t j = 0; j < d; ++j) {
            const double noise = 3 * (random.uniform() + random.uniform() + random.uniform() - 1.5);
            const double value = static_cast<double>(mix_bits(center * d + j) % 8) + noise;
            rows.push_back(rounded ? std::round(value) : value);
        }
    }
    return rows;
}

Rows shuffled(const Rows& rows, std::size_t d, std::uint64_t seed) {
    Random random(seed, 1);
    Rows other = rows;
    for (std::size_t i = rows.size() / d - 1; i > 0; --i) {
        const std::size_t j = random.bits() % (i + 1);
        std::swap_ranges(other.begin() + i * d, other.begin() + (i + 1) * d, other.begin() + j * d);
    }
    return other;
}

Rows first_points(const PointSet& points, std::size_t count) {
    Rows rows;
    for (std::size_t i = 0; i < count; ++i) {
        for (const double value : points.row(i)) rows.push_back(value);
    }
    return rows;
}

// Lloyd's algorithm as it is written down, every distance computed.
KmeansModel plain_lloyd(const PointSet& points, const Rows& start) {
    const std::size_t d = points.dimensions(), k = start.size() / d;
    KmeansModel model;
    model.centroids = start;
    std::vector<int> last(points.size(), -1);
    while (!model.converged) {
        ++model.iterations;
        std::vector<PointSet::Sum> sums(k * d);
        model.sizes.assign(k, 0);
        model.converged = true;
        for (std::size_t i = 0; i < points.size(); ++i) {
            const Rows row = points.row(i);
            const int a = nearest_centroid(row, model.centroids, points.factors());
            if (a != last[i]) model.converged = false;
            last[i] = a;
            const auto weight = static_cast<std::int64_t>(points.weight(i));
            model.sizes[a] += weight;
            for (std::size_t j = 0; j < d; ++j) {
                sums[a * d + j] += points.in_units(row[j], j) * weight;
            }
        }
        for (std::size_t c = 0; c < k; ++c) {
            for (std::size_t j = 0; j < d; ++j) {
                model.centroids[c * d + j] = points.mean(sums[c * d + j], model.sizes[c], j);
            }
        }
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
        const Rows row = points.row(i);
        model.inertia +=
            points.weight(i) * squared_distance(row.data(), &model.centroids[last[i] * d], points.factors());
    }
    return model;
}

void expect_same(const KmeansModel& a, const KmeansModel& b) {
    EXPECT_EQ(a.centroids, b.centroids);
    EXPECT_EQ(a.sizes, b.sizes);
    EXPECT_EQ(a.iterations, b.iterations);
    EXPECT_EQ(a.converged, b.converged);
    EXPECT_NEAR(a.inertia, b.inertia, 1e-12 * b.inertia);
}

std::string message_of(auto&& body) {
    try {
        body();
    } catch (const Error& error) {
        return error.message + " | " + error.detail + " | " + error.hint;
    }
    return "no error";
}

TEST(PointSet, DoesNotDependOnTheOrderOfRows) {
    for (const bool rounded : {false, true}) {
        const Rows rows = blobs(1'000, 3, 5, rounded, 1);
        const PointSet one(rows, 3), other(shuffled(rows, 3, 2), 3);
        ASSERT_EQ(one.size(), other.size());
        EXPECT_EQ(one.size() < 1'000, rounded);
        EXPECT_EQ(one.rows(), 1'000);
        double weight = 0;
        for (std::size_t i = 0; i < one.size(); ++i) {
            ASSERT_EQ(one.row(i), other.row(i));
            ASSERT_EQ(one.weight(i), other.weight(i));
            weight += one.weight(i);
        }
        EXPECT_EQ(weight, 1'000);
    }
}

TEST(PointSet, TakesMinusZeroForZero) {
    const PointSet points(Rows{0.0, -0.0, 1}, 1);
    EXPECT_EQ(points.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) EXPECT_FALSE(std::signbit(points.value(i, 0)));
}

TEST(PointSet, StandardizesByThePopulationsDeviation) {
    PointSet points(Rows{1, 7, 3, 7, 5, 7, 7, 7}, 2);
    points.standardize();
    EXPECT_EQ(points.means()[0], 4);
    EXPECT_DOUBLE_EQ(points.scales()[0], std::sqrt(5));
    EXPECT_EQ(points.scales()[1], 1);  // constant
}

TEST(PointSet, HasExactMeans) {
    const PointSet points(Rows{0.1, 0.1, 0.1, 1e13, 1, -1e13}, 1);
    EXPECT_DOUBLE_EQ(points.means()[0], 1.3 / 6);
    const PointSet alike(Rows(7, 0.1), 1);
    EXPECT_EQ(alike.means()[0], 0.1);
    const PointSet extreme(Rows{1e150, -1e150, 1e-300}, 1);
    EXPECT_TRUE(std::isfinite(extreme.means()[0]));
}

TEST(PointSet, RefusesWhatIsNoNumber) {
    EXPECT_EQ(message_of([] { check_features({}); }), "features must have from 1 to 1000 numbers | There are 0. | ");
    EXPECT_EQ(
        message_of([] {
            check_features(Rows{1, std::nan("")});
        }),
        "feature is not a usable number | Feature 2 is NaN. | Features are finite, of magnitude up to 1e+150; NULL "
        "leaves a row out.");
    EXPECT_NE(message_of([] { check_features(Rows{-INFINITY}); }), "no error");
    EXPECT_NE(message_of([] { check_features(Rows{2e150}); }), "no error");
    EXPECT_EQ(message_of([] { check_features(Rows{-1e150}); }), "no error");
}

TEST(Kmeans, IsLloydToTheLastBit) {
    for (std::size_t d = 1; d <= 10; ++d) {
        for (const std::size_t k : {1, 2, 8, 20}) {
            for (const int kind : {0, 1, 2}) {
                SCOPED_TRACE(std::to_string(d) + " dimensions, " + std::to_string(k) + " clusters, kind " +
                             std::to_string(kind));
                PointSet points(blobs(2'000, d, 6, kind == 1, d * 100 + k), d);
                if (kind == 2) points.standardize();
                if (points.size() < k) continue;
                const Rows start = first_points(points, k);
                const KmeansModel expected = plain_lloyd(points, start);
                if (std::count(expected.sizes.begin(), expected.sizes.end(), 0) == 0) {
                    expect_same(lloyd(points, start), expected);
                }
            }
        }
    }
}

TEST(Kmeans, IsLloydWhereValuesAreFarFromZeroAndTiesAbound) {
    Rows rows;
    for (int x = 0; x < 40; ++x) {
        for (int y = 0; y < 40; ++y) rows.insert(rows.end(), {1e9 + x, 1e-9 * y});
    }
    for (const bool standardized : {false, true}) {
        PointSet points(rows, 2);
        if (standardized) points.standardize();
        const Rows start = {1e9, 0, 1e9 + 20, 2e-8, 1e9 + 39, 3.9e-8, 1e9 + 39, 0};
        expect_same(lloyd(points, start), plain_lloyd(points, start));
    }
}

TEST(Kmeans, DoesNotDependOnTheOrderOfRows) {
    for (const std::size_t count : {500, 70'000}) {
        const Rows rows = blobs(count, 2, 4, false, count);
        const KmeansOptions options{4, 7, 3};
        const KmeansModel one = fit_kmeans(PointSet(rows, 2), options);
        const KmeansModel other = fit_kmeans(PointSet(shuffled(rows, 2, 5), 2), options);
        EXPECT_EQ(one.centroids, other.centroids);
        EXPECT_EQ(one.sizes, other.sizes);
        EXPECT_EQ(one.inertia, other.inertia);
        EXPECT_EQ(one.iterations, other.iterations);
    }
}

TEST(Kmeans, EndsWhereNothingChangesAlsoAfterRestartsOnASample) {
    const PointSet points(blobs(100'000, 2, 4, false, 3), 2);
    ASSERT_GT(points.size(), restart_points);
    const KmeansModel model = fit_kmeans(points, {4, 0, 10});
    EXPECT_TRUE(model.converged);
    const KmeansModel again = plain_lloyd(points, model.centroids);
    EXPECT_EQ(again.iterations, 2);
    EXPECT_EQ(again.centroids, model.centroids);
    EXPECT_EQ(again.sizes, model.sizes);
}

TEST(Kmeans, OrdersClustersBySize) {
    const PointSet points(Rows{0, 0.1, 10, 10.1, 10.2, 20, 30}, 1);
    const KmeansModel model = fit_kmeans(points, {4, 0, 10});
    EXPECT_EQ(model.sizes, (std::vector<std::int64_t>{3, 2, 1, 1}));
    EXPECT_DOUBLE_EQ(model.centroids[0], 10.1);
    EXPECT_DOUBLE_EQ(model.centroids[1], 0.05);
    EXPECT_EQ(model.centroids[2], 20);
    EXPECT_EQ(model.centroids[3], 30);
}

TEST(Kmeans, GivesEmptyClustersTheFarthestPoint) {
    const PointSet points(Rows{0, 1, 2, 10, 11, 50}, 1);
    const KmeansModel model = lloyd(points, Rows{5, 1000, 2000});
    EXPECT_TRUE(model.converged);
    EXPECT_EQ(model.sizes, (std::vector<std::int64_t>{3, 1, 2}));
    EXPECT_EQ(model.centroids, (Rows{1, 50, 10.5}));
    EXPECT_DOUBLE_EQ(model.inertia, 2.5);
}

TEST(Kmeans, TakesTheFirstOfEquallyNearCentroids) {
    const Rows centroids = {0, 2, 4}, one = {1};
    EXPECT_EQ(nearest_centroid(Rows{1}, centroids, one), 0);
    EXPECT_EQ(nearest_centroid(Rows{3}, centroids, one), 1);
    const KmeansModel model = lloyd(PointSet(Rows{0, 1, 2}, 1), Rows{0, 2});
    EXPECT_EQ(model.sizes, (std::vector<std::int64_t>{2, 1}));
}

TEST(Kmeans, GivesEveryDistinctPointItsClusterAndNoMore) {
    Rows rows;
    for (int i = 0; i < 3'000; ++i) rows.push_back(0.1 * (i % 30));
    const PointSet points(rows, 1);
    const KmeansModel model = fit_kmeans(points, {30, 0, 1});
    EXPECT_EQ(model.inertia, 0);
    EXPECT_EQ(model.sizes, std::vector<std::int64_t>(30, 100));
    EXPECT_EQ(message_of([&] {
                  fit_kmeans(points, {31, 0, 1});
              }),
              "k is larger than the number of distinct points | k is 31; of 3000 rows, 30 are distinct. | Ask for "
              "fewer clusters.");
    EXPECT_EQ(message_of([&] {
                  fit_kmeans(points, {0, 0, 1});
              }),
              "k is out of range | It is 0. | k is from 1 to 1000.");
    EXPECT_EQ(message_of([&] {
                  fit_kmeans(points, {2, 0, 0});
              }),
              "restarts is out of range | It is 0. | restarts is from 1 to 1000.");
}

TEST(Kmeans, StandsExtremeValues) {
    for (const bool standardized : {false, true}) {
        PointSet points(Rows{1e150, 1e-300, -1e150, -1e-300, 0, 5e-324, 1e150, 3e-300}, 2);
        if (standardized) points.standardize();
        for (int k = 1; k <= 4; ++k) {
            const KmeansModel model = fit_kmeans(points, {k, 0, 3});
            EXPECT_TRUE(std::isfinite(model.inertia));
            for (const double value : model.centroids) EXPECT_TRUE(std::isfinite(value));
        }
    }
}

TEST(Kmeans, StartsFromDistinctPointsBySeed) {
    const PointSet points(blobs(1'000, 2, 5, true, 9), 2);
    const Rows one = kmeans_start(points, {10, 1, 1}, 0);
    EXPECT_EQ(one, kmeans_start(points, {10, 1, 1}, 0));
    EXPECT_NE(one, kmeans_start(points, {10, 2, 1}, 0));
    EXPECT_NE(one, kmeans_start(points, {10, 1, 1}, 1));
    EXPECT_EQ(PointSet(one, 2).size(), 10U);
}

int polls_left;

TEST(Kmeans, CanBeGivenUp) {
    const PointSet points(blobs(50'000, 2, 4, false, 3), 2);
    polls_left = 100;
    const Poll poll = [] {
        if (--polls_left == 0) throw 42;
    };
    EXPECT_THROW(fit_kmeans(points, {8, 0, 10}, poll), int);
}

TEST(Silhouette, IsRousseeuws) {
    const PointSet points(Rows{0, 1, 10, 11}, 1);
    EXPECT_DOUBLE_EQ(mean_silhouette(points, Rows{0.5, 10.5}), (9.5 / 10.5 + 8.5 / 9.5) / 2);
    // Equal rows count as often as they are there, and a row that is alone counts as 0.
    const PointSet weighted(Rows{0, 0, 1, 10}, 1);
    EXPECT_DOUBLE_EQ(mean_silhouette(weighted, Rows{0.3, 10}), (2 * (9.5 / 10) + 8.0 / 9) / 4);
    EXPECT_EQ(mean_silhouette(weighted, Rows{5}), 0);
}

TEST(Silhouette, ChoosesTheNumberOfBlobs) {
    Rows rows;
    Random random(3, 0);
    for (int i = 0; i < 9'000; ++i) {
        rows.insert(rows.end(), {20.0 * (i % 3) + random.uniform(), 10.0 * (i % 3 == 1) + random.uniform()});
    }
    const auto candidates = kmeans_candidates(PointSet(rows, 2), {6, 0, 3});
    ASSERT_EQ(candidates.size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(candidates[i].model.sizes.size(), i + 2);
        EXPECT_EQ(candidates[i].chosen, i == 1);
        EXPECT_LT(candidates[i].model.inertia, i > 0 ? candidates[i - 1].model.inertia : INFINITY);
    }
    EXPECT_GT(candidates[1].silhouette, 0.9);
}

TEST(Silhouette, TriesNoMoreClustersThanPoints) {
    EXPECT_EQ(kmeans_candidates(PointSet(Rows{1, 2, 2, 5}, 1), {10, 0, 1}).size(), 2U);
    EXPECT_EQ(
        message_of([] {
            kmeans_candidates(PointSet(Rows{1, 1}, 1), {10, 0, 1});
        }),
        "there are too few distinct points to choose a number of clusters | All rows are alike. | Two distinct rows "
        "of features are needed.");
}

// The flowers of iris.csv, where the real data is: ../shared/data beside the source tree, or CLIENTELE_DATA.
Rows iris() {
    const char* named = std::getenv("CLIENTELE_DATA");
    const auto beside = std::filesystem::path(__FILE__).parent_path() / "../../../shared/data";
    std::ifstream file((named ? std::filesystem::path(named) : beside) / "iris.csv");
    Rows rows;
    std::string line;
    for (std::getline(file, line); std::getline(file, line);) {
        std::istringstream fields(line);
        for (int j = 0; j < 4 && std::getline(fields, line, ','); ++j) rows.push_back(std::stod(line));
    }
    return rows;
}

TEST(Iris, HasThePublishedClustersFromFixedRows) {
    const Rows rows = iris();
    if (rows.empty()) GTEST_SKIP() << "there is no iris.csv";
    ASSERT_EQ(rows.size(), 600U);
    Rows start;
    for (const std::size_t row : {0, 50, 100}) start.insert(start.end(), &rows[row * 4], &rows[row * 4] + 4);
    const PointSet points(rows, 4);
    const KmeansModel model = lloyd(points, start);
    EXPECT_EQ(model.iterations, 4);
    EXPECT_EQ(model.sizes, (std::vector<std::int64_t>{50, 62, 38}));
    EXPECT_NEAR(model.inertia, 78.851441426146, 1e-9);
    const double centroids[] = {5.006,
                                3.428,
                                1.4620000000000002,
                                0.24600000000000055,
                                5.901612903225806,
                                2.7483870967741937,
                                4.393548387096774,
                                1.4338709677419355,
                                6.85,
                                3.0736842105263156,
                                5.742105263157894,
                                2.0710526315789473};
    for (std::size_t j = 0; j < 12; ++j) EXPECT_NEAR(model.centroids[j], centroids[j], 1e-9);
    EXPECT_NEAR(mean_silhouette(points, model.centroids), 0.5528190123564094, 1e-9);
}

TEST(Random, IsSplitmix64) {
    EXPECT_EQ(mix_bits(golden_gamma), 0xE220A8397B1DCDAFU);  // its first number for the state 0
    Random random(0, 0);
    double sum = 0;
    for (int i = 0; i < 10'000; ++i) sum += random.uniform();
    EXPECT_NEAR(sum / 10'000, 0.5, 0.01);
}

}  // namespace
}  // namespace clientele
