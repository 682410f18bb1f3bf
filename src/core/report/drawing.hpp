// The drawings of a report. Places along a line are in per cent of the page's width and heights in the reader's
// letters, so that a drawing fits a phone and a wide screen, and grows with the text.
#pragma once

#include <string_view>

#include "core/report/figure.hpp"
#include "core/report/text.hpp"

namespace clientele {

// Rows as bars along the line, a series below the other.
void draw_bars(Markup& out, const Figure& figure, const Currency& currency);
// Rows from left to right, as columns or as lines.
void draw_columns(Markup& out, const Figure& figure);
void draw_lines(Markup& out, const Figure& figure);
// An estimate with its interval a row, and a wider interval where there are columns of it: estimate, low, high, low,
// high.
void draw_intervals(Markup& out, const Figure& figure, const Currency& currency);
// A row, a column and a value a row; the darker the more.
void draw_heat(Markup& out, const Figure& figure);

// Opens a drawing of a height; it is called by the figure's title.
void open_drawing(Markup& out, const Figure& figure, double height);
void close_drawing(Markup& out);
// Which colour is which column.
void draw_legend(Markup& out, const Figure& figure);

// A text at a place; the kind is a class of the style sheet.
struct Place {
    double x;  // per cent
    double y;  // letters
};
enum class Anchor { start, middle, end };
void draw_text(Markup& out, Place place, Anchor anchor, std::string_view text, std::string_view kind = "");
void draw_line(Markup& out, Place from, Place to, std::string_view kind);
void draw_box(Markup& out, Place corner, double width, double height, std::string_view kind);

// The number of a row in a column that is drawn: column 0 is the first after the names.
std::optional<double> drawn_value(const Figure& figure, const Row& row, std::size_t series);
Format drawn_format(const Figure& figure, std::size_t series = 0);
bool is_text(const Figure& figure, std::size_t series);

}  // namespace clientele
