#include "offer_book.hpp"

#include <cmath>
#include <cstring>

#include "boundary.hpp"
#include "core/offer_text.hpp"

#include "unicode.hpp"
#include "zone.hpp"

namespace clientele {
namespace {

constexpr double default_max_cv = 0.45;
constexpr const char* default_valid_for = "14 days";
constexpr std::string_view default_message = "Spend {min_spend} or more and get {reward} off";

// Session cache: the last books used, found again by their bytes. Point look-ups come with a new FmgrInfo each time,
// so nothing shorter-lived would serve them.
struct Slot {
    MemoryContext context;
    Jsonb* source;
    PreparedBook* book;
};
constexpr int slot_count = 8;
constinit Slot slots[slot_count]{};
constinit int next_slot = 0;

// An object within the book, and how errors speak of it.
struct Source {
    JsonbContainer* object;
    std::string_view program;  // empty: the book itself
};

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

[[noreturn]] void refuse(const Source& source, const char* key, const JsonbValue* value, const char* accepted) {
    const int name_size = static_cast<int>(source.program.size());
    const char* found = value == nullptr ? "missing" : shown(value);
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid %s", key),
                    source.program.empty()
                        ? errdetail("It is %s.", found)
                        : errdetail("Of program \"%.*s\" it is %s.", name_size, source.program.data(), found),
                    errhint("%s", accepted)));
    pg_unreachable();
}

// A key's value; nullptr where it is absent or null.
JsonbValue* lookup(const Source& source, const char* key) {
    JsonbValue* value = getKeyJsonValueFromContainer(source.object, key, static_cast<int>(std::strlen(key)), nullptr);
    return value == nullptr || value->type == jbvNull ? nullptr : value;
}

bool is_present(const Source& source, const char* key) {
    return getKeyJsonValueFromContainer(source.object, key, static_cast<int>(std::strlen(key)), nullptr) != nullptr;
}

std::string_view text_in(const JsonbValue* value) {
    return {value->val.string.val, static_cast<std::size_t>(value->val.string.len)};
}

// A text without data where it is absent.
std::string_view optional_text(const Source& source, const char* key) {
    const JsonbValue* value = lookup(source, key);
    if (value == nullptr) return {};
    if (value->type != jbvString) refuse(source, key, value, "It is a string.");
    return text_in(value);
}

std::string_view required_text(const Source& source, const char* key) {
    const std::string_view text = optional_text(source, key);
    if (text.empty()) refuse(source, key, lookup(source, key), "It is a string that is not empty.");
    return text;
}

char* terminated(std::string_view text) { return pnstrdup(text.data(), text.size()); }

Numeric numeric_in_json(const Source& source, const char* key, const JsonbValue* value) {
    if (value->type != jbvNumeric) refuse(source, key, value, "It is a finite number.");
    return value->val.numeric;
}

// A rate in millionths, within (above, at_most] or [above, at_most].
struct RateRange {
    std::int64_t from, to;
    const char* accepted;
};

std::int64_t rate_in(const Source& source, const char* key, const JsonbValue* value, const RateRange& range) {
    const Datum number = NumericGetDatum(numeric_in_json(source, key, value));
    const Datum unit = NumericGetDatum(int64_to_numeric(rate_unit));
    const Datum limit = NumericGetDatum(int64_to_numeric(max_stretch));
    const Datum scaled = DirectFunctionCall2(numeric_mul, number, unit);
    const Datum magnitude = DirectFunctionCall1(numeric_abs, scaled);
    if (DatumGetBool(DirectFunctionCall2(numeric_gt, magnitude, limit))) refuse(source, key, value, range.accepted);
    const std::int64_t rate = DatumGetInt64(DirectFunctionCall1(numeric_int8, scaled));
    const Datum back = NumericGetDatum(int64_to_numeric(rate));
    const bool exact = DatumGetBool(DirectFunctionCall2(numeric_eq, back, scaled));
    if (!exact || rate < range.from || rate > range.to) refuse(source, key, value, range.accepted);
    return rate;
}

double double_in(const Source& source, const char* key, const JsonbValue* value) {
    return DatumGetFloat8(
        DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(numeric_in_json(source, key, value))));
}

