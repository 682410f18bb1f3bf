// Category mixes: what a customer spent by category, as a store counts it.
#pragma once

#include <string_view>

#include "pg/kit/numeric.hpp"

namespace clientele {

// Raises an ERROR: the jsonb is not such a mix.
[[noreturn]] void refuse_mix(const char* what);

// What was spent, in 1/10,000; nothing where more came back than was spent.
std::int64_t spent(const JsonbValue& value);

// Calls each(category, what was spent in it) for every entry.
template <class Each>
void for_each_category(Jsonb* mix, const Each& each) {
    if (!JB_ROOT_IS_OBJECT(mix)) refuse_mix("it is not an object");
    JsonbValue key{}, value{};
    JsonbIterator* entries = JsonbIteratorInit(&mix->root);
    for (JsonbIteratorToken token; (token = JsonbIteratorNext(&entries, &value, true)) != WJB_DONE;) {
        if (token == WJB_KEY) key = value;
        if (token != WJB_VALUE) continue;
        each(std::string_view(key.val.string.val, static_cast<std::size_t>(key.val.string.len)), spent(value));
    }
}

}  // namespace clientele
