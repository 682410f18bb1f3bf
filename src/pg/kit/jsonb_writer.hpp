// Objects of jsonb, entry by entry.
#pragma once

#include <string_view>

#include "pg/kit/postgres.hpp"

namespace clientele {

// number: a numeric.
inline void push_number(JsonbParseState** object, std::string_view key, Datum number) {
    JsonbValue value{};
    value.type = jbvString;
    value.val.string.val = const_cast<char*>(key.data());
    value.val.string.len = static_cast<int>(key.size());
    pushJsonbValue(object, WJB_KEY, &value);
    value.type = jbvNumeric;
    value.val.numeric = DatumGetNumeric(number);
    pushJsonbValue(object, WJB_VALUE, &value);
}

}  // namespace clientele