std::int64_t stretch_in(const Source& source) {
    const JsonbValue* value = lookup(source, "stretch");
    if (value == nullptr) return Program{}.stretch;
    return rate_in(source, "stretch", value,
                   {rate_unit + 1, max_stretch, "stretch is above 1 and at most 100, with at most 6 decimals."});
}

std::int64_t reward_rate_in(const Source& source) {
    const JsonbValue* value = lookup(source, "reward_rate");
    if (value == nullptr) return Program{}.reward_rate;
    return rate_in(source, "reward_rate", value,
                   {0, rate_unit, "reward_rate is a share from 0 to 1, with at most 6 decimals."});
}

std::int64_t margin_in(const Source& source) {
    constexpr RateRange range{1, rate_unit, "margin is a share above 0 and at most 1, with at most 6 decimals."};
    const JsonbValue* value = lookup(source, "margin");
    if (value == nullptr) refuse(source, "margin", nullptr, range.accepted);
    return rate_in(source, "margin", value, range);
}

double max_cv_in(const Source& source) {
    if (!is_present(source, "max_cv")) return default_max_cv;
    const JsonbValue* value = lookup(source, "max_cv");
    if (value == nullptr) return std::nan("");
    const double max_cv = double_in(source, "max_cv", value);
    if (!std::isfinite(max_cv) || max_cv < 0) {
        refuse(source, "max_cv", value, "max_cv is 0 or more, or null to turn the check off.");
    }
    return max_cv;
}

double holdout_in(const Source& source) {
    const JsonbValue* value = lookup(source, "holdout");
    if (value == nullptr) return 0;
    const double holdout = double_in(source, "holdout", value);
    if (!(holdout >= 0 && holdout < 1)) refuse(source, "holdout", value, "holdout is a share from 0 to below 1.");
    return holdout;
}

std::int32_t priority_in(const Source& source) {
    constexpr const char* accepted = "priority is a whole number; programs stand in its order, no two with the same.";
    const JsonbValue* value = lookup(source, "priority");
    if (value == nullptr) refuse(source, "priority", nullptr, accepted);
    const double priority = double_in(source, "priority", value);
    if (priority != std::rint(priority) || std::fabs(priority) > PG_INT32_MAX) {
        refuse(source, "priority", value, accepted);
    }
    return static_cast<std::int32_t>(priority);
}

Objective objective_in(const Source& source) {
    const std::string_view name = required_text(source, "objective");
    if (name == "grow_order_value") return Objective::grow_order_value;
    if (name == "second_order") return Objective::second_order;
    if (name == "win_back") return Objective::win_back;
    refuse(source, "objective", lookup(source, "objective"),
           "Objectives are grow_order_value, second_order and win_back.");
}

