// What a report shows: figures, each of them a drawing, the numbers behind it, and the query that gives them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace clientele {

enum class Format {
    text,
    count,     // a whole number
    people,    // a number of customers; rows of few may have to be hidden
    customer,  // the key of a single one; such rows may have to be hidden, too
    share,     // a part of 1, shown in per cent
    money,     // in the report's currency
    number,
};

enum class Drawing { cards, bars, columns, lines, intervals, heat, table };

struct Currency {
    std::string code;
    int decimals = 2;
};

using Cell = std::optional<std::string>;  // as PostgreSQL prints the value; nothing is NULL
using Row = std::vector<Cell>;

// The first column names a row (of a heat map the first two do), the others are drawn as far as they are no texts.
struct Figure {
    std::string id;
    std::string topic;  // the title where there is nothing to be seen
    Drawing drawing = Drawing::table;
    std::string title;           // says what is seen; {column} stands for the value in the row that headline chooses
    std::string headline;        // "first", "last", "max COLUMN", "min COLUMN"
    std::string note;            // {column} as in the title
    std::string x_axis, y_axis;  // with units; may be empty
    std::string query;
    std::vector<std::string> columns;
    std::vector<Format> formats;
    std::vector<Row> rows;
    bool hides_few = false;  // numbers of few customers, and single ones
    std::size_t drawn = 0;   // how many of the columns are drawn, the names included; the others stand in the table

    std::size_t series() const { return drawn - names(); }
    std::size_t names() const { return drawing == Drawing::heat ? 2 : 1; }
};

// No more than this many rows are drawn, and columns of a heat map: the rest becomes one. The table has them all up to
// most_listed_rows.
inline constexpr std::size_t most_drawn_rows = 30;
inline constexpr std::size_t most_drawn_columns = 12;
inline constexpr std::size_t most_listed_rows = 100;

// Rows of fewer customers than this are hidden from those who are not the store's owner.
inline constexpr double fewest_shown_customers = 5;

Format format_of(std::string_view name);
Drawing drawing_of(std::string_view name);

// Leaves the names of rows of few customers, and takes away their numbers; of single customers nothing is left.
void hide_small_rows(Figure& figure);

// The figure as HTML: title, drawing, numbers and query. Pure ASCII, whatever the texts hold.
std::string figure_html(const Figure& figure, const Currency& currency);

}  // namespace clientele
