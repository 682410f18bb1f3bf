#include "core/offer/budget_slots.hpp"

#include <gtest/gtest.h>

#include "core/base/error.hpp"

namespace clientele {
namespace {

TEST(SlotShare, AddsUpToAllUnitsAndDiffersByOneAtMost) {
    for (const std::int64_t units : {0, 1, 15, 16, 17, 1000, 12345}) {
        std::int64_t sum = 0;
        for (int slot = 0; slot < 16; ++slot) {
            const std::int64_t share = slot_share(units, 16, slot);
            EXPECT_GE(share, units / 16);
            EXPECT_LE(share, units / 16 + 1);
            sum += share;
        }
        EXPECT_EQ(sum, units);
    }
    EXPECT_EQ(slot_share(17, 16, 14), 1);
    EXPECT_EQ(slot_share(17, 16, 15), 2);
}

TEST(SlotShare, RefusesSlotsThatAreNotThere) {
    EXPECT_THROW(slot_share(17, 0, 0), Error);
    EXPECT_THROW(slot_share(17, 16, 16), Error);
    EXPECT_THROW(slot_share(17, 16, -1), Error);
}

TEST(NearlySpent, IsWhatHasLessThanATenthLeft) {
    EXPECT_TRUE(is_nearly_spent(9.99, 100));
    EXPECT_TRUE(is_nearly_spent(0, 100));
    EXPECT_FALSE(is_nearly_spent(10, 100));
    EXPECT_FALSE(is_nearly_spent(0, 0));
}

}  // namespace
}  // namespace clientele