Interval* interval_from(const char* text) {
    return DatumGetIntervalP(
        DirectFunctionCall3(interval_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

bool is_before(Interval* left, Interval* right) {
    return DatumGetBool(DirectFunctionCall2(interval_lt, IntervalPGetDatum(left), IntervalPGetDatum(right)));
}

Interval valid_for_in(const Source& source) {
    const std::string_view text = optional_text(source, "valid_for");
    Interval* valid_for = interval_from(text.data() == nullptr ? default_valid_for : terminated(text));
    Interval zero{};
    Interval century{};
    century.month = 1'200;
    // How a sign applies to the parts behind it depends on the session's IntervalStyle; so there is none.
    const bool has_sign = valid_for->month < 0 || valid_for->day < 0 || valid_for->time < 0;
    if (has_sign || !is_before(&zero, valid_for) || is_before(&century, valid_for)) {
        refuse(source, "valid_for", lookup(source, "valid_for"),
               "valid_for is above 0 and at most 100 years, and no part of it is negative.");
    }
    return *valid_for;
}

// Whether a text names an instant whatever the session's settings and the clock say.
bool is_absolute(std::string_view text) {
    if (text == "infinity" || text == "-infinity") return true;
    constexpr std::string_view digits = "0123456789";
    const std::size_t offset = text.find_first_of("+-Z", 11);
    return text.find_first_not_of(digits) >= 4 && text.find_first_not_of("0123456789-:.+TZ ") == text.npos &&
           offset != text.npos;
}

Instant instant_in(const Source& source, const char* key, Instant otherwise) {
    const std::string_view text = optional_text(source, key);
    if (text.data() == nullptr) return otherwise;
    if (!is_absolute(text)) {
        refuse(source, key, lookup(source, key), "Instants look like 2026-01-31T18:00:00+00:00.");
    }
    return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(terminated(text)),
                                                   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

void read_segments(const Source& source, Program& program) {
    const JsonbValue* value = lookup(source, "segments");
    program.every_segment = value == nullptr;
    if (value == nullptr) return;
    constexpr const char* accepted = "segments is an array of names that is not empty, or null for every segment.";
    if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data)) {
        refuse(source, "segments", value, accepted);
    }
    JsonbContainer* array = value->val.binary.data;
    const std::uint32_t count = JsonContainerSize(array);
    if (count == 0) refuse(source, "segments", value, accepted);
    auto* names = static_cast<std::string_view*>(palloc(count * sizeof(std::string_view)));
    for (std::uint32_t index = 0; index < count; ++index) {
        const JsonbValue* name = getIthJsonbValueFromContainer(array, index);
        if (name->type != jbvString) refuse(source, "segments", value, accepted);
        new (&names[index]) std::string_view(text_in(name));
    }
    program.segments = {names, count};
}

// Catches a misspelt key before it is taken for an absent one; an unknown key without a value does no harm.
void check_keys(const Source& source, std::span<const std::string_view> known) {
    JsonbIterator* iterator = JsonbIteratorInit(source.object);
    JsonbValue item;
    std::string_view key;
    JsonbIteratorToken token;
    while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE) {
        if (token == WJB_KEY) key = text_in(&item);
        if (token != WJB_VALUE || item.type == jbvNull) continue;
        bool found = false;
        for (const std::string_view name : known) found = found || name == key;
        if (!found) refuse(source, terminated(key), &item, "This release knows no such key.");
    }
}

void check_program_keys(const Source& source) {
    constexpr std::string_view known[] = {"program",     "priority", "objective", "segments", "stretch",
                                          "reward_rate", "max_cv",   "valid_for", "holdout",  "starts_at",
                                          "ends_at",     "message",  "disclosure"};
    check_keys(source, known);
}

void check_book_keys(const Source& source) {
    constexpr std::string_view known[] = {"store", "currency", "time_zone", "margin", "programs", "purchase_model"};
    check_keys(source, known);
}

void feed_holdout_seed(const Book& book, Program& program) {
    const std::string_view store = utf8_of(book.store);
    const std::string_view name = utf8_of(program.name);
    think([&] {
        for (const std::string_view part : {store, std::string_view(":"), name, std::string_view(":holdout")}) {
            program.holdout_seed.add(part);
        }
    });
}

void read_program(const Book& book, const JsonbValue* value, Program& program, ProgramParts& parts) {
    Source source{value->val.binary.data, {}};
    source.program = program.name = required_text(source, "program");
    check_program_keys(source);
    program.priority = priority_in(source);
    program.objective = objective_in(source);
    read_segments(source, program);
    program.stretch = stretch_in(source);
    program.reward_rate = reward_rate_in(source);
    program.max_cv = max_cv_in(source);
    program.holdout = holdout_in(source);
    program.starts_at = instant_in(source, "starts_at", program.starts_at);
    program.ends_at = instant_in(source, "ends_at", program.ends_at);
    program.message = optional_text(source, "message");
    if (program.message.data() == nullptr) program.message = default_message;
    program.disclosure = optional_text(source, "disclosure");
    feed_holdout_seed(book, program);
    think([&] { check_message(program.message); });
    parts.valid_for = valid_for_in(source);
}

// Each program against those before it.
void check_order(std::span<const Program> programs, const Program& program, const Source& source) {
    for (const Program& earlier : programs) {
        if (earlier.priority >= program.priority) {
            refuse(source, "priority", lookup(source, "priority"),
                   "Programs stand in the order of their priorities, no two with the same.");
        }
        if (earlier.name == program.name) {
            refuse(source, "program", lookup(source, "program"), "No two programs have the same name.");
        }
    }
}

Datum text_datum(std::string_view text) {
    return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

// What write(Text&) writes, which is short.
template <class Write>
Datum short_text_datum(const Write& write) {
    char buffer[64];
    std::size_t size = 0;
    think([&] {
        Text text(buffer);
        write(text);
        size = text.size();
    });
    Assert(size <= sizeof buffer);
    return text_datum({buffer, size});
}

constexpr std::uint32_t max_programs = 1'000;

void read_programs(const Source& source, PreparedBook& prepared) {
    constexpr const char* accepted = "programs is an array of objects.";
    const JsonbValue* value = lookup(source, "programs");
    if (value == nullptr || value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data)) {
        refuse(source, "programs", value, accepted);
    }
    JsonbContainer* array = value->val.binary.data;
    const std::uint32_t count = JsonContainerSize(array);
    if (count > max_programs) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many offer programs: %u", count),
                        errdetail("A store has at most %u.", max_programs)));
    }
    auto* programs = static_cast<Program*>(palloc(Max(count, 1U) * sizeof(Program)));
    prepared.parts = static_cast<ProgramParts*>(palloc0(Max(count, 1U) * sizeof(ProgramParts)));
    for (std::uint32_t index = 0; index < count; ++index) {
        const JsonbValue* item = getIthJsonbValueFromContainer(array, index);
        if (item->type != jbvBinary || !JsonContainerIsObject(item->val.binary.data)) {
            refuse(source, "programs", value, accepted);
        }
        Program& program = *new (&programs[index]) Program;
        ProgramParts& parts = prepared.parts[index];
        read_program(prepared.book, item, program, parts);
        check_order({programs, index}, program, {item->val.binary.data, program.name});
        parts.name = text_datum(program.name);
        parts.disclosure = program.disclosure.data() == nullptr ? 0 : text_datum(program.disclosure);
        prepared.asks_for_id = prepared.asks_for_id || program.holdout > 0;
    }
    prepared.book.programs = {programs, count};
}

