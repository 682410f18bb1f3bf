#include "core/response/symmetric.hpp"

#include <cmath>

namespace clientele {

Matrix product(const Matrix& left, const Matrix& right) {
    const std::size_t n = left.size();
    Matrix result(n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < n; ++k) {
            for (std::size_t j = 0; j < n; ++j) result(i, j) += left(i, k) * right(k, j);
        }
    }
    return result;
}

std::optional<Matrix> cholesky(const Matrix& matrix, double damping) {
    const std::size_t n = matrix.size();
    Matrix l(n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            double rest = matrix(i, j) + (i == j ? damping : 0);
            const double whole = rest;
            for (std::size_t k = 0; k < j; ++k) rest -= l(i, k) * l(j, k);
            if (i != j) {
                l(i, j) = rest / l(j, j);
            } else if (rest > 1e-12 * std::abs(whole)) {
                l(i, i) = std::sqrt(rest);
            } else {
                return std::nullopt;  // also where something is NaN
            }
        }
    }
    return l;
}

Vector solve(const Matrix& factor, Vector right) {
    const std::size_t n = factor.size();
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < i; ++k) right[i] -= factor(i, k) * right[k];
        right[i] /= factor(i, i);
    }
    for (std::size_t i = n; i-- > 0;) {
        for (std::size_t k = i + 1; k < n; ++k) right[i] -= factor(k, i) * right[k];
        right[i] /= factor(i, i);
    }
    return right;
}

Matrix inverse(const Matrix& factor) {
    const std::size_t n = factor.size();
    Matrix result(n);
    for (std::size_t j = 0; j < n; ++j) {
        Vector unit(n);
        unit[j] = 1;
        const Vector column = solve(factor, std::move(unit));
        for (std::size_t i = 0; i < n; ++i) result(i, j) = column[i];
    }
    return result;
}

}  // namespace clientele
