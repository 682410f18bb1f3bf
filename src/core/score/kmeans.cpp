#include "core/score/kmeans.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "core/base/error.hpp"
#include "core/base/format.hpp"
#include "core/base/random.hpp"

namespace clientele {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr std::size_t block_size = PointSet::block_size;

// Two points side by side, which every 64-bit processor computes at once.
using Pair = double __attribute__((vector_size(16)));

Pair both(double value) { return Pair{value, value}; }
Pair load(const double* from) { return Pair{from[0], from[1]}; }
void store(double* to, Pair pair) { to[0] = pair[0], to[1] = pair[1]; }
Pair smaller(Pair a, Pair b) { return a < b ? a : b; }

// Calls body with the number of dimensions as a constant where it is small, as 0 where it is not.
template <class Body>
void with_dimensions(std::size_t dimensions, Body body) {
    switch (dimensions) {
#define CLIENTELE_CASE(n) \
    case n:               \
        return body.template operator()<n>();
        CLIENTELE_CASE(1)
        CLIENTELE_CASE(2)
        CLIENTELE_CASE(3)
        CLIENTELE_CASE(4)
        CLIENTELE_CASE(5)
        CLIENTELE_CASE(6)
        CLIENTELE_CASE(7)
        CLIENTELE_CASE(8)
#undef CLIENTELE_CASE
        default:
            return body.template operator()<0>();
    }
}

// Each number twice, as pairs of points need it.
std::vector<Pair> doubled(std::span<const double> values) {
    std::vector<Pair> pairs(values.size());
    std::transform(values.begin(), values.end(), pairs.begin(), both);
    return pairs;
}

// The squared distances of two neighbouring points of a block to a centroid, as squared_distance() has them.
template <std::size_t D>
[[gnu::always_inline]] inline Pair distances(const double* points, const Pair* centroid, const Pair* factors,
                                             std::size_t dimensions) {
    Pair sum = both(0);
    const std::size_t count = D ? D : dimensions;
#pragma GCC unroll 8
    for (std::size_t j = 0; j < count; ++j) {
        const Pair difference = (load(points + j * block_size) - centroid[j]) * factors[j];
        sum += difference * difference;
    }
    return sum;
}

// What scanning all centroids tells of the points of a block: squared distances to the nearest and the next centroid.
struct Scan {
    double nearest[block_size], next[block_size], cluster[block_size];
};

template <std::size_t D>
void scan(const double* block, std::size_t count, const std::vector<Pair>& centroids, const std::vector<Pair>& factors,
          Scan& out) {
    const std::size_t d = D ? D : factors.size(), k = centroids.size() / d;
    for (std::size_t i = 0; i < count; i += 2) {
        Pair nearest = both(infinity), next = nearest, cluster = both(0);
        for (std::size_t c = 0; c < k; ++c) {
            const Pair distance = distances<D>(block + i, centroids.data() + c * d, factors.data(), d);
            const auto nearer = distance < nearest;
            next = smaller(next, nearer ? nearest : distance);
            cluster = nearer ? both(static_cast<double>(c)) : cluster;
            nearest = nearer ? distance : nearest;
        }
        store(out.nearest + i, nearest), store(out.next + i, next), store(out.cluster + i, cluster);
    }
}

// Lloyd's algorithm in the symbols of Hamerly (2010), whose upper bound u(i) and lower bound l(i) of a point are one
// number here, l(i) - u(i). It shrinks by the same amount for all points of a cluster, so nothing is written until a
// point has to be looked at again: drift_[a] sums up these amounts, and expiry_[i] says at which drift that is.
class Lloyd {
  public:
    Lloyd(const PointSet& points, std::span<const double> start, Poll poll)
        : points_(points),
          poll_(poll),
          d_(points.dimensions()),
          k_(start.size() / d_),
          error_(8 * (static_cast<double>(d_) + 8) * epsilon),
          centroids_(start.begin(), start.end()),
          factors_(doubled(points.factors())),
          sums_(start.size()),
          weights_(k_),
          drift_(k_),
          cluster_(points.blocks() * block_size),
          expiry_(cluster_.size(), -infinity) {
        std::copy(points.totals().begin(), points.totals().end(), sums_.begin());
        weights_[0] = static_cast<std::int64_t>(points.rows());
    }

    KmeansModel run() {
        KmeansModel model;
        while (!model.converged && model.iterations < max_iterations) {
            const bool changed = assign() || model.iterations == 0;
            const bool filled = fill_empty_clusters();
            model.converged = !changed && !filled;
            ++model.iterations;
            move_centroids();
        }
        model.inertia = inertia();
        model.centroids = std::move(centroids_);
        model.sizes = std::move(weights_);
        return model;
    }

