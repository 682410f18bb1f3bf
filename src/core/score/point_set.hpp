// Rows of numbers as clustering wants them: in an order of their own, equal rows once, ready for vectors.
//
// The order is that of a hash of the values. So whatever is computed from a set does not depend on how the rows came;
// equal rows meet, and become one point with a weight; and any run of points is a random sample of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/poll.hpp"

namespace clientele {

constexpr std::size_t max_dimensions = 1'000;
constexpr double max_feature = 1e150;  // so that squares of differences, and sums of them, stay finite

// Refuses no numbers, too many, and those that are not finite or beyond max_feature.
void check_features(std::span<const double> features);

// Points lie in blocks: first the first coordinate of all points of a block, then the second, and so on.
class PointSet {
  public:
    static constexpr std::size_t block_size = 64;
    static constexpr std::size_t blocks_per_poll = 64;

    // The rows one after the other; each must have passed check_features().
    PointSet(std::span<const double> rows, std::size_t dimensions, Poll poll = never_give_up);

    // The first points only: a random sample of them, with the same scales.
    PointSet sample(std::size_t points) const;

    // From now on distances divide each coordinate by its population standard deviation; 1 where it is constant.
    void standardize();

    std::size_t size() const { return size_; }  // distinct points
    std::size_t dimensions() const { return scales_.size(); }
    double rows() const { return rows_; }
    std::size_t blocks() const { return (size() + block_size - 1) / block_size; }
    std::size_t block_length(std::size_t block) const { return std::min(block_size, size_ - block * block_size); }
    const double* block(std::size_t block) const { return values_.data() + block * block_size * dimensions(); }
    double value(std::size_t point, std::size_t dimension) const {
        return block(point / block_size)[dimension * block_size + point % block_size];
    }
    std::vector<double> row(std::size_t point) const;

    // How many rows a point stands for; also for the places behind the last point of the last block: 0.
    double weight(std::size_t point) const { return weights_[point]; }
    const double* weights(std::size_t block) const { return weights_.data() + block * block_size; }

    std::span<const double> means() const { return means_; }
    std::span<const double> scales() const { return scales_; }
    std::span<const double> factors() const { return factors_; }  // 1 / scales

    // Sums of coordinates are exact, as integers of units that depend on the set alone: points can be added and taken
    // away in any order, and the mean is always the same. A unit is 2^-99 or less of the largest coordinate.
    using Sum = __int128;
    Sum in_units(double value, std::size_t dimension) const {
        const double scaled = value * scale_to_whole_[dimension];
        const auto whole = static_cast<std::int64_t>(scaled);
        const auto part = static_cast<std::int64_t>((scaled - static_cast<double>(whole)) * one_);
        return static_cast<Sum>(whole) * static_cast<std::int64_t>(one_) + part;
    }
    double mean(Sum sum, std::int64_t weight, std::size_t dimension) const;
    const std::vector<Sum>& totals() const { return totals_; }

  private:
    void append(const double* row);
    void add_up();

    static constexpr double one_ = 0x1p37;  // units of a coordinate whose whole part fills 62 bits

    std::size_t size_ = 0;
    double rows_ = 0;
    std::vector<double> values_, weights_, means_, scales_, factors_, scale_to_whole_;
    std::vector<Sum> totals_;
};

}  // namespace clientele
