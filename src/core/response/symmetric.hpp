// Symmetric positive definite matrices of a few dozen rows.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace clientele {

using Vector = std::vector<double>;

class Matrix {
  public:
    explicit Matrix(std::size_t size = 0) : size_(size), values_(size * size) {}

    std::size_t size() const { return size_; }
    double& operator()(std::size_t row, std::size_t column) { return values_[row * size_ + column]; }
    double operator()(std::size_t row, std::size_t column) const { return values_[row * size_ + column]; }

  private:
    std::size_t size_;
    std::vector<double> values_;
};

Matrix product(const Matrix& left, const Matrix& right);

// Lower triangular L with L L' = matrix + damping on its diagonal; none where that is not positive definite in working
// precision.
std::optional<Matrix> cholesky(const Matrix& matrix, double damping = 0);

// The solution x of L L' x = right.
Vector solve(const Matrix& factor, Vector right);

// The inverse of L L'.
Matrix inverse(const Matrix& factor);

}  // namespace clientele
