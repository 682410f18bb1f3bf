// Exact arithmetic on doubles: sums that do not depend on the order of what is added, and rational functions of them.
//
// A sum is one wide fixed-point number, as in U. Kulisch, "Computer Arithmetic and Validity" (2008): every product of
// two doubles is a whole number of units of 2^-2148, so adding one is an integer addition.
#pragma once

#include <cstddef>
#include <cstdint>

#include <boost/multiprecision/cpp_int.hpp>

namespace clientele {

// A whole number times a power of two. Sums, differences and products are exact.
class ExactNumber {
  public:
    ExactNumber() = default;
    explicit ExactNumber(std::int64_t value) : digits_(value) {}
    ExactNumber(boost::multiprecision::cpp_int digits, int exponent);

    int sign() const { return digits_.sign(); }

    friend ExactNumber operator+(const ExactNumber& left, const ExactNumber& right);
    friend ExactNumber operator-(const ExactNumber& left, const ExactNumber& right);
    friend ExactNumber operator*(const ExactNumber& left, const ExactNumber& right);

    // The quotient as a double, to within two roundings, whatever the sizes of the two; the divisor is not zero.
    friend double quotient(const ExactNumber& dividend, const ExactNumber& divisor);

  private:
    struct Rounded {
        double mantissa;  // up to 2^64
        int exponent;
    };
    Rounded rounded() const;

    boost::multiprecision::cpp_int digits_;
    int exponent_ = 0;
};

// Products of a number of doubles, summed exactly. Flat memory, starts as zeros, and equal sums have equal bytes. Pairs
// up to 2^666 in magnitude, and triples up to 2^1000, can be added 2^63 times; who adds sees to that.
template <int factors>
class ExactSumOf {
  public:
    void add(double value) requires(factors == 2) { add_product(value, 1); }
    void add_product(double left, double right) requires(factors == 2);
    void add_cube(double value) requires(factors == 3);
    void merge(const ExactSumOf& other);
    ExactNumber value() const;

  private:
    static constexpr int unit_exponent = -1074 * factors;  // of the product of the smallest doubles
    static constexpr int word_count = factors == 2 ? 46 : 68;

    // Adds a whole number, its lowest word first, times 2^place units.
    template <std::size_t count>
    void add_shifted(const std::uint64_t (&number)[count], int place, bool negative);
    template <std::size_t count>
    void add_words(const std::uint64_t (&words)[count], int at);
    template <std::size_t count>
    void subtract_words(const std::uint64_t (&words)[count], int at);

    std::uint64_t words_[word_count] = {};  // two's complement, the lowest first
};

using ExactSum = ExactSumOf<2>;
using ExactCubeSum = ExactSumOf<3>;

}  // namespace clientele
