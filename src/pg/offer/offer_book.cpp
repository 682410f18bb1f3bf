#include "pg/offer/offer_book.hpp"

#include <cmath>
#include <cstring>

#include "core/offer/offer_text.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/unicode.hpp"
#include "pg/kit/written.hpp"
#include "pg/kit/zone.hpp"
#include "pg/offer/margins.hpp"
#include "pg/offer/response_json.hpp"

namespace clientele {
namespace {

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

void check_book_keys(const BookSource& source) {
    constexpr std::string_view known[] = {
        "seed",     "currency",       "time_zone",      "margin",   "margin_by_category", "margin_by_segment",
        "programs", "purchase_model", "global_holdout", "response", "contact_limit"};
    check_keys(source, known);
}

void read_contact_limit(const BookSource& source, PreparedBook& prepared) {
    constexpr const char* accepted =
        "contact_limit is {\"most\": a whole number from 1, \"per\": an interval above 0 and up to 100 years}, or "
        "null.";
    constexpr std::string_view known[] = {"most", "per"};
    const JsonbValue* value = lookup(source, "contact_limit");
    if (value == nullptr) return;
    if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data)) {
        refuse(source, "contact_limit", value, accepted);
    }
    const BookSource limit{value->val.binary.data, {}};
    check_keys(limit, known);
    const JsonbValue* most = lookup(limit, "most");
    if (most == nullptr) refuse(limit, "most", nullptr, accepted);
    prepared.book.most_contacts = whole_in(limit, "most", most, {1, 1, PG_INT32_MAX, accepted});
    prepared.contact_period = duration_in(limit, "per", required_text(limit, "per"), accepted);
}

// Each program against those before it.
void check_order(std::span<const Program> programs, const Program& program, const BookSource& source) {
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

// A local time plus a duration, by the calendar.
Instant plus(Instant local, const Interval& duration) {
    return DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval, TimestampGetDatum(local),
                                                 IntervalPGetDatum(const_cast<Interval*>(&duration))));
}

constexpr std::uint32_t max_programs = 1'000;

void read_programs(const BookSource& source, PreparedBook& prepared) {
    constexpr const char* accepted = "programs is an array of objects.";
    const JsonbValue* value = lookup(source, "programs");
    const std::uint32_t count = JsonContainerSize(list_in(source, "programs", value, 0, PG_UINT32_MAX, accepted));
    if (count > max_programs) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many offer programs: %u", count),
                        errdetail("A store has at most %u.", max_programs)));
    }
    auto* programs = static_cast<Program*>(palloc(Max(count, 1U) * sizeof(Program)));
    prepared.parts = static_cast<ProgramParts*>(palloc0(Max(count, 1U) * sizeof(ProgramParts)));
    for (std::uint32_t index = 0; index < count; ++index) {
        const BookSource item = object_in(source, "programs", value, index, accepted);
        Program& program = *new (&programs[index]) Program;
        read_program(prepared.book, item, program, prepared.parts[index]);
        check_order({programs, index}, program, {item.object, program.name});
        prepared.asks_for_id =
            prepared.asks_for_id || program.holdout > 0 || !program.arms.empty() || program.explore_share > 0;
        prepared.asks_for_budgets = prepared.asks_for_budgets || prepared.parts[index].budget != unlimited;
    }
    prepared.standings = static_cast<Standing*>(palloc(Max(count, 1U) * sizeof(Standing)));
    prepared.book.programs = {programs, count};
}

void read_currency(const BookSource& source, Book& book) {
    book.currency = required_text(source, "currency");
    const bool is_code = book.currency.size() == 3 &&
                         book.currency.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
    if (!is_code) {
        refuse(source, "currency", lookup(source, "currency"), "currency is a code of ISO 4217, such as USD.");
    }
    book.decimals = currency_decimals(book.currency);
}

constexpr const char* accepted_model =
    "purchase_model is {\"model\": \"bgnbd\", \"mbgnbd\" or \"pareto_nbd\", \"parameters\": four positive numbers}, or "
    "null.";

PurchaseKind purchase_kind_in(const BookSource& source, const BookSource& book) {
    const std::string_view name = optional_text(source, "model");
    for (const PurchaseKind kind : {PurchaseKind::bgnbd, PurchaseKind::mbgnbd, PurchaseKind::pareto_nbd}) {
        if (name == name_of(kind)) return kind;
    }
    refuse(book, "purchase_model", lookup(book, "purchase_model"), accepted_model);
}

