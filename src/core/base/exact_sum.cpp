#include "core/base/exact_sum.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace clientele {
namespace {

using boost::multiprecision::cpp_int;

// A double as an integer significand and its exponent field: (-1)^negative x significand x 2^(exponent - 1075).
struct Parts {
    std::uint64_t significand;
    int exponent;
};

Parts parts_of(double value) {
    constexpr std::uint64_t hidden_bit = std::uint64_t{1} << 52;
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const int exponent = static_cast<int>(bits >> 52 & 0x7FF);
    const std::uint64_t fraction = bits & (hidden_bit - 1);
    return exponent == 0 ? Parts{fraction, 1} : Parts{fraction | hidden_bit, exponent};
}

std::uint64_t low_word(unsigned __int128 number) { return static_cast<std::uint64_t>(number); }
std::uint64_t high_word(unsigned __int128 number) { return static_cast<std::uint64_t>(number >> 64); }

cpp_int aligned(const cpp_int& digits, int exponent, int to) {
    return exponent == to ? digits : cpp_int(digits << (exponent - to));
}

}  // namespace

ExactNumber::ExactNumber(cpp_int digits, int exponent) : digits_(std::move(digits)), exponent_(exponent) {
    if (digits_ == 0) {
        exponent_ = 0;
        return;
    }
    // Short numbers make short products: the zeros at the end are worth no digits.
    const auto zeros = static_cast<int>(lsb(cpp_int(abs(digits_))));
    digits_ = digits_.sign() < 0 ? cpp_int(-(cpp_int(-digits_) >> zeros)) : cpp_int(digits_ >> zeros);
    exponent_ += zeros;
}

ExactNumber operator+(const ExactNumber& left, const ExactNumber& right) {
    const int exponent = std::min(left.exponent_, right.exponent_);
    ExactNumber sum;
    sum.digits_ = aligned(left.digits_, left.exponent_, exponent) + aligned(right.digits_, right.exponent_, exponent);
    sum.exponent_ = exponent;
    return sum;
}

ExactNumber operator-(const ExactNumber& left, const ExactNumber& right) {
    ExactNumber negative = right;
    negative.digits_ = -negative.digits_;
    return left + negative;
}

ExactNumber operator*(const ExactNumber& left, const ExactNumber& right) {
    ExactNumber product;
    product.digits_ = left.digits_ * right.digits_;
    product.exponent_ = left.exponent_ + right.exponent_;
    return product;
}

ExactNumber::Rounded ExactNumber::rounded() const {
    if (digits_ == 0) return {0, 0};
    cpp_int magnitude = abs(digits_);
    const int surplus = std::max(0, static_cast<int>(msb(magnitude)) - 63);
    magnitude >>= surplus;
    const auto mantissa = static_cast<double>(static_cast<std::uint64_t>(magnitude));
    return {digits_.sign() < 0 ? -mantissa : mantissa, exponent_ + surplus};
}

double quotient(const ExactNumber& dividend, const ExactNumber& divisor) {
    const ExactNumber::Rounded above = dividend.rounded(), below = divisor.rounded();
    return std::ldexp(above.mantissa / below.mantissa, above.exponent - below.exponent);
}

template <int factors>
void ExactSumOf<factors>::add_product(double left, double right) requires(factors == 2) {
    const Parts a = parts_of(left), b = parts_of(right);
    const auto product = static_cast<unsigned __int128>(a.significand) * b.significand;
    if (product == 0) return;
    const std::uint64_t number[] = {low_word(product), high_word(product), 0};
    add_shifted(number, a.exponent + b.exponent - 2, std::signbit(left) != std::signbit(right));
}

template <int factors>
void ExactSumOf<factors>::add_cube(double value) requires(factors == 3) {
    const Parts a = parts_of(value);
    if (a.significand == 0) return;
    const auto square = static_cast<unsigned __int128>(a.significand) * a.significand;
    const auto low = static_cast<unsigned __int128>(low_word(square)) * a.significand;
    const auto high = static_cast<unsigned __int128>(high_word(square)) * a.significand + high_word(low);
    const std::uint64_t number[] = {low_word(low), low_word(high), high_word(high), 0};
    add_shifted(number, 3 * a.exponent - 3, std::signbit(value));
}

template <int factors>
template <std::size_t count>
void ExactSumOf<factors>::add_shifted(const std::uint64_t (&number)[count], int place, bool negative) {
    const int shift = place % 64;
    std::uint64_t words[count], carried = 0;
    for (std::size_t at = 0; at < count; ++at) {
        words[at] = number[at] << shift | carried;
        carried = number[at] >> 1 >> (63 - shift);
    }
    if (negative) {
        subtract_words(words, place / 64);
    } else {
        add_words(words, place / 64);
    }
}

template <int factors>
template <std::size_t count>
void ExactSumOf<factors>::add_words(const std::uint64_t (&words)[count], int at) {
    unsigned __int128 carry = 0;
    for (const std::uint64_t word : words) {
        carry += static_cast<unsigned __int128>(words_[at]) + word;
        words_[at++] = static_cast<std::uint64_t>(carry);
        carry >>= 64;
    }
    while (carry != 0 && at < word_count) carry = ++words_[at++] == 0;
}

template <int factors>
template <std::size_t count>
void ExactSumOf<factors>::subtract_words(const std::uint64_t (&words)[count], int at) {
    std::uint64_t borrow = 0;
    for (const std::uint64_t word : words) {
        const auto rest = static_cast<unsigned __int128>(words_[at]) - word - borrow;
        words_[at++] = static_cast<std::uint64_t>(rest);
        borrow = static_cast<std::uint64_t>(rest >> 64) & 1;
    }
    while (borrow != 0 && at < word_count) borrow = words_[at++]-- == 0;
}

template <int factors>
void ExactSumOf<factors>::merge(const ExactSumOf& other) {
    unsigned __int128 carry = 0;
    for (int at = 0; at < word_count; ++at) {
        carry += static_cast<unsigned __int128>(words_[at]) + other.words_[at];
        words_[at] = static_cast<std::uint64_t>(carry);
        carry >>= 64;
    }
}

template <int factors>
ExactNumber ExactSumOf<factors>::value() const {
    const bool negative = words_[word_count - 1] >> 63 != 0;
    const std::uint64_t extension = negative ? ~std::uint64_t{0} : 0;
    int first = 0, last = word_count;
    while (first < last && words_[first] == 0) ++first;
    while (last > first && words_[last - 1] == extension) --last;
    std::uint64_t magnitude[word_count + 1];
    std::copy(words_ + first, words_ + last, magnitude);
    magnitude[last - first] = extension;
    if (negative) {
        // The complement plus one; a word that is zero has a carry to hand on.
        bool carry = true;
        for (int at = 0; at <= last - first; ++at) {
            magnitude[at] = ~magnitude[at] + static_cast<std::uint64_t>(carry);
            carry = carry && magnitude[at] == 0;
        }
    }
    cpp_int digits;
    import_bits(digits, magnitude, magnitude + (last - first + 1), 64, false);
    return {negative ? cpp_int(-digits) : digits, unit_exponent + 64 * first};
}

template class ExactSumOf<2>;
// One by one: clang 14 would instantiate what only products of two have, too.
template void ExactSumOf<3>::add_cube(double);
template void ExactSumOf<3>::merge(const ExactSumOf&);
template ExactNumber ExactSumOf<3>::value() const;

}  // namespace clientele
