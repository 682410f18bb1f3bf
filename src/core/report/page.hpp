// The page around a report's figures: one file, without scripts, and without a request to anywhere.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace clientele {

struct PageHead {
    std::string_view title;
    std::string_view subtitle;
};

// Figures that answer a question; they are HTML already.
struct Section {
    std::string_view id;
    std::string_view question;
    std::string_view figures;
};

std::string page_html(const PageHead& head, std::span<const Section> sections);

// What stands in the place of a figure that cannot be shown.
std::string missing_figure_html(std::string_view id, std::string_view title, std::string_view why);

}  // namespace clientele
