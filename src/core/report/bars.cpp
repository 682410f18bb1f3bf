// Bars along the line: the name of a row above, a bar for each of its values below.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/report/drawing.hpp"

namespace clientele {

namespace {

constexpr double name_height = 1.4;
constexpr double bar_height = 1.15;
constexpr double gap = 0.5;
constexpr double longest_bar = 72;  // per cent; the value stands behind it
constexpr double line_height = 1.2;
constexpr std::size_t name_length = 36;
constexpr std::size_t line_length = 44;
constexpr std::size_t value_length = 13;  // what a phone has room for behind the longest bar

double greatest_value(const Figure& figure) {
    double greatest = 0;
    for (const Row& row : figure.rows) {
        for (std::size_t i = 0; i < figure.series(); ++i) {
            greatest = std::max(greatest, drawn_value(figure, row, i).value_or(0));
        }
    }
    return greatest > 0 ? greatest : 1;
}

// What is said of a row, a line for each part of it.
std::vector<std::string> lines_of(const Cell& words) {
    std::vector<std::string> lines;
    std::string_view rest = words ? std::string_view(*words) : std::string_view();
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find("; "), rest.size());
        lines.push_back(shortened(rest.substr(0, end), line_length));
        rest.remove_prefix(std::min(end + 2, rest.size()));
    }
    return lines;
}

// The table below has all digits.
std::string value_words(const Cell& cell, Format format, const Currency& currency) {
    const std::string exact = readable(cell, format, currency);
    const auto number = number_in(cell);
    return number && length_of(exact) > value_length ? compact(*number, format) : exact;
}

// How far down it reaches.
double draw_bar(Markup& out, const Figure& figure, const Row& row, std::size_t series, double y, double greatest,
                const Currency& currency) {
    const double length = longest_bar * std::max(drawn_value(figure, row, series).value_or(0), 0.0) / greatest;
    draw_box(out, {0, y}, length, bar_height - 0.15, "s" + std::to_string(series + 1));
    draw_text(out, {length + 1, y + 0.85}, Anchor::start,
              value_words(row[figure.names() + series], drawn_format(figure, series), currency), "value");
    return y + bar_height;
}

double draw_row(Markup& out, const Figure& figure, const Row& row, double y, double greatest,
                const Currency& currency) {
    draw_text(out, {0, y + 1}, Anchor::start, shortened(row[0].value_or("\u2013"), name_length), "name");
    y += name_height;
    for (std::size_t i = 0; i < figure.series(); ++i) {
        if (!is_text(figure, i)) {
            y = draw_bar(out, figure, row, i, y, greatest, currency);
            continue;
        }
        for (const std::string& line : lines_of(row[figure.names() + i])) {
            draw_text(out, {0, y + 0.9}, Anchor::start, line, "value");
            y += line_height;
        }
    }
    return y + gap;
}

}  // namespace

void draw_bars(Markup& out, const Figure& figure, const Currency& currency) {
    const double greatest = greatest_value(figure);
    Markup rows;
    double y = 0;
    for (const Row& row : figure.rows) y = draw_row(rows, figure, row, y, greatest, currency);
    draw_legend(out, figure);
    open_drawing(out, figure, y);
    out << rows.text();
    close_drawing(out);
}

}  // namespace clientele
