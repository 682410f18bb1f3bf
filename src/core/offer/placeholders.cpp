// Which placeholders a message may have.
#include <algorithm>
#include <span>
#include <string>

#include "core/base/error.hpp"
#include "core/base/template.hpp"
#include "core/offer/offer_text.hpp"
#include "core/offer/progress.hpp"

namespace clientele {
namespace {

// What is missing is known at the basket alone, where one tier matters.
constexpr std::string_view all_placeholders[] = {"gap",         "min_spend", "reward",  "most", "currency",
                                                 "valid_until", "program",   "segment", "tiers"};
constexpr std::span<const std::string_view> placeholders = std::span(all_placeholders).subspan(1);
constexpr std::span<const std::string_view> progress_placeholders =
    std::span(all_placeholders).first(std::size(all_placeholders) - 1);

// "{gap}, {min_spend} and {reward}"
std::string listed(std::span<const std::string_view> names) {
    std::string list;
    for (const std::string_view& name : names) {
        if (&name != &names.front()) list += &name == &names.back() ? " and " : ", ";
        list.append("{").append(name).append("}");
    }
    return list;
}

void check_placeholders(std::string_view term, std::string_view message, std::span<const std::string_view> names) {
    const std::string what(term);
    const std::string known = "Placeholders are " + listed(names) + ".";
    const auto check_text = [&](std::string_view text) {
        const std::size_t at = text.find_first_of("{}");
        if (at == std::string_view::npos) return;
        // Parts of a message are views of it.
        const std::string_view rest = message.substr(text.data() - message.data() + at, 40);
        throw Error(ErrorKind::invalid_parameter, what + " has a brace that is part of no placeholder",
                    "It reads: " + std::string(rest), known);
    };
    fill(message, check_text, [&](std::string_view name) {
        if (std::ranges::find(names, name) != names.end()) return;
        throw Error(ErrorKind::invalid_parameter, what + " has an unknown placeholder",
                    "The placeholder is {" + std::string(name) + "}.", known);
    });
}

}  // namespace

void check_message(std::string_view message) { check_placeholders("message", message, placeholders); }

void check_progress_message(std::string_view message) {
    check_placeholders("progress_message", message, progress_placeholders);
}

}  // namespace clientele
