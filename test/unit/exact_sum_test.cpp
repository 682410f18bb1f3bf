#include "core/base/exact_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/base/random.hpp"

namespace clientele {
namespace {

double number_of(const ExactSum& sum) { return quotient(sum.value(), ExactNumber(1)); }

ExactSum sum_of(const std::vector<double>& values) {
    ExactSum sum;
    for (const double value : values) sum.add(value);
    return sum;
}

bool has_same_bytes(const ExactSum& left, const ExactSum& right) {
    return std::memcmp(&left, &right, sizeof left) == 0;
}

TEST(ExactSum, OneValueIsThatValue) {
    constexpr double tiny = std::numeric_limits<double>::denorm_min();
    for (const double value :
         {0.0, -0.0, 1.0, -1.0, 0.1, -0.1, 1e100, -1e100, tiny, -tiny, 3e-310, 1e-100, 123456.789}) {
        EXPECT_EQ(number_of(sum_of({value})), value) << value;
    }
}

TEST(ExactSum, NothingIsLostBesideLargeValues) {
    EXPECT_EQ(number_of(sum_of({1e100, 1, -1e100})), 1);
    EXPECT_EQ(number_of(sum_of({1e100, 1e-300, -1e100})), 1e-300);
    EXPECT_EQ(number_of(sum_of({-1e100, 5e-324, 1e100})), 5e-324);
    EXPECT_EQ(number_of(sum_of({1, 1e-17, -1})), 1e-17);
}

TEST(ExactSum, ProductsAreExact) {
    ExactSum sum;
    sum.add_product(1 + 0x1p-52, 1 + 0x1p-52);
    sum.add(-1);
    sum.add(-0x1p-51);
    EXPECT_EQ(number_of(sum), 0x1p-104);
    ExactSum least;
    least.add_product(5e-324, -5e-324);
    EXPECT_EQ(quotient(least.value() * ExactNumber(1), sum_of({5e-324}).value()), -5e-324);
}

TEST(ExactSum, AnyOrderAndAnyPartsGiveTheSameBytes) {
    Random random(1, 1);
    std::vector<double> values(3'000);
    for (double& value : values) {
        value = std::ldexp(random.uniform() - 0.5, static_cast<int>(random.uniform() * 600) - 300);
    }
    const ExactSum forwards = sum_of(values);
    std::reverse(values.begin(), values.end());
    EXPECT_TRUE(has_same_bytes(sum_of(values), forwards));
    for (const int at : {0, 1, 1'500, 3'000}) {
        ExactSum left = sum_of({values.begin(), values.begin() + at});
        left.merge(sum_of({values.begin() + at, values.end()}));
        EXPECT_TRUE(has_same_bytes(left, forwards));
    }
    for (const double value : std::vector<double>(values)) values.push_back(-value);
    EXPECT_TRUE(has_same_bytes(sum_of(values), ExactSum()));
}

TEST(ExactSum, WholeNumbersAgreeWithIntegers) {
    Random random(2, 1);
    ExactSum sum, products;
    __int128 expected = 0, expected_products = 0;
    for (int i = 0; i < 20'000; ++i) {
        const auto left = static_cast<std::int64_t>(random.bits() >> 20) - (std::int64_t{1} << 43);
        const auto right = static_cast<std::int64_t>(random.bits() >> 24) - (std::int64_t{1} << 39);
        sum.add(static_cast<double>(left));
        products.add_product(static_cast<double>(left), static_cast<double>(right));
        expected += left;
        expected_products += static_cast<__int128>(left) * right;
    }
    EXPECT_EQ(number_of(sum), static_cast<double>(expected));
    EXPECT_EQ(number_of(products), static_cast<double>(expected_products));
}

TEST(ExactNumber, Arithmetic) {
    const ExactNumber three(3), tenth = sum_of({0.1}).value(), tiny = sum_of({1e-300}).value();
    EXPECT_EQ(quotient(three, ExactNumber(-4)), -0.75);
    EXPECT_EQ(quotient(three * tenth - tenth - tenth, tenth), 1);
    EXPECT_DOUBLE_EQ(quotient(tenth, tenth * tenth), 10);
    EXPECT_EQ(quotient(tiny * tiny * three, tiny * tiny), 3);
    EXPECT_EQ((three - three).sign(), 0);
    EXPECT_EQ((tiny - three).sign(), -1);
    EXPECT_EQ(quotient(three - three, three), 0);
}

double cube_of(double value) {
    ExactCubeSum sum;
    sum.add_cube(value);
    return quotient(sum.value(), ExactNumber(1));
}

TEST(ExactCubeSum, CubesAreExact) {
    for (const double value : {0.0, 1.0, -3.0, 7e30, -0.5}) EXPECT_EQ(cube_of(value), value * value * value) << value;
    EXPECT_NEAR(cube_of(-1e100) / -1e300, 1, 1e-14);
    ExactCubeSum sum;
    sum.add_cube(1 + 0x1p-52);  // 1 + 3 x 2^-52 + 3 x 2^-104 + 2^-156
    sum.add_cube(-1);
    const ExactNumber rest = sum.value() - ExactNumber(3) * sum_of({0x1p-52}).value();
    EXPECT_EQ(quotient(rest - ExactNumber(3) * sum_of({0x1p-104}).value(), ExactNumber(1)), 0x1p-156);
}

TEST(ExactCubeSum, AnyOrderAndAnyPartsGiveTheSameBytes) {
    const std::vector<double> values = {1e100, -1e100, 5e-324, 3, -3, 1e-100, 0.1, -1e99, 123456.789};
    ExactCubeSum forwards, backwards, first, second;
    for (const double value : values) forwards.add_cube(value);
    for (auto value = values.rbegin(); value != values.rend(); ++value) backwards.add_cube(*value);
    for (std::size_t at = 0; at < values.size(); ++at) (at % 3 == 0 ? first : second).add_cube(values[at]);
    first.merge(second);
    EXPECT_EQ(std::memcmp(&forwards, &backwards, sizeof forwards), 0);
    EXPECT_EQ(std::memcmp(&forwards, &first, sizeof forwards), 0);
}

}  // namespace
}  // namespace clientele