void read_currency(const Source& source, Book& book) {
    book.currency = required_text(source, "currency");
    const bool is_code = book.currency.size() == 3 &&
                         book.currency.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == book.currency.npos;
    if (!is_code) {
        refuse(source, "currency", lookup(source, "currency"), "currency is a code of ISO 4217, such as USD.");
    }
    book.decimals = currency_decimals(book.currency);
}

constexpr const char* accepted_model =
    "purchase_model is {\"model\": \"bgnbd\", \"mbgnbd\" or \"pareto_nbd\", \"parameters\": four positive numbers}, or "
    "null.";

PurchaseKind purchase_kind_in(const Source& source, const Source& book) {
    const std::string_view name = optional_text(source, "model");
    for (const PurchaseKind kind : {PurchaseKind::bgnbd, PurchaseKind::mbgnbd, PurchaseKind::pareto_nbd}) {
        if (name == name_of(kind)) return kind;
    }
    refuse(book, "purchase_model", lookup(book, "purchase_model"), accepted_model);
}

void read_purchase_model(const Source& source, Book& book) {
    const JsonbValue* value = lookup(source, "purchase_model");
    if (value == nullptr) return;
    if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data)) {
        refuse(source, "purchase_model", value, accepted_model);
    }
    const Source model{value->val.binary.data, {}};
    book.purchase_model.kind = purchase_kind_in(model, source);
    const JsonbValue* list = lookup(model, "parameters");
    const bool is_list = list != nullptr && list->type == jbvBinary && JsonContainerIsArray(list->val.binary.data);
    if (!is_list || JsonContainerSize(list->val.binary.data) != book.purchase_model.parameters.size()) {
        refuse(source, "purchase_model", value, accepted_model);
    }
    for (std::uint32_t i = 0; i < book.purchase_model.parameters.size(); ++i) {
        const JsonbValue* number = getIthJsonbValueFromContainer(list->val.binary.data, i);
        book.purchase_model.parameters[i] = double_in(source, "purchase_model", number);
    }
    think([&] { check(book.purchase_model); });
    book.has_purchase_model = true;
}

