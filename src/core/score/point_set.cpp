#include "core/score/point_set.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/format.hpp"
#include "core/base/random.hpp"

namespace clientele {
namespace {

struct Keyed {
    std::uint64_t hash;
    std::uint32_t row;
};

using Keys = std::vector<Keyed>;

// -0 is 0.
double plain(double value) { return value + 0.0; }

std::uint64_t hash_of(std::span<const double> row) {
    std::uint64_t hash = row.size();
    for (const double value : row) hash = mix_bits(hash + golden_gamma + std::bit_cast<std::uint64_t>(plain(value)));
    return hash;
}

constexpr std::size_t rows_per_poll = 65'536;
constexpr int digit_bits = 11, digits = 3;
constexpr int unsorted_bits = 64 - digit_bits * digits;

// Radix sort by the leading bits of the hash, the least significant digit first.
void sort_by_leading_bits(Keys& keys, Poll poll) {
    Keys other(keys.size());
    for (int digit = 0; digit < digits; ++digit) {
        poll();
        const int shift = unsorted_bits + digit * digit_bits;
        const auto digit_of = [shift](std::uint64_t hash) { return (hash >> shift) & ((1U << digit_bits) - 1); };
        std::array<std::size_t, 1 << digit_bits> place{};
        for (const Keyed& key : keys) ++place[digit_of(key.hash)];
        std::size_t before = 0;
        for (std::size_t& count : place) before += std::exchange(count, before);
        for (const Keyed& key : keys) other[place[digit_of(key.hash)]++] = key;
        keys.swap(other);
    }
}

// Sorts the runs of equal leading bits by all of the hash, and rows of equal hash by their values.
void sort_runs(Keys& keys, std::span<const double> rows, std::size_t dimensions) {
    const auto less = [&](const Keyed& a, const Keyed& b) {
        if (a.hash != b.hash) return a.hash < b.hash;
        const double *x = rows.data() + a.row * dimensions, *y = rows.data() + b.row * dimensions;
        return std::lexicographical_compare(x, x + dimensions, y, y + dimensions);
    };
    for (auto from = keys.begin(); from != keys.end();) {
        const auto leading = from->hash >> unsorted_bits;
        auto to = from + 1;
        while (to != keys.end() && to->hash >> unsorted_bits == leading) ++to;
        // Mostly one row, or equal ones.
        if (to - from > 1 && !std::is_sorted(from, to, less)) std::sort(from, to, less);
        from = to;
    }
}

Keys sorted_keys(std::span<const double> rows, std::size_t dimensions, Poll poll) {
    Keys keys(rows.size() / dimensions);
    for (std::size_t row = 0; row < keys.size(); ++row) {
        if (row % rows_per_poll == 0) poll();
        keys[row] = {hash_of(rows.subspan(row * dimensions, dimensions)), static_cast<std::uint32_t>(row)};
    }
    sort_by_leading_bits(keys, poll);
    poll();
    sort_runs(keys, rows, dimensions);
    return keys;
}

}  // namespace

void check_features(std::span<const double> features) {
    if (features.empty() || features.size() > max_dimensions) {
        throw Error(ErrorKind::invalid_parameter,
                    fmt::format("features must have from 1 to {} numbers", max_dimensions),
                    fmt::format("There are {}.", features.size()));
    }
    for (std::size_t j = 0; j < features.size(); ++j) {
        if (std::abs(features[j]) <= max_feature) continue;
        throw Error(ErrorKind::numeric_range, "feature is not a usable number",
                    fmt::format("Feature {} is {}.", j + 1, shown(features[j])),
                    "Features are finite, of magnitude up to " + shown(max_feature) + "; NULL leaves a row out.");
    }
}

PointSet::PointSet(std::span<const double> rows, std::size_t dimensions, Poll poll)
    : means_(dimensions),
      scales_(dimensions, 1),
      factors_(dimensions, 1),
      scale_to_whole_(dimensions),
      totals_(dimensions) {
    const Keys keys = sorted_keys(rows, dimensions, poll);
    const auto row = [&](const Keyed& key) { return rows.data() + key.row * dimensions; };
    values_.reserve((keys.size() + block_size) * dimensions);
    weights_.reserve(keys.size() + block_size);
    const Keyed* last = nullptr;
    for (const Keyed& key : keys) {
        if (last && last->hash == key.hash && std::equal(row(key), row(key) + dimensions, row(*last))) {
            weights_[size_ - 1] += 1;
        } else {
            append(row(key));
        }
        last = &key;
        if (size_ % rows_per_poll == 0) poll();
    }
    rows_ = static_cast<double>(keys.size());
    poll();
    add_up();
}

PointSet PointSet::sample(std::size_t points) const {
    PointSet part = *this;
    part.size_ = points;
    part.values_.resize(part.blocks() * block_size * dimensions());
    part.weights_.resize(part.blocks() * block_size);
    std::fill(part.weights_.begin() + static_cast<std::ptrdiff_t>(points), part.weights_.end(), 0.0);
    part.rows_ = std::accumulate(part.weights_.begin(), part.weights_.end(), 0.0);
    std::fill(part.totals_.begin(), part.totals_.end(), 0);
    part.add_up();
    return part;
}

// Adds a point of weight 1 at the end.
void PointSet::append(const double* row) {
    if (size_ % block_size == 0) {
        weights_.resize(size_ + block_size);
        values_.resize((size_ + block_size) * dimensions());
    }
    double* block = values_.data() + size_ / block_size * block_size * dimensions();
    for (std::size_t j = 0; j < dimensions(); ++j) block[j * block_size + size_ % block_size] = plain(row[j]);
    weights_[size_++] = 1;
}

// The whole part of the largest coordinate has 62 bits, a unit 37 bits more: so there is room for 2^27 rows, which is
// more than an aggregate can take.
void PointSet::add_up() {
    for (std::size_t j = 0; j < dimensions(); ++j) {
        double largest = 0;
        for (std::size_t i = 0; i < size_; ++i) largest = std::max(largest, std::abs(value(i, j)));
        scale_to_whole_[j] = std::ldexp(1, std::min(61 - (largest > 0 ? std::ilogb(largest) : 0), 1000));
        for (std::size_t i = 0; i < size_; ++i) {
            totals_[j] += in_units(value(i, j), j) * static_cast<std::int64_t>(weights_[i]);
        }
        means_[j] = mean(totals_[j], static_cast<std::int64_t>(rows_), j);
    }
}

double PointSet::mean(Sum sum, std::int64_t weight, std::size_t dimension) const {
    const Sum quotient = sum / weight;
    return static_cast<double>(quotient) / one_ / scale_to_whole_[dimension];
}

void PointSet::standardize() {
    for (std::size_t j = 0; j < dimensions(); ++j) {
        double squares = 0;
        for (std::size_t i = 0; i < size_; ++i) {
            const double difference = value(i, j) - means_[j];
            squares += weights_[i] * difference * difference;
        }
        const double deviation = std::sqrt(squares / rows_);
        scales_[j] = std::isnormal(deviation) && std::isnormal(1 / deviation) ? deviation : 1;
        factors_[j] = 1 / scales_[j];
    }
}

std::vector<double> PointSet::row(std::size_t point) const {
    std::vector<double> row(dimensions());
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = value(point, j);
    return row;
}

}  // namespace clientele
