#include "core/base/template.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace clientele {
namespace {

std::string filled(std::string_view text, std::initializer_list<Filling> fillings) {
    const std::vector<Filling> all(fillings);
    std::string result(checked_length(text, all), '?');
    write_filled(text, all, result.data());
    return result;
}

std::string complaint(std::string_view text, std::initializer_list<Filling> fillings) {
    try {
        return "none: " + filled(text, fillings);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::invalid_parameter);
        EXPECT_FALSE(error.hint.empty());
        return error.message + ": " + error.detail;
    }
}

TEST(Template, ValuesStandForTheirMarkers) {
    EXPECT_EQ(filled("", {}), "");
    EXPECT_EQ(filled("SELECT 1", {}), "SELECT 1");
    EXPECT_EQ(filled("{a}", {{"a", "x"}}), "x");
    EXPECT_EQ(filled("{a}{b_c}{a}", {{"b_c", "-"}, {"a", "x"}}), "x-x");
    EXPECT_EQ(filled("SELECT {key} FROM {store}.profiles", {{"store", "shop"}, {"key", "id"}}),
              "SELECT id FROM shop.profiles");
    EXPECT_EQ(filled("[{a}]", {{"a", ""}}), "[]");
}

// What nested replace() gets wrong.
TEST(Template, AValueIsNeverReadAgain) {
    EXPECT_EQ(filled("{a}{b}", {{"a", "{b}"}, {"b", "{a}"}}), "{b}{a}");
    EXPECT_EQ(filled("{a}b}", {{"a", "{"}}), "{b}");
    EXPECT_EQ(filled("FOR NO KEY UPDATE OF {key}", {{"key", "id"}}), "FOR NO KEY UPDATE OF id");
}

TEST(Template, OtherBracesAreBraces) {
    for (const char* text : {"{", "}", "{}", "'{}'", "'{0.5,0.5}'", "{\"a\": 1}", "{a", "{a{", "a}", "{A}", "{a1}",
                             "{ a }", "{a-b}", "{{{", "{abc"}) {
        EXPECT_EQ(filled(text, {}), text);
    }
    EXPECT_EQ(filled("{{a}}", {{"a", "x"}}), "{x}");
    EXPECT_EQ(filled("{x{a}", {{"a", "1"}}), "{x1");
}

TEST(Template, MistakesAreErrors) {
    EXPECT_EQ(complaint("{a} {b}", {{"a", "1"}}), "a marker of the template has no value: It is {b}.");
    EXPECT_EQ(complaint("{a}", {{"a", "1"}, {"b", "{a}"}}),
              "a value for a marker that the template does not have: It is {b}.");
    EXPECT_EQ(complaint("{a}", {{"a", "1"}, {"a", "1"}}), "two values for one marker: It is {a}.");
    for (const char* name : {"", "A", "a1", "{a}", "a b"}) {
        EXPECT_EQ(complaint("{a}", {{name, "1"}}), "invalid name of a marker: It is \"" + std::string(name) + "\".");
    }
}

}  // namespace
}  // namespace clientele