// Everything is made in the current memory context, which becomes the book's.
PreparedBook* prepare(Jsonb* source_json) {
    const Source source{&source_json->root, {}};
    if (!JsonContainerIsObject(source.object) || JsonContainerIsScalar(source.object)) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("offer book is not a JSON object"),
                        errhint("A store's book is what its function _offer_book() returns.")));
    }
    check_book_keys(source);
    auto* prepared = new (palloc0(sizeof(PreparedBook))) PreparedBook{};
    Book& book = prepared->book;
    prepared->context = CurrentMemoryContext;
    book.unicode = GetDatabaseEncoding() == PG_UTF8;
    book.store = required_text(source, "store");
    read_currency(source, book);
    book.margin = margin_in(source);
    const std::string_view zone = required_text(source, "time_zone");
    prepared->zone = &find_zone(zone.data(), zone.size());
    read_purchase_model(source, book);
    read_programs(source, *prepared);
    prepared->currency = text_datum(book.currency);
    prepared->reward_kind = text_datum("amount_off");
    prepared->variant = text_datum("default");
    prepared->asks_for_cv = book.asks_for_cv();
    prepared->asks_for_recency = book.asks_for_recency();
    prepared->asks_for_gap = book.asks_for_gap();
    return prepared;
}

// Fails without a trace: the slot is filled when the book is complete.
PreparedBook& remember(Jsonb* source) {
    MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "clientele offer book", ALLOCSET_SMALL_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(context);
    auto* copy = static_cast<Jsonb*>(palloc(VARSIZE(source)));
    std::memcpy(copy, source, VARSIZE(source));
    PreparedBook* book = prepare(copy);
    MemoryContextSwitchTo(caller);
    Slot& slot = slots[next_slot];
    next_slot = (next_slot + 1) % slot_count;
    if (slot.context != nullptr) MemoryContextDelete(slot.context);
    MemoryContextSetParent(context, TopMemoryContext);
    slot = {context, copy, book};
    return *book;
}

}  // namespace

PreparedBook& prepared_book(Jsonb* source) {
    for (const Slot& slot : slots) {
        if (slot.source != nullptr && VARSIZE(slot.source) == VARSIZE(source) &&
            std::memcmp(slot.source, source, VARSIZE(source)) == 0) {
            return *slot.book;
        }
    }
    return remember(source);
}

const Validity& validity_of(PreparedBook& book, const Program& program, Instant as_of) {
    ProgramParts& parts = book.parts_of(program);
    Validity& validity = parts.validity;
    if (validity.known && validity.as_of == as_of) return validity;
    const Timestamp local = DatumGetTimestamp(DirectFunctionCall2(
        timestamp_pl_interval, TimestampGetDatum(book.zone->local(as_of)), IntervalPGetDatum(&parts.valid_for)));
    const Instant until = instant_of(local, *book.zone);
    validity = {as_of, until, day_of(book.zone->local(until) - 1), true};
    return validity;
}

Datum reasons_datum(const Decision& decision, const CustomerFacts& facts) {
    constexpr int with_value = 2;
    Datum names[reason_count + with_value];
    int count = 0;
    for (const Reason reason : decision.reasons.all()) names[count++] = text_datum(code_of(reason));
    if (!std::isnan(decision.p_alive)) {
        names[count++] = short_text_datum([&](Text& text) { add_p_alive_reason(text, decision); });
        if (!std::isnan(facts.median_gap_days)) {
            names[count++] = short_text_datum([&](Text& text) { add_rhythm_reason(text, facts); });
        }
    }
    return PointerGetDatum(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum offer_reasons_datum(PreparedBook& book, const Decision& decision, const CustomerFacts& facts) {
    if (!std::isnan(decision.p_alive)) return reasons_datum(decision, facts);
    const int basis = static_cast<int>(decision.reference.basis);
    Datum& made = book.parts_of(*decision.program).reasons[basis][decision.terms.capped ? 1 : 0];
    if (made == 0) {
        MemoryContext caller = MemoryContextSwitchTo(book.context);
        made = reasons_datum(decision, facts);
        MemoryContextSwitchTo(caller);
    }
    return made;
}

}  // namespace clientele
