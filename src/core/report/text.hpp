// Texts and numbers of a report, safe to stand in HTML.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/report/figure.hpp"

namespace clientele {

// HTML being written: what the report itself says, and what comes from data, which is escaped. Only ASCII goes out;
// everything else becomes a character reference, so that the page is right in whatever encoding it is saved.
class Markup {
  public:
    Markup& operator<<(std::string_view markup) {
        text_ += markup;
        return *this;
    }
    Markup& words(std::string_view utf8);
    // A coordinate: two decimals are below what a screen shows.
    Markup& percent(double value) { return length(value, "%"); }
    Markup& em(double value) { return length(value, "em"); }

    const std::string& text() const { return text_; }

  private:
    Markup& length(double value, std::string_view unit);

    std::string text_;
};

// At most so many characters, the last an ellipsis where there were more.
std::string shortened(std::string_view utf8, std::size_t characters);
std::size_t length_of(std::string_view utf8);

// The number in a cell; nothing where it is NULL, no number, NaN or infinite.
std::optional<double> number_in(const Cell& cell);

// A value as people read it: thin spaces between thousands, a minus sign, a dash where there is none.
std::string readable(const Cell& cell, Format format, const Currency& currency);
// The same in at most five characters and a unit, for axes and cells: 1.2k, 35 %.
std::string compact(double value, Format format);

}  // namespace clientele
