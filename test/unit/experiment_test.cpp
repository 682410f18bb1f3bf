#include "core/experiment/experiment.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/base/error.hpp"
#include "core/experiment/moments.hpp"

namespace clientele {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double srm(const std::vector<std::int64_t>& observed, const std::vector<double>& expected) {
    return srm_pvalue(observed, expected);
}

std::vector<double> holm(std::vector<double> p) {
    adjust_holm(p);
    return p;
}

// growthbook packages/back-end/test/stats.test.ts
TEST(SampleRatio, Published) {
    EXPECT_NEAR(srm({1000, 1200}, {0.5, 0.5}), 2.0079e-05, 5e-10);
    EXPECT_NEAR(srm({310, 98}, {0.75, 0.25}), 0.647434186, 5e-10);
    EXPECT_NEAR(srm({1000, 1200, 900}, {0.5, 0.5, 0}), 2.0079e-05, 5e-10);
    EXPECT_NEAR(srm({0, 10, 10}, {0.34, 0.33, 0.33}), 0.005790624, 5e-10);
    EXPECT_EQ(srm({500, 500}, {0.5, 0.5}), 1);
}

TEST(SampleRatio, WeightsNeedNotSumToOne) {
    EXPECT_DOUBLE_EQ(srm({310, 98}, {3, 1}), srm({310, 98}, {0.75, 0.25}));
    EXPECT_DOUBLE_EQ(srm({310, 98}, {1.5e308, 0.5e308}), srm({310, 98}, {0.75, 0.25}));
    EXPECT_EQ(srm({310, 98}, {1e-300, 1e300}), 0);
}

TEST(SampleRatio, FewArmsAndNobody) {
    EXPECT_EQ(srm({}, {}), 1);
    EXPECT_EQ(srm({7}, {1}), 1);
    EXPECT_EQ(srm({7, 5}, {1, 0}), 1);
    EXPECT_EQ(srm({7, 5}, {0, 0}), 1);
    EXPECT_EQ(srm({0, 0, 9}, {1, 2, 0}), 1);
}

TEST(Power, SizeAndEffectAreInverse) {
    EXPECT_EQ(lift_sample_size(0.5, 1, 1, 0.5, {}), 126);
    for (const double share : {0.1, 0.5, 0.9}) {
        const std::int64_t size = lift_sample_size(0.02, 1.5, 2, share, {0.9, 0.01});
        const auto treated = static_cast<std::int64_t>(std::llround(share * static_cast<double>(size)));
        EXPECT_NEAR(minimum_detectable_effect({1.5, size - treated}, {2, treated}, {0.9, 0.01}), 0.02, 1e-6);
    }
    EXPECT_TRUE(std::isnan(minimum_detectable_effect({1, 0}, {1, 5}, {})));
    EXPECT_EQ(minimum_detectable_effect({0, 5}, {0, 5}, {}), 0);
}

TEST(Power, RefusesWhatIsNoQuestion) {
    for (const double wrong : {0.0, 1.0, -0.5, 1.5, nan}) {
        EXPECT_THROW(lift_sample_size(1, 1, 1, wrong, {}), Error);
        EXPECT_THROW(lift_sample_size(1, 1, 1, 0.5, {wrong, 0.05}), Error);
        EXPECT_THROW(lift_sample_size(1, 1, 1, 0.5, {0.8, wrong}), Error);
    }
    for (const double wrong : {-1.0, nan, std::numeric_limits<double>::infinity()}) {
        EXPECT_THROW(lift_sample_size(1, wrong, 1, 0.5, {}), Error);
        EXPECT_THROW(minimum_detectable_effect({1, 1}, {wrong, 1}, {}), Error);
    }
    EXPECT_THROW(lift_sample_size(0, 1, 1, 0.5, {}), Error);
    EXPECT_THROW(lift_sample_size(1e-300, 1, 1, 0.5, {}), Error);
    EXPECT_THROW(lift_sample_size(1, 1, 1, 0.5, {0.02, 0.05}), Error);
}

// R, p.adjust(p, "holm")
TEST(Holm, Published) {
    EXPECT_EQ(holm({0.01, 0.02, 0.03, 0.04}), (std::vector<double>{0.04, 0.06, 0.06, 0.06}));
    EXPECT_EQ(holm({0.04, 0.01, 0.03, 0.02}), (std::vector<double>{0.06, 0.04, 0.06, 0.06}));
    EXPECT_EQ(holm({0.6, 0, 1}), (std::vector<double>{1, 0, 1}));
    const std::vector<double> with_gap = holm({nan, 0.03, nan, 0.01});
    EXPECT_TRUE(std::isnan(with_gap[0]) && std::isnan(with_gap[2]));
    EXPECT_EQ(with_gap[1], 0.03);
    EXPECT_EQ(with_gap[3], 0.02);
    EXPECT_THROW(holm({1.1}), Error);
    EXPECT_THROW(holm({-0.1}), Error);
}

OutcomeSums outcome_sums(const std::vector<double>& outcomes) {
    OutcomeSums sums;
    for (const double outcome : outcomes) sums.add(outcome, false);
    return sums;
}

// Of 9 zeros and a one: p = 0.1, skewness (1 - 2 p) / sqrt(p (1 - p)).
TEST(NormalFrom, IsKohavisRuleOfTheSkewness) {
    std::vector<double> outcomes(10, 0.0);
    outcomes[3] = 1;
    EXPECT_NEAR(squared_skewness(outcome_sums(outcomes)), 0.64 / 0.09, 1e-14);
    EXPECT_EQ(normal_from(0.64 / 0.09), static_cast<std::int64_t>(std::ceil(355 * 0.64 / 0.09)));
    EXPECT_EQ(outcome_sums(outcomes).nonzero_control, 1);
    // A great mean beside a small spread takes no digit away.
    for (double& outcome : outcomes) outcome += 1e15;
    EXPECT_NEAR(squared_skewness(outcome_sums(outcomes)), 0.64 / 0.09, 1e-14);
    EXPECT_EQ(squared_skewness(outcome_sums({-1, 0, 1})), 0);
}

TEST(NormalFrom, AHundredAtLeastAndNoMoreThanThereAreNumbers) {
    EXPECT_EQ(normal_from(0), 100);
    EXPECT_EQ(normal_from(1e300), 9'000'000'000'000'000'000);
    EXPECT_TRUE(std::isnan(squared_skewness(outcome_sums({2, 2, 2}))));
    EXPECT_TRUE(std::isnan(squared_skewness({})));
    EXPECT_EQ(normal_from(squared_skewness({})), 100);
}

TEST(NormalFrom, SumsFromElsewhereAreChecked) {
    OutcomeSums sums = outcome_sums({1, 2, 4}), more = outcome_sums({3});
    sums.check();
    sums.nonzero_control = 4;
    EXPECT_THROW(sums.check(), Error);
    sums.nonzero_control = -1;
    EXPECT_THROW(sums.check(), Error);
    more.n = std::numeric_limits<std::int64_t>::max();
    EXPECT_THROW(outcome_sums({1}).merge(more), Error);
    OutcomeSums squares = outcome_sums({1, 2});
    squares.yy = outcome_sums({1}).yy;
    EXPECT_THROW(squares.check(), Error);
}

}  // namespace
}  // namespace clientele
