#include "core/report/page.hpp"

#include "core/report/text.hpp"

namespace clientele {

namespace {

// Colours of Okabe and Ito, "Color Universal Design" (2008), which colour-blind people tell apart; darker or lighter by
// the scheme, so that each stands out from its ground.
constexpr std::string_view style = R"(
:root { color-scheme: light dark; --paper: #fff; --raised: #f6f7f8; --ink: #1b1f23; --quiet: #55606b; --rule: #d8dde2;
  --c1: #0072b2; --c2: #d98200; --c3: #008a63; --heat: 0, 114, 178; }
@media screen and (prefers-color-scheme: dark) { :root { --paper: #14181c; --raised: #1d2329; --ink: #eceff2; --quiet: #a9b4bf;
  --rule: #37404a; --c1: #56b4e9; --c2: #f0b040; --c3: #3ecba0; --heat: 86, 180, 233; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 1rem; }
header { padding-top: 2rem; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 1rem; padding-top: 1rem; border-top: 2px solid var(--ink); font-size: 1.4rem; line-height: 1.25; }
section:first-child h2 { margin-top: 0; }
h3 { margin: 0; font-size: 1.05rem; line-height: 1.35; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1rem 0 0; padding: 0; list-style: none; }
a { color: var(--c1); }
.subtitle, .note, .axis, .empty, .legend, summary, dt, .before, footer { color: var(--quiet); font-size: .875rem; }
.subtitle, .note, .axis, .legend { margin: .25rem 0; }
.figures { columns: 2 26rem; column-gap: 1.25rem; }
.wide { column-span: all; margin-top: 1.25rem; } .wide:first-child, .wide + .wide { margin-top: 0; }
figure { break-inside: avoid; margin: 0 0 1.25rem; padding: 1rem 1.1rem; background: var(--raised); border: 1px solid var(--rule); border-radius: .5rem; }
svg { display: block; margin: .75rem 0 .25rem; font-size: .8125rem; overflow: visible; }
svg text { fill: var(--ink); unicode-bidi: plaintext; }
svg .tick, svg .value { fill: var(--quiet); }
svg .name { font-weight: 600; }
svg .name, svg .value { paint-order: stroke; stroke: var(--raised); stroke-width: .3em; stroke-linejoin: round; }
.grid { stroke: var(--rule); } .zero { stroke: var(--ink); stroke-dasharray: 4 3; }
rect.s1 { fill: var(--c1); } rect.s2 { fill: var(--c2); } rect.s3 { fill: var(--c3); }
.l1, .l2, .l3 { stroke-width: 2.5; stroke-linecap: round; }
.point { stroke-width: 6; }
.l1 { stroke: var(--c1); } .l2 { stroke: var(--c2); } .l3 { stroke: var(--c3); }
.wide { stroke: var(--c1); stroke-opacity: .45; stroke-width: 3; } .narrow { stroke: var(--c1); stroke-width: 6; }
.dot { stroke: var(--ink); stroke-width: 9; stroke-linecap: round; }
.entry { white-space: nowrap; margin-inline-end: .6em; }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .35em 0 .2em; border-radius: .15em; }
.key.s1 { background: var(--c1); } .key.s2 { background: var(--c2); } .key.s3 { background: var(--c3); }
rect.h0 { fill: var(--rule); fill-opacity: .35; }
rect.h1 { fill: rgba(var(--heat), .07); } rect.h2 { fill: rgba(var(--heat), .13); } rect.h3 { fill: rgba(var(--heat), .19); }
rect.h4 { fill: rgba(var(--heat), .25); } rect.h5 { fill: rgba(var(--heat), .31); } rect.h6 { fill: rgba(var(--heat), .37); }
rect.h7 { fill: rgba(var(--heat), .44); } rect.h8 { fill: rgba(var(--heat), .52); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: 1rem; margin: .75rem 0; }
dd { margin: 0; font-size: 1.5rem; line-height: 1.3; font-weight: 600; }
dd { white-space: nowrap; }
dd.before { font-size: .875rem; font-weight: 400; }
.scroll { overflow-x: auto; } .scroll:focus-visible, summary:focus-visible, a:focus-visible { outline: 3px solid var(--c2); }
table { border-collapse: collapse; width: max-content; font-size: .875rem; margin: .5rem 0; overflow-wrap: normal; }
th, td { padding: .25rem .75rem .25rem 0; text-align: start; vertical-align: top; border-bottom: 1px solid var(--rule); }
td { max-width: min(24rem, 60vw); } tbody th { font-weight: 600; }
.n { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap; }
summary { cursor: pointer; padding: .25rem 0; }
pre { margin: .25rem 0; font-size: .8125rem; white-space: pre-wrap; }
.missing { border-style: dashed; }
@media print { body { font-size: 10pt; } nav, details:not([open]) { display: none; } .scroll { overflow: visible; } table { width: auto; }
  thead .n { white-space: normal; } h2 { break-after: avoid; margin-top: 1.25rem; } .key { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
)";

// A page of many figures is long on a phone: its questions lead to them.
void write_questions(Markup& out, std::span<const Section> sections) {
    if (sections.empty()) return;
    out << "<nav aria-label=\"Questions\"><ul>";
    for (const Section& section : sections) {
        out << "<li><a href=\"#" << section.id << "\">";
        out.words(section.question) << "</a></li>";
    }
    out << "</ul></nav>";
}

void write_section(Markup& out, const Section& section) {
    out << "<section aria-labelledby=\"" << section.id << "\"><h2 id=\"" << section.id << "\">";
    out.words(section.question) << "</h2>\n<div class=\"figures\">\n" << section.figures << "</div></section>\n";
}

}  // namespace

std::string page_html(const PageHead& head, std::span<const Section> sections) {
    Markup out;
    out << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
           "'unsafe-inline'\">\n<title>";
    out.words(head.title) << "</title>\n<style>" << style << "</style>\n</head>\n<body>\n<header><h1><bdi>";
    out.words(head.title) << "</bdi></h1><p class=\"subtitle\">";
    out.words(head.subtitle) << "</p>";
    write_questions(out, sections);
    out << "</header>\n<main>\n";
    for (const Section& section : sections) write_section(out, section);
    out << "</main>\n</body>\n</html>\n";
    return out.text();
}

std::string missing_figure_html(std::string_view id, std::string_view title, std::string_view why) {
    Markup out;
    out << "<figure id=\"" << id << "\" class=\"missing\"><figcaption><h3>";
    out.words(title) << "</h3></figcaption><p class=\"empty\">";
    out.words(why) << "</p></figure>\n";
    return out.text();
}

}  // namespace clientele
