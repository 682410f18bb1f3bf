// clientele._count_affinities(): which products go together in a store's orders. src/sql/87-affinity.sql says what it
// returns.
//
// The executor hands over the lines of the orders, those of an order one after the other. Baskets makes numbers of
// them, which go to a temporary file; NeighbourSearch is given that file for each block of products.
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "core/basket/affinity.hpp"
#include "core/basket/baskets.hpp"

#include "pg/basket/basket_file.hpp"
#include "pg/kit/boundary.hpp"
#include "pg/kit/kept_object.hpp"
#include "pg/kit/progress.hpp"
#include "pg/kit/query.hpp"
#include "pg/kit/row.hpp"
#include "pg/profile/order_input.hpp"
#include "pg/store/store.hpp"

using namespace clientele;

namespace {

constexpr std::size_t words_a_write = 16'384;
constexpr std::int64_t lines_a_report = 100'000;

struct Settings {
    double shrinkage;
    std::int32_t most_neighbours;
    std::int32_t most_products;
};

// The executor hands it each line: order_id, product.
struct LineReceiver {
    DestReceiver base;  // must come first
    Baskets* baskets;
    BasketFile* file;
    MemoryContext memory;
    Datum order;
    bool begun;
    std::int64_t lines;
};

Form_pg_attribute column_of(const TupleTableSlot& slot, int column) {
    return TupleDescAttr(slot.tts_tupleDescriptor, column);
}

void end_order(LineReceiver& receiver) {
    std::span<const std::uint32_t> written;
    think([&] {
        receiver.baskets->end_order();
        written = receiver.baskets->written();
    });
    if (written.size() < words_a_write) return;
    write_baskets(*receiver.file, written);
    receiver.baskets->forget_written();
}

bool is_same_order(const LineReceiver& receiver, const TupleTableSlot& slot) {
    const Form_pg_attribute column = column_of(slot, 0);
    return receiver.begun && datum_image_eq(receiver.order, slot.tts_values[0], column->attbyval, column->attlen);
}

void begin_order(LineReceiver& receiver, const TupleTableSlot& slot) {
    const Form_pg_attribute column = column_of(slot, 0);
    if (receiver.begun) {
        end_order(receiver);
        if (!column->attbyval) pfree(DatumGetPointer(receiver.order));
    }
    MemoryContext caller = MemoryContextSwitchTo(receiver.memory);
    receiver.order = datumCopy(slot.tts_values[0], column->attbyval, column->attlen);
    MemoryContextSwitchTo(caller);
    receiver.begun = true;
}

// A product's key as bytes: those of the datum, without the header of a text.
std::string_view bytes_of(const Datum& key, const FormData_pg_attribute& column) {
    if (column.attbyval) return {reinterpret_cast<const char*>(&key), sizeof key};
    if (column.attlen > 0) return {DatumGetPointer(key), static_cast<std::size_t>(column.attlen)};
    const auto* text = reinterpret_cast<const varlena*>(DatumGetPointer(key));
    return {VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text)};
}

bool receive_line(TupleTableSlot* slot, DestReceiver* self) {
    auto& receiver = *reinterpret_cast<LineReceiver*>(self);
    if (++receiver.lines % lines_a_report == 0) report_done(receiver.lines);
    slot_getallattrs(slot);
    if (!is_same_order(receiver, *slot)) begin_order(receiver, *slot);
    const Form_pg_attribute column = column_of(*slot, 1);
    Datum product = slot->tts_values[1];
    if (column->attlen == -1) {
        if (!fits_index(product)) return true;
        product = PointerGetDatum(pg_detoast_datum_packed(reinterpret_cast<varlena*>(DatumGetPointer(product))));
    }
    const std::string_view key = bytes_of(product, *column);
    think([&] { receiver.baskets->add_line(key); });
    if (product != slot->tts_values[1]) pfree(DatumGetPointer(product));
    return true;
}

void ignore_start(DestReceiver*, int, TupleDesc) {}
void ignore(DestReceiver*) {}

