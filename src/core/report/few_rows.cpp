#include "core/report/few_rows.hpp"

#include <cmath>
#include <map>
#include <unordered_map>
#include <utility>

#include "core/report/text.hpp"

namespace clientele {

namespace {

bool adds_up(Format format) { return format == Format::count || format == Format::people || format == Format::share; }

void add(const Figure& figure, Row& sum, const Row& row) {
    for (std::size_t column = figure.names(); column < figure.columns.size(); ++column) {
        const Format format = figure.formats[column];
        if (!adds_up(format)) {
            sum[column].reset();
            continue;
        }
        const double value = number_in(sum[column]).value_or(0) + number_in(row[column]).value_or(0);
        sum[column] = format == Format::share ? std::to_string(value) : std::to_string(std::llround(value));
    }
}

// A list is in the order of its query, which has the greatest first.
Figure few_of_list(const Figure& figure) {
    Figure few = figure;
    few.rows.resize(most_drawn_rows - 1);
    if (figure.drawing == Drawing::intervals) return few;  // estimates don't add up
    Row others(figure.columns.size());
    for (std::size_t i = most_drawn_rows - 1; i < figure.rows.size(); ++i) add(figure, others, figure.rows[i]);
    others[0] = "others (" + std::to_string(figure.rows.size() - most_drawn_rows + 1) + ")";
    few.rows.push_back(std::move(others));
    return few;
}

// The names that come first, and "others" for the rest where there are more than most.
class FirstNames {
  public:
    FirstNames(const Figure& figure, std::size_t column, std::size_t most) {
        for (const Row& row : figure.rows) places_.try_emplace(row[column], places_.size());
        kept_ = places_.size() > most ? most - 1 : most;
    }

    Cell shown(const Cell& name) const { return places_.at(name) < kept_ ? name : Cell("others"); }
    bool has_all() const { return places_.size() <= kept_; }

  private:
    std::unordered_map<Cell, std::size_t> places_;
    std::size_t kept_;
};

Figure few_of_map(const Figure& figure) {
    const FirstNames rows(figure, 0, most_drawn_rows);
    const FirstNames columns(figure, 1, most_drawn_columns);
    Figure few = figure;
    if (rows.has_all() && columns.has_all()) return few;
    few.rows.clear();
    std::map<std::pair<Cell, Cell>, std::size_t> places;
    for (const Row& row : figure.rows) {
        const std::pair<Cell, Cell> names(rows.shown(row[0]), columns.shown(row[1]));
        const auto [place, is_new] = places.try_emplace(names, few.rows.size());
        if (!is_new) {
            add(figure, few.rows[place->second], row);
            continue;
        }
        few.rows.push_back(row);
        few.rows.back()[0] = names.first;
        few.rows.back()[1] = names.second;
    }
    return few;
}

}  // namespace

Figure with_few_rows(const Figure& figure) {
    if (figure.drawing == Drawing::heat) return few_of_map(figure);
    const bool is_list = figure.drawing == Drawing::bars || figure.drawing == Drawing::intervals;
    return is_list && figure.rows.size() > most_drawn_rows ? few_of_list(figure) : figure;
}

}  // namespace clientele