  private:
    // Puts each point into the cluster of its nearest centroid; whether that changed anything.
    bool assign() {
        bool changed = false;
        pairs_ = doubled(centroids_);
        with_dimensions(d_, [&]<std::size_t D>() {
            std::vector<double> gathered(block_size * d_);
            for (std::size_t b = 0; b < points_.blocks(); ++b) {
                if (b % PointSet::blocks_per_poll == 0) poll_();
                changed |= assign_block<D>(b, gathered.data());
            }
        });
        return changed;
    }

    template <std::size_t D>
    bool assign_block(std::size_t b, double* gathered) {
        std::uint8_t expired[block_size];
        const std::size_t count = find_expired(b, expired);
        if (count == 0) return false;
        const double* block = points_.block(b);
        if (count < block_size) {
            for (std::size_t j = 0; j < d_; ++j) {
                for (std::size_t i = 0; i < count; ++i)
                    gathered[j * block_size + i] = block[j * block_size + expired[i]];
            }
            block = gathered;
        }
        Scan found;
        scan<D>(block, count, pairs_, factors_, found);
        bool changed = false;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t point = b * block_size + expired[i];
            const auto a = static_cast<std::uint16_t>(found.cluster[i]);
            if (a != cluster_[point]) {
                move_point(point, a);
                changed = true;
            }
            expiry_[point] = (drift_[a] + gap(found.nearest[i], found.next[i])) * (1 - epsilon);
        }
        return changed;
    }

    // Which points of a block may have another nearest centroid than at their last scan.
    std::size_t find_expired(std::size_t b, std::uint8_t* expired) const {
        const std::size_t first = b * block_size, length = points_.block_length(b);
        std::size_t count = 0;
        for (std::size_t i = 0; i < length; ++i) {
            expired[count] = static_cast<std::uint8_t>(i);
            count += !(drift_[cluster_[first + i]] < expiry_[first + i]);
        }
        return count;
    }

    // l - u, less what rounding may have done to distances then and may do to them later. (As long as the drift is
    // below the gap, no distance that matters exceeds twice their sum.)
    double gap(double nearest, double next) const {
        const double u = std::sqrt(nearest), l = std::sqrt(next);
        return l * (1 - error_) - u * (1 + error_);
    }

    void move_point(std::size_t point, std::uint16_t to) {
        const auto weight = static_cast<std::int64_t>(points_.weight(point));
        PointSet::Sum *old_sum = &sums_[cluster_[point] * d_], *new_sum = &sums_[to * d_];
        for (std::size_t j = 0; j < d_; ++j) {
            const PointSet::Sum part = points_.in_units(points_.value(point, j), j) * weight;
            old_sum[j] -= part;
            new_sum[j] += part;
        }
        weights_[cluster_[point]] -= weight;
        weights_[to] += weight;
        cluster_[point] = to;
    }

    // A cluster without points gets the one that is farthest from its own centroid; whether there was any.
    bool fill_empty_clusters() {
        bool filled = false;
        for (std::size_t c = 0; c < k_; ++c) {
            if (weights_[c] > 0) continue;
            const std::size_t point = farthest_point();
            if (point == points_.size()) break;
            move_point(point, static_cast<std::uint16_t>(c));
            expiry_[point] = -infinity;
            filled = true;
        }
        return filled;
    }

    // Of points that share their cluster with others; of equally far ones the first.
    std::size_t farthest_point() const {
        std::size_t farthest = points_.size();
        double distance = 0;
        for (std::size_t i = 0; i < points_.size(); ++i) {
            if (i % (block_size * PointSet::blocks_per_poll) == 0) poll_();
            const double own = distance_to_own(i);
            if (!(own > distance) || static_cast<double>(weights_[cluster_[i]]) <= points_.weight(i)) continue;
            distance = own;
            farthest = i;
        }
        return farthest;
    }

    double distance_to_own(std::size_t point) const {
        const double* centroid = &centroids_[cluster_[point] * d_];
        double sum = 0;
        for (std::size_t j = 0; j < d_; ++j) {
            const double difference = (points_.value(point, j) - centroid[j]) * points_.factors()[j];
            sum += difference * difference;
        }
        return sum;
    }

    // Each centroid becomes the mean of its points; p(c) is how far it went.
    void move_centroids() {
        std::vector<double> p(k_), mean(d_);
        for (std::size_t c = 0; c < k_; ++c) {
            if (weights_[c] == 0) continue;
            double* centroid = &centroids_[c * d_];
            for (std::size_t j = 0; j < d_; ++j) mean[j] = points_.mean(sums_[c * d_ + j], weights_[c], j);
            p[c] = std::sqrt(squared_distance(mean.data(), centroid, points_.factors())) * (1 + error_);
            std::copy(mean.begin(), mean.end(), centroid);
        }
        update_drift(p);
    }

