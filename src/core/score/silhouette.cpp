#include "core/score/silhouette.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"

namespace clientele {
namespace {

// The points that are looked at, the first ones of their set, each as a row with its cluster and its weight.
struct Sample {
    std::vector<double> rows, weights;
    std::vector<std::size_t> clusters;
    std::vector<double> cluster_weights;
};

Sample sample_of(const PointSet& points, std::span<const double> centroids) {
    Sample sample;
    sample.cluster_weights.resize(centroids.size() / points.dimensions());
    for (std::size_t i = 0; i < std::min(points.size(), silhouette_points); ++i) {
        const std::vector<double> row = points.row(i);
        const auto cluster = static_cast<std::size_t>(nearest_centroid(row, centroids, points.factors()));
        sample.rows.insert(sample.rows.end(), row.begin(), row.end());
        sample.weights.push_back(points.weight(i));
        sample.clusters.push_back(cluster);
        sample.cluster_weights[cluster] += points.weight(i);
    }
    return sample;
}

// s(i), from the sums of the distances of point i to the rows of each cluster. Rows that equal i's are at distance 0.
double silhouette_of(const Sample& sample, std::size_t i, const std::vector<double>& sums) {
    const std::size_t own = sample.clusters[i];
    const double others = sample.cluster_weights[own] - 1;
    double b = std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < sums.size(); ++c) {
        if (c != own && sample.cluster_weights[c] > 0) b = std::min(b, sums[c] / sample.cluster_weights[c]);
    }
    if (others == 0 || std::isinf(b)) return 0;
    const double a = sums[own] / others;
    return a == b ? 0 : (b - a) / std::max(a, b);
}

}  // namespace

double mean_silhouette(const PointSet& points, std::span<const double> centroids, Poll poll) {
    const Sample sample = sample_of(points, centroids);
    const std::size_t d = points.dimensions(), count = sample.clusters.size();
    double total = 0, rows = 0;
    std::vector<double> sums(sample.cluster_weights.size());
    for (std::size_t i = 0; i < count; ++i) {
        if (i % 32 == 0) poll();
        std::fill(sums.begin(), sums.end(), 0.0);
        for (std::size_t j = 0; j < count; ++j) {
            const double squared = squared_distance(&sample.rows[i * d], &sample.rows[j * d], points.factors());
            sums[sample.clusters[j]] += sample.weights[j] * std::sqrt(squared);
        }
        total += sample.weights[i] * silhouette_of(sample, i, sums);
        rows += sample.weights[i];
    }
    return total / rows;
}

KmeansCandidate kmeans_candidate(const PointSet& points, const KmeansOptions& options, Poll poll) {
    KmeansCandidate candidate;
    candidate.model = fit_kmeans(points, options, poll);
    candidate.silhouette = mean_silhouette(points, candidate.model.centroids, poll);
    return candidate;
}

std::vector<KmeansCandidate> kmeans_candidates(const PointSet& points, KmeansOptions options, Poll poll) {
    if (points.size() < 2) {
        throw Error(ErrorKind::invalid_parameter, "there are too few distinct points to choose a number of clusters",
                    "All rows are alike.", "Two distinct rows of features are needed.");
    }
    std::vector<KmeansCandidate> candidates;
    const auto most = std::min<std::size_t>(static_cast<std::size_t>(options.clusters), points.size());
    for (std::size_t k = 2; k <= most; ++k) {
        options.clusters = static_cast<int>(k);
        candidates.push_back(kmeans_candidate(points, options, poll));
    }
    std::max_element(candidates.begin(), candidates.end(), [](const KmeansCandidate& a, const KmeansCandidate& b) {
        return a.silhouette < b.silhouette;
    })->chosen = true;
    return candidates;
}

}  // namespace clientele
