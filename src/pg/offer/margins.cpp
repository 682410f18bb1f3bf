#include "pg/offer/margins.hpp"

#include <algorithm>

#include "core/offer/offer.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/segment/category_mix.hpp"

namespace clientele {
namespace {

std::int64_t store_margin_in(const BookSource& source) {
    constexpr Range range{rate_unit, 1, rate_unit, "margin is a share above 0 and at most 1, with at most 6 decimals."};
    const JsonbValue* value = lookup(source, "margin");
    if (value == nullptr) refuse(source, "margin", nullptr, range.accepted);
    return whole_in(source, "margin", value, range);
}

// Names and their margins, sorted by name.
std::span<const NamedMargin> named_margins_in(const BookSource& source, const char* key) {
    constexpr Range range{rate_unit, 0, rate_unit, "Each margin is a share from 0 to 1, with at most 6 decimals."};
    const JsonbValue* value = lookup(source, key);
    if (value == nullptr) return {};
    if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data)) {
        refuse(source, key, value, "It is an object of names and margins, such as {\"baby\": 0.25}.");
    }
    auto* margins =
        static_cast<NamedMargin*>(palloc(Max(JsonContainerSize(value->val.binary.data), 1U) * sizeof(NamedMargin)));
    std::size_t count = 0;
    JsonbValue item;
    JsonbIterator* entries = JsonbIteratorInit(value->val.binary.data);
    for (JsonbIteratorToken token; (token = JsonbIteratorNext(&entries, &item, true)) != WJB_DONE;) {
        if (token == WJB_KEY) margins[count].name = text_in(&item);
        if (token == WJB_VALUE) margins[count++].margin = whole_in(source, key, &item, range);
    }
    std::sort(margins, margins + count, [](const NamedMargin& a, const NamedMargin& b) { return a.name < b.name; });
    return {margins, count};
}

}  // namespace

Margins margins_in(const BookSource& source) {
    return {store_margin_in(source), named_margins_in(source, "margin_by_category"),
            named_margins_in(source, "margin_by_segment")};
}

CustomerMargin customer_margin(const Margins& margins, const NullableDatum& category_mix, std::string_view segment) {
    if (margins.by_category.empty() || category_mix.isnull) return margins.of_segment(segment);
    BasketMargin basket(margins);
    for_each_category(DatumGetJsonbP(category_mix.value),
                      [&](std::string_view category, std::int64_t amount) { basket.add(category, amount); });
    return basket.known() ? basket.margin() : margins.of_segment(segment);
}

Datum rate_datum(std::int64_t margin) {
    int decimals = 6;
    for (; decimals > 2 && margin % 10 == 0; --decimals) margin /= 10;
    return make_numeric(margin, decimals);
}

}  // namespace clientele