    // u(i) grows by p(a(i)), and l(i) shrinks by the largest p of the other clusters.
    void update_drift(const std::vector<double>& p) {
        const auto r = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
        double second = 0;
        for (std::size_t c = 0; c < k_; ++c) {
            if (c != r) second = std::max(second, p[c]);
        }
        for (std::size_t c = 0; c < k_; ++c) {
            drift_[c] = (drift_[c] + (p[c] + (c == r ? second : p[r])) * (1 + epsilon)) * (1 + epsilon);
        }
    }

    double inertia() const {
        double sum = 0;
        for (std::size_t b = 0; b < points_.blocks(); ++b) {
            if (b % PointSet::blocks_per_poll == 0) poll_();
            double part = 0;
            for (std::size_t i = b * block_size; i < b * block_size + points_.block_length(b); ++i) {
                part += points_.weight(i) * distance_to_own(i);
            }
            sum += part;
        }
        return sum;
    }

    const PointSet& points_;
    const Poll poll_;
    const std::size_t d_, k_;
    const double error_;  // more than the relative error of a distance, several times over
    std::vector<double> centroids_;
    std::vector<Pair> pairs_;
    const std::vector<Pair> factors_;
    std::vector<PointSet::Sum> sums_;
    std::vector<std::int64_t> weights_;
    std::vector<double> drift_;
    std::vector<std::uint16_t> cluster_;
    std::vector<double> expiry_;
};

// k-means++ in its greedy form (Arthur and Vassilvitskii's section 7 and code): of several candidates that are drawn
// with probability proportional to D(x)^2, the one that leaves the smallest sum of D(x)^2 is taken.
class Start {
  public:
    Start(const PointSet& points, std::size_t clusters, Random random, Poll poll)
        : points_(points),
          poll_(poll),
          random_(random),
          d_(points.dimensions()),
          k_(clusters),
          factors_(doubled(points.factors())),
          squares_(points.blocks() * block_size, 1),
          parts_(points.blocks()) {}

    std::vector<double> run() {
        const auto trials = 2 + static_cast<std::size_t>(std::log(static_cast<double>(k_)));
        for (std::size_t b = 0; b < parts_.size(); ++b) {
            parts_[b] = std::accumulate(points_.weights(b), points_.weights(b) + block_size, 0.0);
        }
        take(draw());
        while (centroids_.size() < k_ * d_) {
            std::vector<std::size_t> candidates(trials);
            for (std::size_t& candidate : candidates) candidate = draw();
            take(best_of(candidates));
        }
        return std::move(centroids_);
    }

  private:
    // A point by its weight times D(x)^2, of which parts_ has the sums by blocks.
    std::size_t draw() {
        double rest = random_.uniform() * std::accumulate(parts_.begin(), parts_.end(), 0.0);
        std::size_t b = 0;
        while (b + 1 < parts_.size() && rest >= parts_[b]) rest -= parts_[b++];
        // Rounding may carry us beyond the end: then it is the last point that can be drawn at all.
        std::size_t drawn = b * block_size;
        for (std::size_t i = drawn; i < b * block_size + points_.block_length(b) && rest >= 0; ++i) {
            const double share = points_.weight(i) * squares_[i];
            if (share > 0) drawn = i;
            rest -= share;
        }
        return drawn;
    }

    std::size_t best_of(const std::vector<std::size_t>& candidates) {
        std::vector<double> rows;
        for (const std::size_t candidate : candidates) append(rows, candidate);
        const std::vector<Pair> pairs = doubled(rows);
        std::vector<double> sums(candidates.size());
        with_dimensions(d_, [&]<std::size_t D>() {
            for (std::size_t b = 0; b < parts_.size(); ++b) {
                if (b % PointSet::blocks_per_poll == 0) poll_();
                for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += sum_with<D>(b, &pairs[c * d_]);
            }
        });
        return candidates[static_cast<std::size_t>(std::min_element(sums.begin(), sums.end()) - sums.begin())];
    }

    // The sum of D(x)^2 in a block if this were a centroid, too.
    template <std::size_t D>
    double sum_with(std::size_t b, const Pair* centroid) const {
        const double *block = points_.block(b), *weights = points_.weights(b), *squares = &squares_[b * block_size];
        Pair sum = both(0);
        for (std::size_t i = 0; i < block_size; i += 2) {
            const Pair distance = distances<D>(block + i, centroid, factors_.data(), d_);
            sum += load(weights + i) * smaller(distance, load(squares + i));
        }
        return sum[0] + sum[1];
    }

