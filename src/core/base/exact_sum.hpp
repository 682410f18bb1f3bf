// Exact arithmetic on doubles: sums that do not depend on the order of what is added, and rational functions of them.
//
// A sum is one wide fixed-point number, as in U. Kulisch, "Computer Arithmetic and Validity" (2008): every product of
// two doubles is a whole number of units of 2^-2148, so adding one is an integer addition.
#pragma once

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

// Products of doubles, summed exactly. Flat memory, starts as zeros, and equal sums have equal bytes. Products up to
// 2^666 in magnitude can be added 2^63 times; who adds sees to that.
class ExactSum {
  public:
    void add(double value) { add_product(value, 1); }
    void add_product(double left, double right);
    void merge(const ExactSum& other);
    ExactNumber value() const;

  private:
    static constexpr int unit_exponent = -2148;  // of the product of the two smallest doubles
    static constexpr int word_count = 46;

    void add_words(const std::uint64_t (&words)[3], int at);
    void subtract_words(const std::uint64_t (&words)[3], int at);

    std::uint64_t words_[word_count] = {};  // two's complement, the lowest first
};

}  // namespace clientele