void read_lines(const char* query, TimestampTz from, TimestampTz to, LineReceiver& receiver) {
    ParamListInfo parameters = makeParamList(2);
    parameters->params[0] = {TimestampTzGetDatum(from), false, PARAM_FLAG_CONST, TIMESTAMPTZOID};
    parameters->params[1] = {TimestampTzGetDatum(to), false, PARAM_FLAG_CONST, TIMESTAMPTZOID};
    SPIExecuteOptions options{};
    options.params = parameters;
    options.read_only = true;
    options.dest = &receiver.base;
    const int code = SPI_execute_extended(query, &options);
    if (code != SPI_OK_SELECT) elog(ERROR, "could not read the orders' lines: %s", SPI_result_code_string(code));
    if (receiver.begun) end_order(receiver);
    write_baskets(*receiver.file, receiver.baskets->written());
    receiver.baskets->forget_written();
}

// ---- What is found ----

Datum key_of(std::string_view bytes, Oid type) {
    int16 length;
    bool by_value;
    get_typlenbyval(type, &length, &by_value);
    if (by_value) {
        Datum key;
        std::memcpy(&key, bytes.data(), sizeof key);
        return key;
    }
    if (length == -1) return PointerGetDatum(cstring_to_text_with_len(bytes.data(), static_cast<int>(bytes.size())));
    return PointerGetDatum(const_cast<char*>(bytes.data()));
}

// Products as text, as their type writes them.
Datum* texts_of(std::span<const std::string_view> names, Oid type) {
    auto* texts = static_cast<Datum*>(MemoryContextAllocHuge(CurrentMemoryContext, (names.size() + 1) * sizeof(Datum)));
    Oid output;
    bool is_varlena;
    getTypeOutputInfo(type, &output, &is_varlena);
    FmgrInfo writer;
    fmgr_info(output, &writer);
    for (std::size_t i = 0; i < names.size(); ++i) {
        texts[i] = CStringGetTextDatum(OutputFunctionCall(&writer, key_of(names[i], type)));
    }
    return texts;
}

Datum array_of(Datum* values, std::size_t count, Oid type) {
    int16 length;
    bool by_value;
    char alignment;
    get_typlenbyvalalign(type, &length, &by_value, &alignment);
    return PointerGetDatum(construct_array(values, static_cast<int>(count), type, length, by_value, alignment));
}

void put_product(ReturnSetInfo* result, const Datum* texts, std::uint32_t product, std::uint32_t baskets,
                 std::span<const Neighbour> neighbours) {
    constexpr int columns = 3;
    auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * columns * (neighbours.size() + 1)));
    Datum *products = values, *together = products + neighbours.size(), *scores = together + neighbours.size();
    for (std::size_t i = 0; i < neighbours.size(); ++i) {
        products[i] = texts[neighbours[i].product];
        together[i] = Int32GetDatum(static_cast<int32>(neighbours[i].together));
        scores[i] = Float8GetDatum(neighbours[i].affinity);
    }
    Datum row[] = {texts[product], Int64GetDatum(baskets), array_of(products, neighbours.size(), TEXTOID),
                   array_of(together, neighbours.size(), INT4OID), array_of(scores, neighbours.size(), FLOAT8OID)};
    bool nulls[lengthof(row)] = {};
    tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
}

// Of the products of a block.
void put_block(ReturnSetInfo* result, std::span<const ProductTotals> totals, NeighbourSearch& search,
               const Datum* texts, MemoryContext memory) {
    for (std::uint32_t p = search.block_begin(); p < search.block_end(); ++p) {
        CHECK_FOR_INTERRUPTS();
        std::span<const Neighbour> neighbours;
        think([&] { neighbours = search.neighbours_of(p); });
        if (totals[p].baskets == 0) continue;
        MemoryContext caller = MemoryContextSwitchTo(memory);
        put_product(result, texts, p, totals[p].baskets, neighbours);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(memory);
    }
}

