#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/report/figure.hpp"
#include "core/report/page.hpp"
#include "core/report/scale.hpp"
#include "core/report/text.hpp"

namespace clientele {
namespace {

const Currency dollars{"USD", 2};

Figure figure(Drawing drawing, std::vector<std::string> columns, std::vector<Format> formats, std::vector<Row> rows) {
    Figure made;
    made.id = "test";
    made.topic = "Test";
    made.drawing = drawing;
    made.title = "seen";
    made.headline = "first";
    made.columns = std::move(columns);
    made.formats = std::move(formats);
    made.rows = std::move(rows);
    made.drawn = made.columns.size();
    return made;
}

Figure bars(std::vector<Row> rows) {
    return figure(Drawing::bars, {"segment", "customers"}, {Format::text, Format::people}, std::move(rows));
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

std::string words(std::string_view text) { return Markup().words(text).text(); }

// Whether every element that is opened is closed, in order.
bool is_balanced(const std::string& html) {
    std::vector<std::string> open;
    for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
        const std::string tag = html.substr(at + 1, html.find('>', at) - at - 1);
        const std::string name = tag.substr(0, tag.find(' '));
        if (tag.back() == '/' || name == "meta") continue;
        if (name.front() != '/') {
            open.push_back(name);
        } else if (open.empty() || "/" + open.back() != name) {
            return false;
        } else {
            open.pop_back();
        }
    }
    return open.empty();
}

// All attributes that are percentages.
std::vector<double> percentages(const std::string& html) {
    std::vector<double> found;
    for (std::size_t at = html.find("%\""); at != std::string::npos; at = html.find("%\"", at + 1)) {
        const std::size_t start = html.rfind('"', at) + 1;
        found.push_back(std::stod(html.substr(start, at - start)));
    }
    return found;
}

bool is_ascii(const std::string& text) {
    return std::ranges::all_of(text, [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

TEST(ReportText, EscapesWhateverItIsGiven) {
    EXPECT_EQ(words("</svg><script>&\"'"), "&lt;/svg&gt;&lt;script&gt;&amp;&quot;&#39;");
    EXPECT_EQ(words("\u00e9\U0001F600"), "&#233;&#128512;");
    EXPECT_EQ(words(std::string("a\x01\x7f", 3)), "a&#xFFFD;&#xFFFD;");
    EXPECT_EQ(words("\xe2\x82"), "&#65533;");
}

TEST(ReportText, ShortensByCharacters) {
    EXPECT_EQ(shortened("families", 8), "families");
    EXPECT_EQ(shortened("families", 5), "fami\u2026");
    EXPECT_EQ(shortened("\U0001F600\U0001F600\U0001F600", 2), "\U0001F600\u2026");
}

TEST(ReportText, NumbersAreReadable) {
    EXPECT_EQ(readable("1234567", Format::count, dollars), "1\u202f234\u202f567");
    EXPECT_EQ(readable("-0.004", Format::money, dollars), "0.00");
    EXPECT_EQ(readable("-1234.565", Format::money, dollars), "\u22121\u202f234.57");
    EXPECT_EQ(readable("999999.995", Format::money, dollars), "1\u202f000\u202f000.00");
    EXPECT_EQ(readable("1000000000000.4", Format::money, {"JPY", 0}), "1\u202f000\u202f000\u202f000\u202f000");
    EXPECT_EQ(readable("0.17654", Format::share, dollars), "17.7\u202f%");
    EXPECT_EQ(readable("1e-05", Format::number, dollars), "0.000");
    EXPECT_EQ(readable({}, Format::money, dollars), "\u2013");
    EXPECT_EQ(readable("NaN", Format::number, dollars), "NaN");
}

TEST(ReportText, AxesHaveFewDigits) {
    EXPECT_EQ(compact(0, Format::count), "0");
    EXPECT_EQ(compact(999, Format::count), "999");
    EXPECT_EQ(compact(999.6, Format::count), "1k");
    EXPECT_EQ(compact(-1260, Format::money), "\u22121.3k");
    EXPECT_EQ(compact(2e12, Format::money), "2T");
    EXPECT_EQ(compact(0.125, Format::share), "12.5\u202f%");
}

TEST(ReportScale, TicksAreRoundAndHoldAll) {
    for (const auto& [least, most] : std::vector<std::pair<double, double>>{
             {0, 0}, {0, 1}, {-3.2, 9.7}, {0, 1e12}, {0.001, 0.0017}, {5, 5}, {-7, -7}, {3115, 3761}}) {
        const Scale scale = scale_over(least, most, 4);
        EXPECT_LE(scale.low, least);
        EXPECT_GE(scale.high, most);
        EXPECT_GE(scale.ticks.size(), 2U);
        EXPECT_LE(scale.ticks.size(), 7U) << least << " to " << most;
        EXPECT_EQ(scale.place(scale.low), 0);
        EXPECT_EQ(scale.place(scale.high), 1);
    }
}

TEST(ReportFigure, EveryDrawingIsWholeAndInItsPlace) {
    const std::vector<Row> rows = {
        {"a", "x", "1", "0.5", "2"}, {"b", "y", {}, "-3", "NaN"}, {"</svg>", "z", "7", {}, {}}};
    const std::vector<std::string> columns = {"name", "second", "one", "two", "three"};
    const std::vector<Format> formats = {Format::text, Format::text, Format::count, Format::number, Format::money};
    for (const Drawing drawing :
         {Drawing::bars, Drawing::columns, Drawing::lines, Drawing::intervals, Drawing::heat, Drawing::table}) {
        const std::string html = figure_html(figure(drawing, columns, formats, rows), dollars);
        EXPECT_TRUE(is_balanced(html)) << html;
        EXPECT_TRUE(is_ascii(html));
        EXPECT_EQ(count_of(html, "</svg>"), drawing == Drawing::table ? 0U : 1U);
        for (const double percentage : percentages(html)) {
            EXPECT_GE(percentage, 0);
            EXPECT_LE(percentage, 100);
        }
    }
}

TEST(ReportFigure, TheTitleSaysWhatTheRowOfItsChoiceHolds) {
    Figure shown = bars({{"few", "3"}, {"{many}", "1200"}, {"some", "40"}});
    shown.title = "{segment} are {customers}";
    shown.headline = "max customers";
    EXPECT_NE(figure_html(shown, dollars).find("<h3>{many} are 1&#8239;200</h3>"), std::string::npos);
    shown.headline = "min customers";
    EXPECT_NE(figure_html(shown, dollars).find("<h3>few are 3</h3>"), std::string::npos);
    shown.headline = "last";
    EXPECT_NE(figure_html(shown, dollars).find("<h3>some are 40</h3>"), std::string::npos);
}

TEST(ReportFigure, WithoutRowsItSaysSo) {
    const std::string html = figure_html(bars({}), dollars);
    EXPECT_NE(html.find("<h3>Test</h3>"), std::string::npos);
    EXPECT_NE(html.find("There is nothing to show."), std::string::npos);
    EXPECT_EQ(html.find("<svg"), std::string::npos);
}

TEST(ReportFigure, TheRestOfManyRowsIsOne) {
    std::vector<Row> rows;
    for (int i = 0; i < 1'000; ++i) rows.push_back({"segment " + std::to_string(i), "1"});
    const std::string html = figure_html(bars(std::move(rows)), dollars);
    EXPECT_EQ(count_of(html, "<rect"), most_drawn_rows);
    EXPECT_NE(html.find("others (971)"), std::string::npos);
    EXPECT_NE(html.find(">971<"), std::string::npos);
    EXPECT_EQ(count_of(html, "<tr>"), most_listed_rows + 1);
}

TEST(ReportFigure, OthersAreTheSumOfTheRest) {
    std::vector<Row> rows;
    for (int i = 0; i < 200; ++i) rows.push_back({"segment " + std::to_string(i), "0.005", "4"});
    Figure shown = figure(Drawing::bars, {"segment", "share", "customers"},
                          {Format::text, Format::share, Format::people}, std::move(rows));
    const std::string all = figure_html(shown, dollars);
    EXPECT_EQ(count_of(all, ">others (171)</text>"), 1U);
    EXPECT_EQ(count_of(all, ">85.5&#8239;%</text>"), 1U);
    EXPECT_EQ(count_of(all, ">684</text>"), 1U);
    // Together they are many, whatever is hidden of each.
    shown.hides_few = true;
    shown.title = "{segment} are {share}";
    const std::string few = figure_html(shown, dollars);
    EXPECT_EQ(count_of(few, "<h3>Test</h3>"), 1U);  // nothing is known of the first
    EXPECT_EQ(count_of(few, ">85.5&#8239;%</text>"), 1U);
    EXPECT_EQ(count_of(few, ">0.5&#8239;%<"), 0U);
    EXPECT_EQ(count_of(few, ">4<"), 0U);
    EXPECT_EQ(count_of(few, "<td class=\"n\"><bdi>&#8211;</bdi></td>"), 2 * most_listed_rows);
}

TEST(ReportFigure, AMillionRowsMakeASmallPage) {
    std::vector<Row> rows;
    for (int i = 0; i < 1'000'000; ++i) rows.push_back({"segment " + std::to_string(i), "1"});
    const std::string html = figure_html(bars(std::move(rows)), dollars);
    EXPECT_LT(html.size(), 100'000U);
    EXPECT_NE(html.find("others (999971)"), std::string::npos);
    EXPECT_NE(html.find("The first 100 of 1000000 rows."), std::string::npos);
}

TEST(ReportFigure, AMapHasFewNamesAndTheRestIsOne) {
    std::vector<Row> rows;
    for (int from = 0; from < 100; ++from) {
        for (int to = 0; to < 100; ++to) rows.push_back({"f" + std::to_string(from), "t" + std::to_string(to), "3"});
    }
    const std::string html = figure_html(
        figure(Drawing::heat, {"from", "to", "customers"}, {Format::text, Format::text, Format::people}, rows),
        dollars);
    EXPECT_EQ(count_of(html, "<rect"), most_drawn_rows * most_drawn_columns);
    EXPECT_EQ(count_of(html, ">others<"), 2U);         // a row, and in the key a column
    EXPECT_NE(html.find(">19k<"), std::string::npos);  // 71 x 89 x 3 in the corner
    EXPECT_LT(html.size(), 200'000U);
}

TEST(ReportFigure, AMapShowsASecondNumberInEachCell) {
    const Figure map = figure(Drawing::heat, {"row", "column", "customers", "spent"},
                              {Format::text, Format::text, Format::people, Format::money}, {{"5", "1", "12", "4500"}});
    const std::string html = figure_html(map, dollars);
    EXPECT_NE(html.find(">12</text>"), std::string::npos);
    EXPECT_NE(html.find(">4.5k</text>"), std::string::npos);
}

TEST(ReportFigure, WideNamesOfAMapsColumnsStandBelow) {
    const auto stands_below = [](const char* letter) {
        std::string name;
        for (int i = 0; i < 15; ++i) name += letter;
        const Figure map = figure(Drawing::heat, {"from", "to", "customers"},
                                  {Format::text, Format::text, Format::people}, {{"5", name, "12"}, {"5", "b", "3"}});
        return figure_html(map, dollars).find("Columns: ") != std::string::npos;
    };
    EXPECT_FALSE(stands_below("a"));
    EXPECT_FALSE(stands_below("\u05d0"));
    EXPECT_TRUE(stands_below("\u6f22"));
    EXPECT_TRUE(stands_below("\U0001f600"));
}

TEST(ReportFigure, SharesInAMapHaveADecimal) {
    const Figure map = figure(Drawing::heat, {"row", "column", "share"}, {Format::text, Format::text, Format::share},
                              {{"5", "1", "0.76"}, {"5", "2", {}}});
    const std::string html = figure_html(map, dollars);
    EXPECT_NE(html.find(">76.0&#8239;%</text>"), std::string::npos);
    EXPECT_NE(html.find(">&#8211;</text>"), std::string::npos);
}

TEST(ReportFigure, ValuesBehindBarsAreShort) {
    const Figure sums = figure(Drawing::bars, {"program", "cost"}, {Format::text, Format::money},
                               {{"a", "8800000000000"}, {"b", "1882222.17"}});
    const std::string html = figure_html(sums, dollars);
    EXPECT_NE(html.find(">8.8T</text>"), std::string::npos);
    EXPECT_NE(html.find(">1&#8239;882&#8239;222.17</text>"), std::string::npos);
    EXPECT_NE(html.find("8&#8239;800&#8239;000&#8239;000&#8239;000"), std::string::npos);
}

TEST(ReportFigure, WordsStandBelowTheirBar) {
    const Figure shown =
        figure(Drawing::bars, {"segment", "share", "apart"}, {Format::text, Format::share, Format::text},
               {{"a", "0.5", "orders high; days low"}, {"b", "0.5", {}}});
    const std::string html = figure_html(shown, dollars);
    EXPECT_NE(html.find(">orders high</text>"), std::string::npos);
    EXPECT_NE(html.find(">days low</text>"), std::string::npos);
    EXPECT_EQ(count_of(html, "<rect"), 2U);
    EXPECT_EQ(count_of(html, "class=\"legend\""), 0U);
}

// As that of what thresholds would earn: thresholds in the order of the query, a line with its bounds, and what is not
// drawn.
Figure response_curve(std::vector<Row> rows) {
    Figure curve =
        figure(Drawing::lines, {"asked for", "profit", "at least", "at most", "customers"},
               {Format::money, Format::money, Format::money, Format::money, Format::people}, std::move(rows));
    curve.title = "most at {asked for}, {profit} a customer";
    curve.headline = "max profit";
    curve.x_axis = "threshold, in USD";
    curve.drawn = 4;
    return curve;
}

TEST(ReportFigure, ALineHasAPieceBetweenTwoThresholds) {
    const std::string html = figure_html(response_curve({{"50.00", "-0.10", "-0.20", "0.00", "9"},
                                                         {"60.00", "0.30", "0.10", "0.50", "9"},
                                                         {"80.00", "0.20", "0.05", "0.35", "9"}}),
                                         dollars);
    EXPECT_NE(html.find("<h3>most at 60.00 USD, 0.30 USD a customer</h3>"), std::string::npos);
    for (const char* kind : {"l1", "l2", "l3"}) {
        EXPECT_EQ(count_of(html, "\"" + std::string(kind) + "\""), 2U);
        EXPECT_EQ(count_of(html, std::string(kind) + " point\""), 3U);
    }
    for (const char* name :
         {">at least</span>", ">at most</span>", ">threshold, in USD</p>", ">50</text>", ">80</text>"})
        EXPECT_EQ(count_of(html, name), 1U) << name;
    EXPECT_EQ(count_of(html, "class=\"zero\""), 1U);  // what loses is told from what earns
}

TEST(ReportFigure, ALineWithGapsIsInPieces) {
    const std::string alone = figure_html(response_curve({{"50.00", "0.1", "0", "0.2", "9"}}), dollars);
    EXPECT_EQ(count_of(alone, " point\""), 3U);
    const std::string gap = figure_html(
        response_curve(
            {{"50.00", "0.1", {}, "0.2", "9"}, {"60.00", {}, {}, "0.3", "9"}, {"80.00", "0.2", {}, "0.4", "9"}}),
        dollars);
    EXPECT_EQ(count_of(gap, "\"l1 point\""), 2U);
    EXPECT_EQ(count_of(gap, "\"l1\""), 0U);
    EXPECT_EQ(count_of(gap, "\"l3\""), 2U);
    std::vector<Row> weeks;
    for (int i = 0; i < 30; ++i) weeks.push_back({std::to_string(i), "1", i == 9 ? "3" : Cell(), "2", "9"});
    const std::string many = figure_html(response_curve(weeks), dollars);
    EXPECT_EQ(count_of(many, "\"l1 point\""), 0U);
    EXPECT_EQ(count_of(many, "\"l2 point\""), 1U);
}

TEST(ReportFigure, TheNoteIsFilledLikeTheTitle) {
    Figure shown = bars({{"few", "3"}});
    shown.note = "Mind {segment}.";
    EXPECT_NE(figure_html(shown, dollars).find("<p class=\"note\">Mind few.</p>"), std::string::npos);
    shown.rows.clear();
    EXPECT_TRUE(is_balanced(figure_html(shown, dollars)));
}

TEST(ReportFigure, NothingButNullsCanBeDrawn) {
    const std::vector<std::string> columns = {"name", "second", "one", "two", "three"};
    const std::vector<Format> formats = {Format::text, Format::text, Format::people, Format::share, Format::money};
    for (const Drawing drawing : {Drawing::cards, Drawing::bars, Drawing::columns, Drawing::lines, Drawing::intervals,
                                  Drawing::heat, Drawing::table}) {
        Figure shown = figure(drawing, columns, formats, {{{}, {}, {}, {}, {}}, {{}, {}, {}, {}, {}}});
        shown.title = "{one} of {name}";
        EXPECT_TRUE(is_balanced(figure_html(shown, dollars)));
        hide_small_rows(shown);
        EXPECT_EQ(shown.rows.size(), 2U);
    }
}

TEST(ReportFigure, LargeAmountsAreWhole) {
    const Figure shown = figure(Drawing::bars, {"segment", "spent"}, {Format::text, Format::money},
                                {{"a", "1000000000000.25"}, {"b", "-1000000000000"}});
    const std::string html = figure_html(shown, dollars);
    EXPECT_NE(html.find("1&#8239;000&#8239;000&#8239;000&#8239;000.25"), std::string::npos);
    for (const double percentage : percentages(html)) {
        EXPECT_GE(percentage, 0);
        EXPECT_LE(percentage, 100);
    }
}

TEST(ReportFigure, SingleCustomersAreHidden) {
    Figure shown = figure(Drawing::table, {"customer", "spent"}, {Format::customer, Format::money}, {{"7", "10"}});
    EXPECT_NE(figure_html(shown, dollars).find(">7<"), std::string::npos);
    hide_small_rows(shown);
    EXPECT_TRUE(shown.rows.empty());
    EXPECT_NE(figure_html(shown, dollars).find("the owner of the store alone"), std::string::npos);
}

TEST(ReportFigure, CardsOfFewCustomersAreHidden) {
    Figure shown = figure(Drawing::cards, {"figure", "now", "before", "unit"},
                          {Format::text, Format::count, Format::count, Format::text},
                          {{"Customers", "3", "1", "people"}, {"Orders", "3", "1", "count"}});
    hide_small_rows(shown);
    EXPECT_EQ(shown.rows[0], (Row{"Customers", {}, {}, "people"}));
    EXPECT_EQ(shown.rows[1], (Row{"Orders", "3", "1", "count"}));
}

TEST(ReportFigure, NumbersOfFewCustomersAreHidden) {
    Figure shown =
        figure(Drawing::bars, {"segment", "customers", "spent"}, {Format::text, Format::people, Format::money},
               {{"many", "5", "10"}, {"few", "4", "123.45"}, {"none", "0", "0"}});
    hide_small_rows(shown);
    EXPECT_EQ(shown.rows[0], (Row{"many", "5", "10"}));
    EXPECT_EQ(shown.rows[1], (Row{"few", {}, {}}));
    EXPECT_EQ(shown.rows[2], (Row{"none", "0", "0"}));
}

TEST(ReportFigure, UnknownWordsAreRefused) {
    EXPECT_THROW(drawing_of("pie"), Error);
    EXPECT_THROW(format_of("colour"), Error);
}

TEST(ReportPage, IsWholeAndAsksNobodyForAnything) {
    const std::string figures =
        figure_html(bars({{"a", "1"}}), dollars) + missing_figure_html("m", "<b>", "You may not.");
    const std::vector<Section> sections = {{"shop", "How?", figures}, {"state", "Is it <sound>?", figures}};
    const std::string page = page_html({"\u05d0 <shop>", "today"}, sections);
    EXPECT_TRUE(is_ascii(page));
    EXPECT_TRUE(is_balanced(page.substr(page.find("<html"))));
    EXPECT_EQ(page.find("<script"), std::string::npos);
    EXPECT_EQ(page.find("http:"), std::string::npos);
    EXPECT_EQ(page.find("url("), std::string::npos);
    EXPECT_NE(page.find("&#1488; &lt;shop&gt;"), std::string::npos);
    EXPECT_NE(page.find("<a href=\"#state\">Is it &lt;sound&gt;?</a>"), std::string::npos);
    EXPECT_NE(page.find("<h2 id=\"state\">Is it &lt;sound&gt;?</h2>"), std::string::npos);
}

}  // namespace
}  // namespace clientele
