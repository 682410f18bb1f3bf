// Bars along the line: the name of a row above, a bar for each of its values below.
#include <algorithm>

#include "core/report/drawing.hpp"

namespace clientele {

namespace {

constexpr double name_height = 1.4;
constexpr double bar_height = 1.15;
constexpr double gap = 0.5;
constexpr double longest_bar = 84;  // per cent; the value stands behind it
constexpr std::size_t name_length = 40;

double greatest_value(const Figure& figure) {
    double greatest = 0;
    for (const Row& row : figure.rows) {
        for (std::size_t i = 0; i < figure.series(); ++i) {
            greatest = std::max(greatest, drawn_value(figure, row, i).value_or(0));
        }
    }
    return greatest > 0 ? greatest : 1;
}

void draw_bar(Markup& out, const Figure& figure, const Row& row, std::size_t series, Place at, double greatest,
              const Currency& currency) {
    const double length = longest_bar * std::max(drawn_value(figure, row, series).value_or(0), 0.0) / greatest;
    draw_box(out, at, length, bar_height - 0.15, "s" + std::to_string(series + 1));
    draw_text(out, {length + 1, at.y + 0.85}, Anchor::start,
              readable(row[figure.names() + series], drawn_format(figure, series), currency), "value");
}

}  // namespace

void draw_bars(Markup& out, const Figure& figure, const Currency& currency) {
    const double greatest = greatest_value(figure);
    const double row_height = name_height + bar_height * static_cast<double>(figure.series()) + gap;
    draw_legend(out, figure);
    open_drawing(out, figure, row_height * static_cast<double>(figure.rows.size()));
    double y = 0;
    for (const Row& row : figure.rows) {
        draw_text(out, {0, y + 1}, Anchor::start, shortened(row[0].value_or("\u2013"), name_length), "name");
        for (std::size_t i = 0; i < figure.series(); ++i) {
            draw_bar(out, figure, row, i, {0, y + name_height + bar_height * static_cast<double>(i)}, greatest,
                     currency);
        }
        y += row_height;
    }
    close_drawing(out);
}

}  // namespace clientele
