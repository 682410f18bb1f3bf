// The figures and the page of a report: src/sql/96-report.sql says what each function returns.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/report/figure.hpp"
#include "core/report/page.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/long_text.hpp"
#include "pg/kit/postgres.hpp"
#include "pg/kit/unicode.hpp"

using namespace clientele;

namespace {

struct Words {
    std::string_view utf8;
    bool null;
};

std::string_view argument(FunctionCallInfo fcinfo, int place) { return utf8_of(PG_GETARG_DATUM(place)); }

std::span<const Words> words_of(ArrayType* array) {
    Datum* values;
    bool* nulls;
    int count;
    deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
    auto* words = static_cast<Words*>(palloc(sizeof(Words) * Max(count, 1)));
    for (int i = 0; i < count; ++i) words[i] = {nulls[i] ? std::string_view() : utf8_of(values[i]), nulls[i]};
    return {words, static_cast<std::size_t>(count)};
}

// What SQL says of a figure; the texts live in PostgreSQL's memory.
struct FigureArguments {
    std::string_view id, topic, drawing, title, headline, note, x_axis, y_axis, query;
    std::span<const Words> columns, formats, cells;
    std::int32_t drawn;
    std::string_view currency;
    std::int32_t decimals;
    bool hide_few;
};

FigureArguments figure_arguments(FunctionCallInfo fcinfo) {
    return {argument(fcinfo, 0),
            argument(fcinfo, 1),
            argument(fcinfo, 2),
            argument(fcinfo, 3),
            argument(fcinfo, 4),
            argument(fcinfo, 5),
            argument(fcinfo, 6),
            argument(fcinfo, 7),
            argument(fcinfo, 8),
            words_of(PG_GETARG_ARRAYTYPE_P(9)),
            words_of(PG_GETARG_ARRAYTYPE_P(10)),
            words_of(PG_GETARG_ARRAYTYPE_P(11)),
            PG_GETARG_INT32(12),
            argument(fcinfo, 13),
            PG_GETARG_INT32(14),
            PG_GETARG_BOOL(15)};
}

void read_rows(Figure& figure, std::span<const Words> cells) {
    const std::size_t width = figure.columns.size();
    for (std::size_t at = 0; width > 0 && at + width <= cells.size(); at += width) {
        Row row;
        for (const Words& cell : cells.subspan(at, width)) {
            row.push_back(cell.null ? Cell() : Cell(std::string(cell.utf8)));
        }
        figure.rows.push_back(std::move(row));
    }
}

void check(const Figure& figure) {
    const std::size_t width = figure.columns.size();
    if (width > figure.names() && width == figure.formats.size() && figure.drawn > figure.names() &&
        figure.drawn <= width)
        return;
    throw Error(ErrorKind::invalid_parameter, "figure " + figure.id + " does not have the columns that it should have");
}

Figure read_figure(const FigureArguments& given) {
    Figure figure;
    figure.id = given.id;
    figure.topic = given.topic;
    figure.drawing = drawing_of(given.drawing);
    figure.title = given.title;
    figure.headline = given.headline;
    figure.note = given.note;
    figure.x_axis = given.x_axis;
    figure.y_axis = given.y_axis;
    figure.query = given.query;
    figure.drawn = static_cast<std::size_t>(given.drawn);
    figure.hides_few = given.hide_few;
    for (const Words& name : given.columns) figure.columns.emplace_back(name.utf8);
    for (const Words& format : given.formats) figure.formats.push_back(format_of(format.utf8));
    if (!given.cells.empty()) check(figure);
    read_rows(figure, given.cells);
    return figure;
}

std::vector<Section> sections_of(std::span<const Words> ids, std::span<const Words> questions,
                                 std::span<const Words> figures) {
    if (ids.size() != questions.size() || ids.size() != figures.size()) {
        throw Error(ErrorKind::invalid_parameter, "each section of a report has an id, a question and figures");
    }
    std::vector<Section> sections;
    for (std::size_t i = 0; i < ids.size(); ++i) sections.push_back({ids[i].utf8, questions[i].utf8, figures[i].utf8});
    return sections;
}

}  // namespace

CLIENTELE_FUNCTION(clientele__report_figure) {
    const FigureArguments given = figure_arguments(fcinfo);
    LongText html{};
    think([&] { html = kept(figure_html(read_figure(given), {std::string(given.currency), given.decimals})); });
    return take_text(html);
}

CLIENTELE_FUNCTION(clientele__report_missing) {
    const std::string_view id = argument(fcinfo, 0);
    const std::string_view title = argument(fcinfo, 1);
    const std::string_view why = argument(fcinfo, 2);
    LongText html{};
    think([&] { html = kept(missing_figure_html(id, title, why)); });
    return take_text(html);
}

CLIENTELE_FUNCTION(clientele__report_page) {
    const std::string_view title = argument(fcinfo, 0);
    const std::string_view subtitle = argument(fcinfo, 1);
    const std::span<const Words> ids = words_of(PG_GETARG_ARRAYTYPE_P(2));
    const std::span<const Words> questions = words_of(PG_GETARG_ARRAYTYPE_P(3));
    const std::span<const Words> figures = words_of(PG_GETARG_ARRAYTYPE_P(4));
    LongText html{};
    think([&] { html = kept(page_html({title, subtitle}, sections_of(ids, questions, figures))); });
    return take_text(html);
}
