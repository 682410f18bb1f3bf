// The page around a report's figures: one file, without scripts, and without a request to anywhere.
#pragma once

#include <string>
#include <string_view>

namespace clientele {

struct PageHead {
    std::string_view title;
    std::string_view subtitle;
};

// The sections are HTML already.
std::string page_html(const PageHead& head, std::string_view sections);

// A section of a page, its figures HTML already. What it could not show is said in plain words.
std::string section_html(std::string_view id, std::string_view question, std::string_view figures);

// What stands in the place of a figure that cannot be shown.
std::string missing_figure_html(std::string_view id, std::string_view title, std::string_view why);

}  // namespace clientele
