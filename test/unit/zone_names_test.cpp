#include "core/base/zone_names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace clientele {
namespace {

TEST(ZoneNames, FormerNamesHaveAPresentOne) {
    EXPECT_STREQ(present_zone_name("US/Pacific"), "America/Los_Angeles");
    EXPECT_STREQ(present_zone_name("us/pacific"), "America/Los_Angeles");
    EXPECT_STREQ(present_zone_name("Asia/Calcutta"), "Asia/Kolkata");
    EXPECT_STREQ(present_zone_name("Etc/UTC"), "UTC");
    for (const char* name : {"America/Los_Angeles", "UTC", "GMT", "Europe/Amsterdam", "", "US", "US/Pacific2"}) {
        EXPECT_EQ(present_zone_name(name), nullptr) << name;
    }
}

TEST(ZoneNames, AndAreFoundByIt) {
    EXPECT_STREQ(former_zone_name("Europe/Kyiv", 0), "Europe/Kiev");
    std::string all;
    for (std::size_t nth = 0; const char* name = former_zone_name("america/denver", nth); ++nth) {
        all += std::string(name) + ' ';
        EXPECT_STREQ(present_zone_name(name), "America/Denver");
    }
    EXPECT_EQ(all, "America/Shiprock MST7MDT Navajo US/Mountain ");
    EXPECT_EQ(former_zone_name("Mars/Olympus", 0), nullptr);
}

TEST(ZoneNames, NamesOfOtherServersAreAreaAndLocation) {
    for (const char* name : {"Mars/Olympus", "America/Argentina/Nowhere", "Etc/GMT+3"})
        EXPECT_TRUE(may_be_zone_name(name));
    for (const char* name : {"", "CEST", "UTC+3", "/etc/passwd", "Mars/Oly\"mpus", "Mars/Oly mpus", "Mars/\xC3\xA9"}) {
        EXPECT_FALSE(may_be_zone_name(name)) << name;
    }
}

}  // namespace
}  // namespace clientele
