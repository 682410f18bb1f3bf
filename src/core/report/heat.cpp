// A map of rows and columns, the darker the more.
#include <algorithm>
#include <cmath>

#include "core/report/drawing.hpp"

namespace clientele {

namespace {

constexpr double cell_height = 2.2;
constexpr double name_height = 1.5;
constexpr std::size_t letters_across = 44;  // on a phone

using Names = std::vector<std::string>;

void add(Names& names, const Cell& name) {
    const std::string text = name.value_or("\u2013");
    if (std::ranges::find(names, text) == names.end()) names.push_back(text);
}

struct Map {
    Names rows, columns;
    double greatest = 0;
    bool numbered = false;  // names of columns that do not fit stand at the rows, or below

    std::size_t row_of(const Row& row) const { return place(rows, row[0]); }
    std::size_t column_of(const Row& row) const { return place(columns, row[1]); }

  private:
    static std::size_t place(const Names& names, const Cell& name) {
        return static_cast<std::size_t>(std::ranges::find(names, name.value_or("\u2013")) - names.begin());
    }
};

Map map_of(const Figure& figure) {
    Map map;
    for (const Row& row : figure.rows) {
        add(map.rows, row[0]);
        add(map.columns, row[1]);
        map.greatest = std::max(map.greatest, drawn_value(figure, row, 0).value_or(0));
    }
    std::size_t longest = 0;
    for (const std::string& name : map.columns) longest = std::max(longest, length_of(name));
    map.numbered = longest * map.columns.size() > letters_across;
    return map;
}

void draw_column_names(Markup& out, const Map& map, double width) {
    for (std::size_t i = 0; i < map.columns.size(); ++i) {
        draw_text(out, {width * (static_cast<double>(i) + 0.5), 1}, Anchor::middle,
                  map.numbered ? std::to_string(i + 1) : map.columns[i], "tick");
    }
}

// Steps rather than shades: what differs is told apart, and the text on it stays readable.
std::string shade(double value, double greatest) {
    const double part = greatest > 0 ? std::clamp(value / greatest, 0.0, 1.0) : 0;
    return "h" + std::to_string(static_cast<int>(std::ceil(part * 8)));
}

void draw_cell(Markup& out, const Figure& figure, const Map& map, const Row& row, double width) {
    const double x = width * static_cast<double>(map.column_of(row));
    const double y = name_height + (name_height + cell_height) * static_cast<double>(map.row_of(row)) + name_height;
    const auto value = drawn_value(figure, row, 0);
    draw_box(out, {x, y}, width - 0.6, cell_height - 0.1, value ? shade(*value, map.greatest) : "h0");
    draw_text(out, {x + width / 2, y + 1.4}, Anchor::middle, value ? compact(*value, drawn_format(figure)) : "\u2013",
              "cell");
}

void draw_key(Markup& out, const Map& map) {
    if (!map.numbered) return;
    out << "<p class=\"legend\">Columns: ";
    for (std::size_t i = 0; i < map.columns.size(); ++i) {
        out << (i == 0 ? "" : ", ") << std::to_string(i + 1) << "&nbsp;<bdi>";
        out.words(map.columns[i]) << "</bdi>";
    }
    out << "</p>\n";
}

}  // namespace

void draw_heat(Markup& out, const Figure& figure) {
    const Map map = map_of(figure);
    const double width = 100 / static_cast<double>(map.columns.size());
    open_drawing(out, figure, name_height + (name_height + cell_height) * static_cast<double>(map.rows.size()));
    draw_column_names(out, map, width);
    for (std::size_t i = 0; i < map.rows.size(); ++i) {
        const double y = name_height + (name_height + cell_height) * static_cast<double>(i) + 1;
        draw_text(out, {0, y}, Anchor::start, shortened(map.rows[i], 40), "name");
    }
    for (const Row& row : figure.rows) draw_cell(out, figure, map, row, width);
    close_drawing(out);
    draw_key(out, map);
}

}  // namespace clientele
