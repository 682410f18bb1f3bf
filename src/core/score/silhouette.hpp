// How well clusters are apart, and so how many there should be: the silhouette of Rousseeuw (1987), "Silhouettes: a
// graphical aid to the interpretation and validation of cluster analysis", J. Comput. Appl. Math. 20.
#pragma once

#include <span>
#include <vector>

#include "core/score/kmeans.hpp"
#include "core/score/point_set.hpp"

namespace clientele {

// Silhouettes compare every point with every other one, so of large sets a random sample of this many points is taken.
constexpr std::size_t silhouette_points = 2'000;

// The mean over rows of (b - a) / max(a, b): a is a row's mean distance to the others of its cluster, b the one to the
// rows of the nearest other cluster. From -1 to 1; a row that is alone in its cluster counts as 0.
double mean_silhouette(const PointSet& points, std::span<const double> centroids, Poll poll = never_give_up);

struct KmeansCandidate {
    double silhouette = 0;
    bool chosen = false;  // the largest silhouette; of equal ones the fewest clusters
    KmeansModel model;
};

// The fit that kmeans gives for these options, with its silhouette.
KmeansCandidate kmeans_candidate(const PointSet& points, const KmeansOptions& options, Poll poll = never_give_up);

constexpr int max_candidate = 50;

// Fits for 2, 3, ... options.clusters clusters, or as many as there are distinct points; one of them is chosen.
std::vector<KmeansCandidate> kmeans_candidates(const PointSet& points, KmeansOptions options,
                                               Poll poll = never_give_up);

}  // namespace clientele
