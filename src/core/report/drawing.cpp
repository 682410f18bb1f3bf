#include "core/report/drawing.hpp"

namespace clientele {

namespace {

std::string_view name_of(Anchor anchor) {
    return anchor == Anchor::start ? "start" : anchor == Anchor::middle ? "middle" : "end";
}

}  // namespace

void open_drawing(Markup& out, const Figure& figure, double height) {
    out << "<svg role=\"img\" width=\"100%\" height=\"";
    out.em(height) << "\" aria-label=\"";
    out.words(figure.title) << "\">";
}

void close_drawing(Markup& out) { out << "</svg>\n"; }

void draw_legend(Markup& out, const Figure& figure) {
    if (figure.series() < 2 || is_text(figure, 1)) return;
    out << "<p class=\"legend\">";
    for (std::size_t i = 0; i < figure.series(); ++i) {
        out << "<span class=\"entry\"><span class=\"key s" << std::to_string(i + 1) << "\"></span>";
        out.words(figure.columns[figure.names() + i]) << "</span> ";
    }
    out << "</p>\n";
}

void draw_text(Markup& out, Place place, Anchor anchor, std::string_view text, std::string_view kind) {
    out << "<text x=\"";
    out.percent(place.x) << "\" y=\"";
    out.em(place.y) << "\" text-anchor=\"" << name_of(anchor) << "\"";
    if (!kind.empty()) out << " class=\"" << kind << "\"";
    out << ">";
    out.words(text) << "</text>";
}

void draw_line(Markup& out, Place from, Place to, std::string_view kind) {
    out << "<line x1=\"";
    out.percent(from.x) << "\" y1=\"";
    out.em(from.y) << "\" x2=\"";
    out.percent(to.x) << "\" y2=\"";
    out.em(to.y) << "\" class=\"" << kind << "\"/>";
}

void draw_box(Markup& out, Place corner, double width, double height, std::string_view kind) {
    out << "<rect x=\"";
    out.percent(corner.x) << "\" y=\"";
    out.em(corner.y) << "\" width=\"";
    out.percent(width) << "\" height=\"";
    out.em(height) << "\" class=\"" << kind << "\"/>";
}

std::optional<double> drawn_value(const Figure& figure, const Row& row, std::size_t series) {
    return number_in(row[figure.names() + series]);
}

Format drawn_format(const Figure& figure, std::size_t series) { return figure.formats[figure.names() + series]; }

bool is_text(const Figure& figure, std::size_t series) { return drawn_format(figure, series) == Format::text; }

}  // namespace clientele
