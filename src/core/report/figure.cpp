#include "core/report/figure.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/error.hpp"
#include "core/report/drawing.hpp"
#include "core/report/few_rows.hpp"
#include "core/report/text.hpp"

namespace clientele {

namespace {

template <class Value, std::size_t count>
Value named(const std::array<std::pair<std::string_view, Value>, count>& names, std::string_view name) {
    for (const auto& [known, value] : names) {
        if (known == name) return value;
    }
    throw Error(ErrorKind::invalid_parameter, "there is no \"" + std::string(name) + "\" in reports");
}

// The place of a column, or of the first where there is none of this name.
std::size_t column_of(const Figure& figure, std::string_view name) {
    const auto found = std::ranges::find(figure.columns, name);
    return found == figure.columns.end() ? 0 : static_cast<std::size_t>(found - figure.columns.begin());
}

const Row& headline_row(const Figure& figure) {
    const std::string_view choice = figure.headline;
    if (choice == "last") return figure.rows.back();
    const bool greatest = choice.starts_with("max ");
    if (!greatest && !choice.starts_with("min ")) return figure.rows.front();
    const std::size_t column = column_of(figure, choice.substr(4));
    const double sign = greatest ? 1 : -1;
    const Row* best = nullptr;
    double most = -std::numeric_limits<double>::infinity();
    for (const Row& row : figure.rows) {
        const double value = sign * number_in(row[column]).value_or(-sign * std::numeric_limits<double>::infinity());
        if (value > most) {
            best = &row;
            most = value;
        }
    }
    return best ? *best : figure.rows.front();
}

// Whether the headline's row has anything that is drawn: it may be hidden, or not known yet.
bool has_headline(const Figure& figure) {
    if (figure.rows.empty()) return false;
    const Row& row = headline_row(figure);
    return std::any_of(row.begin() + static_cast<std::ptrdiff_t>(figure.names()),
                       row.begin() + static_cast<std::ptrdiff_t>(figure.drawn),
                       [](const Cell& cell) { return cell.has_value(); });
}

// A template with the values of the figure's headline; values may hold braces of their own.
std::string filled(std::string_view rest, const Figure& figure, const Currency& currency) {
    if (figure.rows.empty()) return std::string(rest);
    const Row& row = headline_row(figure);
    std::string text;
    for (std::size_t open = rest.find('{'); open != std::string_view::npos; open = rest.find('{')) {
        const std::size_t close = std::min(rest.find('}', open), rest.size() - 1);
        const std::size_t column = column_of(figure, rest.substr(open + 1, close - open - 1));
        text += rest.substr(0, open);
        text += readable(row[column], figure.formats[column], currency);
        if (figure.formats[column] == Format::money) text += " " + currency.code;
        rest.remove_prefix(close + 1);
    }
    return text + std::string(rest);
}

// Cards differ in what they count: the last column says it.
Format cell_format(const Figure& figure, const Row& row, std::size_t column) {
    const bool card = figure.drawing == Drawing::cards && column > 0;
    return card ? format_of(row.back().value_or("number")) : figure.formats[column];
}

void write_cards(Markup& out, const Figure& figure, const Currency& currency) {
    out << "<dl class=\"cards\">";
    for (const Row& row : figure.rows) {
        const Format format = cell_format(figure, row, 1);
        out << "<div><dt>";
        out.words(row[0].value_or("")) << "</dt><dd>";
        out.words(readable(row[1], format, currency)) << "</dd><dd class=\"before\">";
        out.words(figure.columns[2]) << ": ";
        out.words(readable(row[2], format, currency)) << "</dd></div>\n";
    }
    out << "</dl>\n";
}

bool is_number(Format format) { return format != Format::text && format != Format::customer; }

bool counts_few(const Figure& figure, const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (cell_format(figure, row, i) != Format::people) continue;
        const double customers = number_in(row[i]).value_or(0);
        if (customers > 0 && customers < fewest_shown_customers) return true;
    }
    return false;
}

void write_row(Markup& out, const Figure& figure, const Row& row, const Currency& currency) {
    const bool cards = figure.drawing == Drawing::cards;
    out << "<tr>";
    for (std::size_t i = 0; i < row.size() - cards; ++i) {
        const Format format = cell_format(figure, row, i);
        out << (i == 0 ? "<th scope=\"row\"><bdi>" : is_number(format) ? "<td class=\"n\"><bdi>" : "<td><bdi>");
        out.words(readable(row[i], format, currency)) << (i == 0 ? "</bdi></th>" : "</bdi></td>");
    }
    out << "</tr>\n";
}

void write_table(Markup& out, const Figure& figure, const Currency& currency) {
    out << "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Numbers: ";
    out.words(figure.title) << "\"><table><thead><tr>";
    for (std::size_t i = 0; i < figure.columns.size() - (figure.drawing == Drawing::cards); ++i) {
        out << (is_number(figure.formats[i]) ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
        out.words(figure.columns[i]) << "</th>";
    }
    out << "</tr></thead><tbody>\n";
    const std::size_t listed = std::min(figure.rows.size(), most_listed_rows);
    for (std::size_t i = 0; i < listed; ++i) write_row(out, figure, figure.rows[i], currency);
    out << "</tbody></table></div>\n";
    if (listed < figure.rows.size()) {
        out << "<p class=\"note\">The first " << std::to_string(listed) << " of " << std::to_string(figure.rows.size())
            << " rows.</p>\n";
    }
}

void draw(Markup& out, const Figure& figure, const Currency& currency) {
    switch (figure.drawing) {
        case Drawing::cards:
            return write_cards(out, figure, currency);
        case Drawing::bars:
            return draw_bars(out, figure, currency);
        case Drawing::columns:
            return draw_columns(out, figure);
        case Drawing::lines:
            return draw_lines(out, figure);
        case Drawing::intervals:
            return draw_intervals(out, figure, currency);
        case Drawing::heat:
            return draw_heat(out, figure);
        case Drawing::table:
            return write_table(out, figure, currency);
    }
}

void write_axis(Markup& out, std::string_view kind, const std::string& words) {
    if (words.empty()) return;
    out << "<p class=\"axis " << kind << "\">";
    out.words(words) << "</p>\n";
}

void write_body(Markup& out, const Figure& figure, const Figure& drawn, const Currency& currency) {
    if (figure.rows.empty()) {
        out << "<p class=\"empty\">There is nothing to show.</p>\n";
        return;
    }
    write_axis(out, "y", figure.y_axis);
    draw(out, drawn, currency);
    write_axis(out, "x", figure.x_axis);
    if (figure.drawing == Drawing::table) return;
    out << "<details><summary>The numbers</summary>";
    write_table(out, figure, currency);
    out << "</details>\n";
}

}  // namespace

Format format_of(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, Format>, 7> names = {{{"text", Format::text},
                                                                                  {"count", Format::count},
                                                                                  {"people", Format::people},
                                                                                  {"customer", Format::customer},
                                                                                  {"share", Format::share},
                                                                                  {"money", Format::money},
                                                                                  {"number", Format::number}}};
    return named(names, name);
}

Drawing drawing_of(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, Drawing>, 7> names = {{{"cards", Drawing::cards},
                                                                                   {"bars", Drawing::bars},
                                                                                   {"columns", Drawing::columns},
                                                                                   {"lines", Drawing::lines},
                                                                                   {"intervals", Drawing::intervals},
                                                                                   {"heat", Drawing::heat},
                                                                                   {"table", Drawing::table}}};
    return named(names, name);
}

void hide_small_rows(Figure& figure) {
    if (std::ranges::find(figure.formats, Format::customer) != figure.formats.end() && !figure.rows.empty()) {
        figure.rows.clear();
        figure.note = "Single customers are shown to the owner of the store alone.";
    }
    for (Row& row : figure.rows) {
        if (!counts_few(figure, row)) continue;
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (figure.formats[i] != Format::text) row[i].reset();
        }
    }
}

std::string figure_html(const Figure& figure, const Currency& currency) {
    Figure shown = figure;
    Figure drawn = with_few_rows(figure);  // of all rows: those that hide few may be many together
    if (figure.hides_few) {
        hide_small_rows(shown);
        hide_small_rows(drawn);
    }
    shown.title = has_headline(shown) ? filled(figure.title, shown, currency) : figure.topic;
    shown.note = filled(shown.note, shown, currency);
    drawn.title = shown.title;
    Markup out;
    out << "<figure id=\"" << figure.id << (figure.drawing == Drawing::table ? "\" class=\"wide" : "")
        << "\">\n<figcaption><h3>";
    out.words(shown.title) << "</h3>";
    if (!shown.note.empty()) {
        out << "<p class=\"note\">";
        out.words(shown.note) << "</p>";
    }
    out << "</figcaption>\n";
    write_body(out, shown, drawn, currency);
    out << "<details><summary>The SQL</summary><pre>";
    out.words(figure.query) << "</pre></details>\n</figure>\n";
    return out.text();
}

}  // namespace clientele