void add_file(NeighbourSearch& search, BasketFile& file) {
    rewind_baskets(file);
    for (auto baskets = read_baskets(file); !baskets.empty(); baskets = read_baskets(file)) {
        CHECK_FOR_INTERRUPTS();
        think([&] { search.add_baskets(baskets); });
    }
}

NeighbourSearch* new_search(const Baskets& baskets, const Settings& settings) {
    NeighbourSearch*& search = kept_object<NeighbourSearch>();
    think([&] {
        search = new NeighbourSearch(baskets.totals(), baskets.names(),
                                     {settings.shrinkage, static_cast<std::size_t>(settings.most_neighbours),
                                      static_cast<std::size_t>(maintenance_work_mem) * 1'024 / sizeof(std::uint32_t)});
    });
    return search;
}

// Returns how many pairs there are.
std::uint64_t put_neighbours(ReturnSetInfo* result, const Baskets& baskets, BasketFile& file, Oid type,
                             const Settings& settings) {
    const Datum* texts = texts_of(baskets.names(), type);
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "clientele neighbours", ALLOCSET_SMALL_SIZES);
    NeighbourSearch* search = new_search(baskets, settings);
    enter_phase(Phase::pairing, static_cast<int64>(baskets.names().size()));
    bool more;
    think([&] { more = search->next_block(); });
    while (more) {
        add_file(*search, file);
        put_block(result, baskets.totals(), *search, texts, memory);
        report_done(search->block_end());
        think([&] { more = search->next_block(); });
    }
    return search->pairs() / 2;
}

// The last row, which is about no product.
void put_totals(ReturnSetInfo* result, const Baskets& baskets, std::int64_t lines, std::uint64_t pairs) {
    Datum counts[] = {Float8GetDatum(static_cast<double>(lines)),
                      Float8GetDatum(static_cast<double>(baskets.left_out())),
                      Float8GetDatum(static_cast<double>(pairs))};
    Datum row[] = {0, Int64GetDatum(static_cast<int64>(baskets.counted())), 0, 0,
                   array_of(counts, lengthof(counts), FLOAT8OID)};
    bool nulls[] = {true, false, true, true, false};
    tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
}

Oid product_type(const Store& store) {
    const Oid view = get_relname_relid("_item_products", store.schema);
    const AttrNumber column = OidIsValid(view) ? get_attnum(view, "product") : InvalidAttrNumber;
    if (column == InvalidAttrNumber) {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("the view \"_item_products\" of store \"%s\" is missing", schema_name(store.schema))));
    }
    return get_atttype(view, column);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_count_affinities) {
    const Store store = resolve_store(NameStr(*PG_GETARG_NAME(0)));
    const char* query = text_to_cstring(PG_GETARG_TEXT_PP(1));
    const Settings settings = {PG_GETARG_FLOAT8(4), PG_GETARG_INT32(5), PG_GETARG_INT32(6)};
    const Oid type = product_type(store);
    InitMaterializedSRF(fcinfo, 0);
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    MemoryContext caller = CurrentMemoryContext;
    MemoryContext memory = AllocSetContextCreate(caller, "clientele baskets", ALLOCSET_DEFAULT_SIZES);
    MemoryContextSwitchTo(memory);
    Baskets*& baskets = kept_object<Baskets>();
    think([&] { baskets = new Baskets(static_cast<std::uint32_t>(settings.most_products)); });
    LineReceiver receiver{};
    receiver.base = {receive_line, ignore_start, ignore, ignore, DestTuplestore};
    receiver.memory = memory;
    receiver.file = create_basket_file();
    receiver.baskets = baskets;
    begin_progress(store.settings);
    enter_phase(Phase::counting);
    begin_queries();
    read_lines(query, PG_GETARG_TIMESTAMPTZ(2), PG_GETARG_TIMESTAMPTZ(3), receiver);
    const std::uint64_t pairs = put_neighbours(result, *baskets, *receiver.file, type, settings);
    put_totals(result, *baskets, receiver.lines, pairs);
    end_queries();
    close_basket_file(receiver.file);
    end_progress();
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(memory);
    PG_RETURN_NULL();
}