    // Makes a point a centroid.
    void take(std::size_t point) {
        const bool first = centroids_.empty();
        const std::size_t at = centroids_.size();
        append(centroids_, point);
        const std::vector<Pair> centroid = doubled(std::span(centroids_).subspan(at));
        if (first) std::fill(squares_.begin(), squares_.end(), infinity);
        with_dimensions(d_, [&]<std::size_t D>() {
            for (std::size_t b = 0; b < parts_.size(); ++b) {
                if (b % PointSet::blocks_per_poll == 0) poll_();
                parts_[b] = lower<D>(b, centroid.data());
            }
        });
    }

    // Updates D(x)^2 of a block for a new centroid, and returns their sum.
    template <std::size_t D>
    double lower(std::size_t b, const Pair* centroid) {
        const double *block = points_.block(b), *weights = points_.weights(b);
        double* squares = &squares_[b * block_size];
        Pair sum = both(0);
        for (std::size_t i = 0; i < block_size; i += 2) {
            const Pair distance = smaller(distances<D>(block + i, centroid, factors_.data(), d_), load(squares + i));
            store(squares + i, distance);
            sum += load(weights + i) * distance;
        }
        return sum[0] + sum[1];
    }

    void append(std::vector<double>& rows, std::size_t point) const {
        for (std::size_t j = 0; j < d_; ++j) rows.push_back(points_.value(point, j));
    }

    const PointSet& points_;
    const Poll poll_;
    Random random_;
    const std::size_t d_, k_;
    const std::vector<Pair> factors_;
    std::vector<double> squares_;  // D(x)^2: squared distance to the nearest centroid so far
    std::vector<double> parts_;    // their weighted sum by blocks
    std::vector<double> centroids_;
};

KmeansModel best_restart(const PointSet& points, const KmeansOptions& options, Poll poll) {
    KmeansModel best;
    for (int restart = 0; restart < options.restarts; ++restart) {
        KmeansModel model = lloyd(points, kmeans_start(points, options, restart, poll), poll);
        if (restart == 0 || model.inertia < best.inertia) best = std::move(model);
    }
    return best;
}

void sort_clusters(KmeansModel& model, std::size_t d) {
    std::vector<std::size_t> order(model.sizes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto row = [&](std::size_t c) { return std::span(model.centroids).subspan(c * d, d); };
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if (model.sizes[a] != model.sizes[b]) return model.sizes[a] > model.sizes[b];
        return std::lexicographical_compare(row(a).begin(), row(a).end(), row(b).begin(), row(b).end());
    });
    KmeansModel sorted = model;
    for (std::size_t c = 0; c < order.size(); ++c) {
        sorted.sizes[c] = model.sizes[order[c]];
        std::copy_n(row(order[c]).begin(), d, sorted.centroids.begin() + static_cast<std::ptrdiff_t>(c * d));
    }
    model = std::move(sorted);
}

void check_enough_points(const PointSet& points, int clusters) {
    if (static_cast<std::size_t>(clusters) <= points.size()) return;
    throw Error(ErrorKind::invalid_parameter, "k is larger than the number of distinct points",
                fmt::format("k is {}; of {} rows, {} are distinct.", clusters, static_cast<std::int64_t>(points.rows()),
                            points.size()),
                "Ask for fewer clusters.");
}

void check_range(const char* name, int value, int most) {
    if (value >= 1 && value <= most) return;
    throw Error(ErrorKind::invalid_parameter, std::string(name) + " is out of range", fmt::format("It is {}.", value),
                fmt::format("{} is from 1 to {}.", name, most));
}

}  // namespace

void check(const KmeansOptions& options) {
    check_range("k", options.clusters, max_clusters);
    check_range("restarts", options.restarts, max_restarts);
}

KmeansModel lloyd(const PointSet& points, std::span<const double> start, Poll poll) {
    return Lloyd(points, start, poll).run();
}

std::vector<double> kmeans_start(const PointSet& points, const KmeansOptions& options, int restart, Poll poll) {
    check_enough_points(points, options.clusters);
    const Random random(options.seed, static_cast<std::uint64_t>(restart));
    return Start(points, static_cast<std::size_t>(options.clusters), random, poll).run();
}

KmeansModel fit_kmeans(const PointSet& points, const KmeansOptions& options, Poll poll) {
    check(options);
    KmeansModel model;
    if (options.restarts == 1 || points.size() <= restart_points) {
        model = best_restart(points, options, poll);
    } else {
        model = lloyd(points, best_restart(points.sample(restart_points), options, poll).centroids, poll);
    }
    sort_clusters(model, points.dimensions());
    return model;
}

int nearest_centroid(std::span<const double> row, std::span<const double> centroids, std::span<const double> factors) {
    int nearest = 0;
    double distance = infinity;
    for (std::size_t c = 0; c * row.size() < centroids.size(); ++c) {
        const double other = squared_distance(row.data(), &centroids[c * row.size()], factors);
        if (!(other < distance)) continue;
        distance = other;
        nearest = static_cast<int>(c);
    }
    return nearest;
}

}  // namespace clientele