void read_purchase_model(const BookSource& source, Book& book) {
    const JsonbValue* value = lookup(source, "purchase_model");
    if (value == nullptr) return;
    if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data)) {
        refuse(source, "purchase_model", value, accepted_model);
    }
    const BookSource model{value->val.binary.data, {}};
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
    const BookSource source{&source_json->root, {}};
    if (!JsonContainerIsObject(source.object) || JsonContainerIsScalar(source.object)) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("offer book is not a JSON object"),
                        errhint("A store's book is what its function _offer_book() returns.")));
    }
    check_book_keys(source);
    auto* prepared = new (palloc0(sizeof(PreparedBook))) PreparedBook{};
    Book& book = prepared->book;
    prepared->context = CurrentMemoryContext;
    book.unicode = GetDatabaseEncoding() == PG_UTF8;
    book.seed = required_text(source, "seed");
    read_currency(source, book);
    book.margins = margins_in(source);
    const std::string_view zone = required_text(source, "time_zone");
    prepared->zone = &find_zone(zone.data(), zone.size());
    read_purchase_model(source, book);
    book.response = response_model_in(source);
    book.global_holdout = holdout_in(source, "global_holdout", "global_holdout is a share from 0 to below 1.");
    feed(book.global_holdout_seed, {book.seed, ":global"});
    prepared->asks_for_id = book.global_holdout > 0;
    read_contact_limit(source, *prepared);
    read_programs(source, *prepared);
    prepared->currency = text_datum(book.currency);
    prepared->asks_for_cv = book.asks_for_cv();
    prepared->asks_for_next_order = book.asks_for_next_order();
    prepared->asks_for_recency =
        book.asks_for_recency() || (book.has_purchase_model && book.asks_for_expected_orders());
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

Instant later(const Zone& zone, Instant from, const Interval& duration) {
    return instant_of(plus(zone.local(from), duration), zone);
}

const Validity& validity_of(PreparedBook& book, const Program& program, Instant as_of) {
    ProgramParts& parts = book.parts_of(program);
    Validity& validity = parts.validity;
    if (validity.known && validity.as_of == as_of) return validity;
    const Zone& zone = *book.zone;
    // An offer that is valid for whole days promises the last of them whole, at whatever hour it was made.
    if (parts.valid_for.time == 0) {
        const Instant last = day_of(zone.local(as_of)) * microseconds_a_day;
        const Day last_day = day_of(plus(last, parts.valid_for));
        Instant until = 0;
        think([&] { until = first_instant_of(last_day + 1, zone); });
        validity = {as_of, until, last_day, true};
    } else {
        const Instant until = later(zone, as_of, parts.valid_for);
        validity = {as_of, until, day_of(zone.local(until - 1)), true};
    }
    return validity;
}

Datum expected_profit_of(const PreparedBook& book, const Decision& decision, std::string_view segment) {
    Datum of_every_other = 0;
    for (const Estimate& estimate : book.parts_of(*decision.program).estimates) {
        if (estimate.arm_index != decision.arm_index) continue;
        if (estimate.segment.data() == nullptr) {
            of_every_other = estimate.expected_profit;
        } else if (estimate.segment == segment) {
            return estimate.expected_profit;
        }
    }
    return of_every_other;
}

Datum reasons_datum(const Decision& decision, const CustomerFacts& facts) {
    constexpr int with_value = 2;
    Datum names[reason_count + with_value];
    int count = 0;
    for (const Reason reason : decision.reasons.all()) names[count++] = text_datum(code_of(reason));
    if (!std::isnan(decision.p_alive)) {
        names[count++] = written([&](Text& text) { add_p_alive_reason(text, decision); });
        if (!std::isnan(facts.median_gap_days)) {
            names[count++] = written([&](Text& text) { add_rhythm_reason(text, facts); });
        }
    }
    return PointerGetDatum(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum offer_reasons_datum(PreparedBook& book, const Decision& decision, const CustomerFacts& facts) {
    if (!std::isnan(decision.p_alive)) return reasons_datum(decision, facts);
    const int origin = static_cast<int>(decision.origin);
    const int basis = static_cast<int>(decision.reference.basis);
    const Terms& terms = decision.terms;
    const int reward = terms.at_max_reward ? 2 : terms.capped ? 1 : 0;
    const int spend = terms.at_max_spend ? 2 : terms.limited ? 1 : 0;
    const int bounded = decision.reference.bounded ? 1 : 0;
    Datum& made = book.parts_of(*decision.program).reasons[origin][basis][bounded][reward][spend];
    if (made == 0) {
        MemoryContext caller = MemoryContextSwitchTo(book.context);
        made = reasons_datum(decision, facts);
        MemoryContextSwitchTo(caller);
    }
    return made;
}

}  // namespace clientele
