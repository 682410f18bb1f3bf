#include "pg/offer/book_json.hpp"

#include <cmath>
#include <cstring>

namespace clientele {
namespace {

// The start of a value, as errors show it.
char* shown(const JsonbValue* value) {
    constexpr int most_bytes = 100;
    if (value->type == jbvString) return pnstrdup(value->val.string.val, value->val.string.len);
    Jsonb* json = JsonbValueToJsonb(const_cast<JsonbValue*>(value));
    char* text = JsonbToCString(nullptr, &json->root, VARSIZE(json));
    const int size = static_cast<int>(std::strlen(text));
    if (size <= most_bytes) return text;
    return psprintf("%.*s ...", pg_mbcliplen(text, size, most_bytes), text);
}

// "Of arm "bold" of program "grow" it is 1.5."
char* place_of(const BookSource& source, const char* found) {
    const auto quoted = [](const char* what, std::string_view name) {
        return psprintf("%s \"%.*s\"", what, static_cast<int>(name.size()), name.data());
    };
    if (source.program.empty()) return psprintf("It is %s.", found);
    const char* program = quoted("program", source.program);
    if (source.arm.empty()) return psprintf("Of %s it is %s.", program, found);
    return psprintf("Of %s of %s it is %s.", quoted("arm", source.arm), program, found);
}

char* list_of(std::span<const std::string_view> keys) {
    StringInfoData list;
    initStringInfo(&list);
    for (const std::string_view key : keys) {
        appendStringInfo(&list, "%s%.*s", list.len > 0 ? ", " : "", static_cast<int>(key.size()), key.data());
    }
    return list.data;
}

[[noreturn]] void refuse_key(const BookSource& source, std::string_view key, const JsonbValue* value,
                             std::span<const std::string_view> known) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("unknown key \"%.*s\"", static_cast<int>(key.size()), key.data()),
                    errdetail("%s", place_of(source, shown(value))), errhint("The keys are %s.", list_of(known))));
    pg_unreachable();
}

// Whether a text names an instant whatever the session's settings and the clock say.
bool is_absolute(std::string_view text) {
    if (text == "infinity" || text == "-infinity") return true;
    constexpr std::string_view digits = "0123456789";
    const std::size_t offset = text.find_first_of("+-Z", 11);
    return text.find_first_not_of(digits) >= 4 &&
           text.find_first_not_of("0123456789-:.+TZ ") == std::string_view::npos && offset != std::string_view::npos;
}

}  // namespace

void refuse(const BookSource& source, const char* key, const JsonbValue* value, const char* accepted) {
    const char* found = value == nullptr ? "missing" : shown(value);
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid %s", key),
                    errdetail("%s", place_of(source, found)), errhint("%s", accepted)));
    pg_unreachable();
}

JsonbValue* lookup(const BookSource& source, const char* key) {
    JsonbValue* value = getKeyJsonValueFromContainer(source.object, key, static_cast<int>(std::strlen(key)), nullptr);
    return value == nullptr || value->type == jbvNull ? nullptr : value;
}

bool is_present(const BookSource& source, const char* key) {
    return getKeyJsonValueFromContainer(source.object, key, static_cast<int>(std::strlen(key)), nullptr) != nullptr;
}

std::string_view text_in(const JsonbValue* value) {
    return {value->val.string.val, static_cast<std::size_t>(value->val.string.len)};
}

std::string_view optional_text(const BookSource& source, const char* key) {
    const JsonbValue* value = lookup(source, key);
    if (value == nullptr) return {};
    if (value->type != jbvString) refuse(source, key, value, "It is a string.");
    return text_in(value);
}

std::string_view required_text(const BookSource& source, const char* key) {
    const std::string_view text = optional_text(source, key);
    if (text.empty()) refuse(source, key, lookup(source, key), "It is a string that is not empty.");
    return text;
}

char* terminated(std::string_view text) { return pnstrdup(text.data(), text.size()); }

Numeric numeric_in(const BookSource& source, const char* key, const JsonbValue* value) {
    if (value->type != jbvNumeric) refuse(source, key, value, "It is a finite number.");
    return value->val.numeric;
}

double double_in(const BookSource& source, const char* key, const JsonbValue* value) {
    return DatumGetFloat8(
        DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(numeric_in(source, key, value))));
}

std::int64_t whole_in(const BookSource& source, const char* key, const JsonbValue* value, const Range& range) {
    const Datum number = NumericGetDatum(numeric_in(source, key, value));
    const Datum scaled = DirectFunctionCall2(numeric_mul, number, NumericGetDatum(int64_to_numeric(range.unit)));
    const auto is_below = [](Datum left, Datum right) {
        return DatumGetBool(DirectFunctionCall2(numeric_lt, left, right));
    };
    if (is_below(scaled, NumericGetDatum(int64_to_numeric(range.from))) ||
        is_below(NumericGetDatum(int64_to_numeric(range.to)), scaled)) {
        refuse(source, key, value, range.accepted);
    }
    const std::int64_t whole = DatumGetInt64(DirectFunctionCall1(numeric_int8, scaled));
    const Datum back = NumericGetDatum(int64_to_numeric(whole));
    if (!DatumGetBool(DirectFunctionCall2(numeric_eq, back, scaled))) refuse(source, key, value, range.accepted);
    return whole;
}

double holdout_in(const BookSource& source, const char* key, const char* accepted) {
    const JsonbValue* value = lookup(source, key);
    if (value == nullptr) return 0;
    const double share = double_in(source, key, value);
    if (!(share >= 0 && share < 1)) refuse(source, key, value, accepted);
    return share;
}

Instant instant_in(const BookSource& source, const char* key, Instant otherwise) {
    const std::string_view text = optional_text(source, key);
    if (text.data() == nullptr) return otherwise;
    if (!is_absolute(text)) {
        refuse(source, key, lookup(source, key), "Instants look like 2026-01-31T18:00:00+00:00.");
    }
    return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(terminated(text)),
                                                   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

JsonbContainer* list_in(const BookSource& source, const char* key, const JsonbValue* value, std::uint32_t least,
                        std::uint32_t most, const char* accepted) {
    const bool is_list = value != nullptr && value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
    if (!is_list) refuse(source, key, value, accepted);
    const std::uint32_t count = JsonContainerSize(value->val.binary.data);
    if (count < least || count > most) refuse(source, key, value, accepted);
    return value->val.binary.data;
}

BookSource object_in(const BookSource& source, const char* key, const JsonbValue* value, std::uint32_t index,
                     const char* accepted) {
    const JsonbValue* item = getIthJsonbValueFromContainer(value->val.binary.data, index);
    if (item->type != jbvBinary || !JsonContainerIsObject(item->val.binary.data)) {
        refuse(source, key, value, accepted);
    }
    return {item->val.binary.data, source.program};
}

void check_keys(const BookSource& source, std::span<const std::string_view> known) {
    JsonbIterator* iterator = JsonbIteratorInit(source.object);
    JsonbValue item;
    std::string_view key;
    JsonbIteratorToken token;
    while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE) {
        if (token == WJB_KEY) key = text_in(&item);
        if (token != WJB_VALUE || item.type == jbvNull) continue;
        bool found = false;
        for (const std::string_view name : known) found = found || name == key;
        if (!found) refuse_key(source, key, &item, known);
    }
}

}  // namespace clientele
