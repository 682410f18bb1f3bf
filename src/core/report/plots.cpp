// Rows from left to right over a vertical axis: columns, and lines.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/report/drawing.hpp"
#include "core/report/scale.hpp"

namespace clientele {

namespace {

constexpr double top = 1.4;     // above the highest tick, for its label
constexpr double height = 13;   // of the plot
constexpr double bottom = 1.8;  // for the names
constexpr double left = 9;      // per cent of the width, for the labels of ticks
constexpr std::size_t most_names = 6;
constexpr std::size_t name_length = 10;
constexpr std::size_t most_points = 12;

struct Range {
    double least = std::numeric_limits<double>::infinity();
    double most = -std::numeric_limits<double>::infinity();
};

Range range_of(const Figure& figure) {
    Range range;
    for (const Row& row : figure.rows) {
        for (std::size_t i = 0; i < figure.series(); ++i) {
            if (const auto value = drawn_value(figure, row, i)) {
                range.least = std::min(range.least, *value);
                range.most = std::max(range.most, *value);
            }
        }
    }
    return range.most < range.least ? Range{0, 1} : range;
}

double y_of(const Scale& scale, double value) { return top + height * (1 - scale.place(value)); }

// Where a row is, in the middle of its part of the width.
double x_of(const Figure& figure, std::size_t row) {
    return left + (100 - left) * (static_cast<double>(row) + 0.5) / static_cast<double>(figure.rows.size());
}

void draw_grid(Markup& out, const Figure& figure, const Scale& scale) {
    for (const double tick : scale.ticks) {
        const double y = y_of(scale, tick);
        draw_line(out, {0, y}, {100, y}, tick == 0 && scale.low < 0 ? "zero" : "grid");
        draw_text(out, {0, y - 0.25}, Anchor::start, compact(tick, drawn_format(figure)), "tick");
    }
}

// An amount without the decimals that say nothing: 50, 49.90, 1.2M.
std::string name_of(const Figure& figure, const Row& row) {
    const std::optional<double> value = number_in(row[0]);
    if (figure.formats[0] == Format::text || !value) return shortened(row[0].value_or("\u2013"), name_length);
    if (std::abs(*value) >= 100'000) return compact(*value, figure.formats[0]);
    return readable(row[0], figure.formats[0], {"", *value == std::trunc(*value) ? 0 : 2});
}

// As many names as a phone has room for.
void draw_names(Markup& out, const Figure& figure) {
    const std::size_t every = (figure.rows.size() + most_names - 1) / most_names;
    for (std::size_t i = 0; i < figure.rows.size(); i += every) {
        const double x = x_of(figure, i);
        const Anchor anchor = x < 8 ? Anchor::start : x > 92 ? Anchor::end : Anchor::middle;
        draw_text(out,
                  {x < 8    ? 0
                   : x > 92 ? 100
                            : x,
                   top + height + 1.3},
                  anchor, name_of(figure, figure.rows[i]), "tick");
    }
}

Scale open_plot(Markup& out, const Figure& figure, double least, double most) {
    Scale scale = scale_over(least, most, 4);
    draw_legend(out, figure);
    open_drawing(out, figure, top + height + bottom);
    draw_grid(out, figure, scale);
    return scale;
}

std::optional<Place> place_of(const Figure& figure, const Scale& scale, std::size_t series, std::size_t row) {
    if (row >= figure.rows.size()) return {};
    const auto value = drawn_value(figure, figure.rows[row], series);
    return value ? std::optional(Place{x_of(figure, row), y_of(scale, *value)}) : std::nullopt;
}

// Of few rows each is a point, of many those that no line would show.
void draw_series(Markup& out, const Figure& figure, const Scale& scale, std::size_t series) {
    const std::string kind = "l" + std::to_string(series + 1);
    std::optional<Place> last;
    for (std::size_t i = 0; i < figure.rows.size(); ++i) {
        const std::optional<Place> here = place_of(figure, scale, series, i);
        if (here && last) draw_line(out, *last, *here, kind);
        const bool alone = !last && !place_of(figure, scale, series, i + 1);
        if (here && (alone || figure.rows.size() <= most_points)) draw_line(out, *here, *here, kind + " point");
        last = here;
    }
}

}  // namespace

void draw_columns(Markup& out, const Figure& figure) {
    const Range range = range_of(figure);
    const Scale scale = open_plot(out, figure, std::min(range.least, 0.0), std::max(range.most, 0.0));
    const double part = (100 - left) / static_cast<double>(figure.rows.size());
    const double width = 0.8 * part / static_cast<double>(figure.series());
    for (std::size_t i = 0; i < figure.rows.size(); ++i) {
        for (std::size_t j = 0; j < figure.series(); ++j) {
            const double value = drawn_value(figure, figure.rows[i], j).value_or(0);
            const double x = left + part * (static_cast<double>(i) + 0.1) + width * static_cast<double>(j);
            const double upper = y_of(scale, std::max(value, 0.0));
            draw_box(out, {x, upper}, width, y_of(scale, std::min(value, 0.0)) - upper, "s" + std::to_string(j + 1));
        }
    }
    draw_names(out, figure);
    close_drawing(out);
}

void draw_lines(Markup& out, const Figure& figure) {
    const Range range = range_of(figure);
    // Where amounts differ little, an axis from zero would hide how.
    const bool from_zero = drawn_format(figure) == Format::share || range.least < 0 || range.least < range.most / 2;
    const Scale scale = open_plot(out, figure, from_zero ? std::min(range.least, 0.0) : range.least, range.most);
    for (std::size_t i = 0; i < figure.series(); ++i) draw_series(out, figure, scale, i);
    draw_names(out, figure);
    close_drawing(out);
}

}  // namespace clientele
