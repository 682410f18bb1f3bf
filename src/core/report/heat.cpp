// A map of rows and columns, the darker the more.
#include <algorithm>
#include <cmath>

#include "core/report/drawing.hpp"

namespace clientele {

namespace {

constexpr double cell_height = 2.2;
constexpr double second_line = 1.2;  // for a second number in each cell
constexpr double name_height = 1.5;
constexpr std::size_t letters_across = 44;  // on a phone
constexpr std::size_t letters_beside = 8;   // of names that stand at the left of their row rather than above it
constexpr double width_beside = 24;         // per cent

using Names = std::vector<std::string>;

void add(Names& names, const Cell& name) {
    const std::string text = name.value_or("\u2013");
    if (std::ranges::find(names, text) == names.end()) names.push_back(text);
}

struct Map {
    Names rows, columns;
    double greatest = 0;
    bool numbered = false;      // names of columns that do not fit stand below
    double left = 0;            // where the cells begin, per cent
    double width = 100;         // of a cell with its gap
    double head = name_height;  // of a row, above its cells
    double body = cell_height;
    std::size_t numbers = 1;  // in a cell

    double row_top(std::size_t row) const { return name_height + (head + body) * static_cast<double>(row); }
    double column_start(std::size_t column) const { return left + width * static_cast<double>(column); }

    std::size_t row_of(const Row& row) const { return place(rows, row[0]); }
    std::size_t column_of(const Row& row) const { return place(columns, row[1]); }

  private:
    static std::size_t place(const Names& names, const Cell& name) {
        return static_cast<std::size_t>(std::ranges::find(names, name.value_or("\u2013")) - names.begin());
    }
};

// Emoji and the characters of East Asia are twice as wide as letters.
bool is_wide(char first_byte) {
    const auto byte = static_cast<unsigned char>(first_byte);
    return byte >= 0xF0 || (byte >= 0xE3 && byte <= 0xED);
}

std::size_t longest_of(const Names& names) {
    std::size_t longest = 0;
    for (const std::string& name : names) {
        longest = std::max(longest, length_of(name) + static_cast<std::size_t>(std::ranges::count_if(name, is_wide)));
    }
    return longest;
}

void lay_out(Map& map) {
    map.numbered = longest_of(map.columns) * map.columns.size() > letters_across;
    if (longest_of(map.rows) <= letters_beside) {
        map.left = width_beside;
        map.head = 0;
    }
    map.width = (100 - map.left) / static_cast<double>(map.columns.size());
    if (map.numbers > 1) map.body += second_line;
}

Map map_of(const Figure& figure) {
    Map map;
    map.numbers = figure.series();
    for (const Row& row : figure.rows) {
        add(map.rows, row[0]);
        add(map.columns, row[1]);
        map.greatest = std::max(map.greatest, drawn_value(figure, row, 0).value_or(0));
    }
    lay_out(map);
    return map;
}

void draw_names(Markup& out, const Map& map) {
    for (std::size_t i = 0; i < map.columns.size(); ++i) {
        draw_text(out, {map.column_start(i) + map.width / 2, 1}, Anchor::middle,
                  map.numbered ? std::to_string(i + 1) : map.columns[i], "tick");
    }
    for (std::size_t i = 0; i < map.rows.size(); ++i) {
        const double y = map.row_top(i) + (map.head > 0 ? 1 : map.body / 2 + 0.3);
        draw_text(out, {0, y}, Anchor::start, shortened(map.rows[i], 40), "name");
    }
}

// Shares with a decimal, so that they stand below one another.
std::string words_of(const Cell& cell, Format format) {
    const auto number = number_in(cell);
    if (!number || format == Format::share) return readable(cell, format, {});
    return compact(*number, format);
}

// Steps rather than shades: what differs is told apart, and the text on it stays readable.
std::string shade(double value, double greatest) {
    const double part = greatest > 0 ? std::clamp(value / greatest, 0.0, 1.0) : 0;
    return "h" + std::to_string(static_cast<int>(std::ceil(part * 8)));
}

void draw_cell(Markup& out, const Figure& figure, const Map& map, const Row& row) {
    const double x = map.column_start(map.column_of(row));
    const double y = map.row_top(map.row_of(row)) + map.head;
    const auto value = drawn_value(figure, row, 0);
    draw_box(out, {x, y}, map.width - 0.6, map.body - 0.1, value ? shade(*value, map.greatest) : "h0");
    for (std::size_t i = 0; i < map.numbers; ++i) {
        draw_text(out, {x + map.width / 2, y + 1.4 + second_line * static_cast<double>(i)}, Anchor::middle,
                  words_of(row[figure.names() + i], drawn_format(figure, i)), "cell");
    }
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
    open_drawing(out, figure, map.row_top(map.rows.size()));
    draw_names(out, map);
    for (const Row& row : figure.rows) draw_cell(out, figure, map, row);
    close_drawing(out);
    draw_key(out, map);
}

}  // namespace clientele
