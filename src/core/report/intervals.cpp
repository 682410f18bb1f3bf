// Estimates with their intervals, a row below the other over one axis: a forest plot.
#include <algorithm>

#include "core/report/drawing.hpp"
#include "core/report/scale.hpp"

namespace clientele {

namespace {

constexpr double row_height = 2.6;
constexpr double axis_height = 1.8;
constexpr std::size_t name_length = 24;

// Columns after the name: the estimate, its interval, and the wider one that holds at any time.
enum Column : std::size_t { estimate, low, high, wide_low, wide_high };

Scale scale_of(const Figure& figure) {
    double least = 0, most = 0;
    for (const Row& row : figure.rows) {
        for (std::size_t i = 0; i < figure.series(); ++i) {
            least = std::min(least, drawn_value(figure, row, i).value_or(0));
            most = std::max(most, drawn_value(figure, row, i).value_or(0));
        }
    }
    return scale_over(least, most, 4);
}

// From 2 to 98 per cent, so that dots and ticks at the ends are whole.
double x_of(const Scale& scale, double value) { return 2 + 96 * scale.place(value); }

void draw_interval(Markup& out, const Figure& figure, const Row& row, const Scale& scale, std::size_t from, double y,
                   std::string_view kind) {
    const auto lower = drawn_value(figure, row, from);
    const auto upper = drawn_value(figure, row, from + 1);
    if (lower && upper) draw_line(out, {x_of(scale, *lower), y}, {x_of(scale, *upper), y}, kind);
}

void draw_estimate(Markup& out, const Figure& figure, const Row& row, const Scale& scale, double y) {
    if (figure.series() > wide_high) draw_interval(out, figure, row, scale, wide_low, y, "wide");
    draw_interval(out, figure, row, scale, low, y, "narrow");
    if (const auto value = drawn_value(figure, row, estimate)) {
        const Place at{x_of(scale, *value), y};
        draw_line(out, at, at, "dot");
    }
}

std::string words_of(const Figure& figure, const Row& row, const Currency& currency) {
    const Format format = drawn_format(figure);
    if (!drawn_value(figure, row, estimate)) return "not known";
    return readable(row[1], format, currency) + " [" + readable(row[2], format, currency) + ", " +
           readable(row[3], format, currency) + "]";
}

void draw_axis(Markup& out, const Figure& figure, const Scale& scale, double bottom) {
    for (const double tick : scale.ticks) {
        const double x = x_of(scale, tick);
        draw_line(out, {x, 0}, {x, bottom}, tick == 0 ? "zero" : "grid");
        const Anchor anchor = x < 8 ? Anchor::start : x > 92 ? Anchor::end : Anchor::middle;
        draw_text(out, {x, bottom + 1.2}, anchor, compact(tick, drawn_format(figure)), "tick");
    }
}

}  // namespace

void draw_intervals(Markup& out, const Figure& figure, const Currency& currency) {
    const Scale scale = scale_of(figure);
    const double bottom = row_height * static_cast<double>(figure.rows.size());
    open_drawing(out, figure, bottom + axis_height);
    draw_axis(out, figure, scale, bottom);
    double y = 0;
    for (const Row& row : figure.rows) {
        draw_text(out, {0, y + 1}, Anchor::start, shortened(row[0].value_or("\u2013"), name_length), "name");
        draw_text(out, {100, y + 1}, Anchor::end, words_of(figure, row, currency), "value");
        draw_estimate(out, figure, row, scale, y + 1.8);
        y += row_height;
    }
    close_drawing(out);
}

}  // namespace clientele
