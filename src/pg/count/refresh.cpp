#include "pg/count/refresh.hpp"

#include <cstring>

#include "pg/count/count_progress.hpp"
#include "pg/kit/progress.hpp"
#include "pg/kit/query.hpp"
#include "pg/kit/settings_scope.hpp"
#include "pg/store/source_lock.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/portal.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"
}

namespace clientele {
namespace {

constexpr int chunk_size = 20'000;

// One refresh. What it keeps between transactions is in `memory`.
struct Refresh {
    Store store;
    Datum name;   // of the store, as a name
    bool atomic;  // within a transaction block: in one go
    MemoryContext memory;
    TimestampTz counted_at;
    Oid key_type;
    Oid profile_type;
    int64 done;
    NullableDatum above = null_datum;  // text: the highest customer of the last chunk
    List* sources;                     // the orders and lines that are locked for the session
};

void let_go_of_sources(Refresh& refresh) {
    release_sources(refresh.sources);
    refresh.sources = NIL;
}

void end_chunk(const Refresh& refresh) {
    if (!refresh.atomic) SPI_commit();
    CHECK_FOR_INTERRUPTS();
}

Parameter store_of(const Refresh& refresh) { return {NAMEOID, refresh.name}; }

// A value of variable length in the result's first row, in the refresh's memory.
NullableDatum kept_value(const Refresh& refresh, int column) {
    return kept_in(refresh.memory, result_value(0, column), false, -1);
}

// ---- Everything counted anew ----

// The fetched rows as three arrays.
struct Chunk {
    Datum customers, profiles, mixes;
    int count;
};

Datum array_of(Datum* values, bool* nulls, int count, Oid type) {
    int16 length;
    bool by_value;
    char alignment;
    get_typlenbyvalalign(type, &length, &by_value, &alignment);
    int dimensions[] = {count};
    int bounds[] = {1};
    return PointerGetDatum(construct_md_array(values, nulls, 1, dimensions, bounds, type, length, by_value, alignment));
}

Chunk chunk_of(const Refresh& refresh, int count) {
    Datum* values[3];
    bool* nulls[3];
    for (int column = 0; column < 3; ++column) {
        values[column] = static_cast<Datum*>(palloc(sizeof(Datum) * (count + 1)));
        nulls[column] = static_cast<bool*>(palloc(sizeof(bool) * (count + 1)));
        for (int row = 0; row < count; ++row) {
            const NullableDatum value = result_value(static_cast<std::uint64_t>(row), column + 1);
            values[column][row] = value.value;
            nulls[column][row] = value.isnull;
        }
    }
    return {array_of(values[0], nulls[0], count, refresh.key_type),
            array_of(values[1], nulls[1], count, refresh.profile_type), array_of(values[2], nulls[2], count, JSONBOID),
            count};
}

// Other servers sum up their customers, as _count_query() has planned it; what they leave out is not known yet.
void share_the_count() {
    set_for_now("enable_partitionwise_aggregate", "on");
    set_for_now("cpu_tuple_cost", "1000");
    orders_left_out = -1;
}

// The result outlives the transactions of its reader: it is held at once, while the settings are those of the count.
Portal open_count(Refresh& refresh) {
    const int settings = begin_settings();
    set_safe_path();
    set_for_now("row_security", "off");
    set_for_now("jit", "off");  // compiling what runs for a few seconds takes as long
    run_query("SELECT query, is_shared FROM clientele._count_query($1)", {store_of(refresh)});
    const char* query = result_text(0, 1);
    if (DatumGetBool(result_value(0, 2).value)) share_the_count();
    SPIPlanPtr plan = SPI_prepare_cursor(query, 0, nullptr, CURSOR_OPT_PARALLEL_OK | CURSOR_OPT_NO_SCROLL);
    if (!plan) elog(ERROR, "could not prepare the count of a store: %s", SPI_result_code_string(SPI_result));
    Portal portal = SPI_cursor_open(nullptr, plan, nullptr, nullptr, false);
    const Oid columns[] = {refresh.key_type, refresh.profile_type, JSONBOID};
    check_result(refresh.store, portal->tupDesc, columns, lengthof(columns));
    refresh.counted_at = GetCurrentTimestamp();
    PinPortal(portal);
    count_progress = report_done;
    HoldPinnedPortals();
    count_progress = nullptr;
    end_settings(settings);
    return portal;
}

void write_counted(Refresh& refresh, Portal portal) {
    const Oid key_array = get_array_type(refresh.key_type);
    const Oid profile_array = get_array_type(refresh.profile_type);
    bool is_last = false;
    refresh.done = 0;
    refresh.above = null_datum;
    MemoryContext memory = AllocSetContextCreate(refresh.memory, "clientele chunk", ALLOCSET_DEFAULT_SIZES);
    while (!is_last) {
        MemoryContextReset(memory);
        SPI_cursor_fetch(portal, true, chunk_size);
        is_last = SPI_processed < chunk_size;
        MemoryContext caller = MemoryContextSwitchTo(memory);
        const Chunk chunk = chunk_of(refresh, static_cast<int>(SPI_processed));
        MemoryContextSwitchTo(caller);
        SPI_freetuptable(SPI_tuptable);
        if (refresh.above.isnull) enter_phase(Phase::writing, tuplestore_tuple_count(portal->holdStore));
        run_query("SELECT clientele._write_chunk($1, $2, $3, $4, $5, $6)", {store_of(refresh),
                                                                            {key_array, chunk.customers},
                                                                            {profile_array, chunk.profiles},
                                                                            {JSONBARRAYOID, chunk.mixes},
                                                                            {TEXTOID, refresh.above},
                                                                            {BOOLOID, BoolGetDatum(is_last)}});
        if (!is_last) refresh.above = kept_value(refresh, 1);
        report_done(refresh.done += chunk.count);
        end_chunk(refresh);
    }
    UnpinPortal(portal);
    SPI_cursor_close(portal);
}

// ---- What is pending, folded ----

void resolve_order_marks(const Refresh& refresh) {
    run_query("SELECT clientele._resolve_order_marks($1)", {store_of(refresh)});
}

// The next customers after those of the last chunk; returns how many there were.
int64 fold_chunk(Refresh& refresh) {
    run_query("SELECT folded, highest FROM clientele._fold($1, $2, $3)",
              {store_of(refresh), {TEXTOID, refresh.above}, {INT4OID, Int32GetDatum(chunk_size)}});
    const int64 folded = DatumGetInt64(result_value(0, 1).value);
    refresh.above = kept_value(refresh, 2);
    report_done(refresh.done += folded);
    return folded;
}

void fold(Refresh& refresh) {
    enter_phase(Phase::folding);
    resolve_order_marks(refresh);
    refresh.done = 0;
    refresh.above = null_datum;
    int64 folded;
    do {
        folded = fold_chunk(refresh);
        end_chunk(refresh);
    } while (folded == chunk_size);
}

// The first customers that have something pending, and their segments; returns how many there were.
int64 fold_and_record(const Refresh& refresh) {
    run_query("SELECT clientele._fold_and_record($1, $2)", {store_of(refresh), {INT4OID, Int32GetDatum(chunk_size)}});
    return DatumGetInt64(result_value(0, 1).value);
}

// The medians, then the history of segments.
void summarise(const Refresh& refresh) {
    enter_phase(Phase::summarising);
    run_query("SELECT clientele._finish_refresh($1, $2)",
              {store_of(refresh), {TIMESTAMPTZOID, TimestampTzGetDatum(refresh.counted_at)}});
    end_chunk(refresh);
    run_query("SELECT clientele._record_if_possible($1)", {store_of(refresh)});
    end_chunk(refresh);
    run_query("SELECT clientele._plan_budgets($1)", {store_of(refresh)});
}

// How many orders there may be, by what the planner knows; 0: nobody knows.
int64 orders_estimate(const Refresh& refresh) {
    run_query("SELECT clientele._orders_estimate($1)", {store_of(refresh)});
    const NullableDatum estimate = result_value(0, 1);
    return estimate.isnull ? 0 : DatumGetInt64(estimate.value);
}

void warn_of_left_out(const Refresh& refresh) {
    run_query("SELECT clientele._warn_of_left_out($1, $2)",
              {store_of(refresh), {INT8OID, Int64GetDatum(orders_left_out)}});
}

// Rows that a count settles are those that it could see: they were collected before it. A store that is not live needs
// the orders no longer than that.
void count_all(Refresh& refresh, bool folds, NullableDatum settles, NullableDatum mends) {
    enter_phase(Phase::counting, orders_estimate(refresh));
    Portal portal = open_count(refresh);
    if (!folds) let_go_of_sources(refresh);
    write_counted(refresh, portal);
    warn_of_left_out(refresh);
    run_query("SELECT clientele._settle($1, $2, $3, $4)", {store_of(refresh),
                                                           {TIMESTAMPTZOID, TimestampTzGetDatum(refresh.counted_at)},
                                                           {TIDARRAYOID, settles},
                                                           {TIDARRAYOID, mends}});
    end_chunk(refresh);
}

// By its place, too: rows are written by the places of their columns.
Oid type_in_profiles(const Store& store, const char* name, AttrNumber place) {
    const Oid profiles = get_relname_relid("profiles", store.schema);
    const AttrNumber column = OidIsValid(profiles) ? get_attnum(profiles, name) : InvalidAttrNumber;
    if (column == place) return get_atttype(profiles, column);
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("the table \"profiles\" of store \"%s\" is not the one that was created",
                           schema_name(store.schema)),
                    errdetail("It has no column \"%s\" in its place, or does not exist.", name),
                    errhint("Drop what is left of the store, and create it anew.")));
    pg_unreachable();
}

Refresh begin(const Store& store, bool atomic) {
    Refresh refresh{};
    refresh.store = store;
    refresh.atomic = atomic;
    refresh.memory = AllocSetContextCreate(PortalContext, "clientele refresh", ALLOCSET_DEFAULT_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(refresh.memory);
    refresh.name = name_datum(schema_name(store.schema));
    MemoryContextSwitchTo(caller);
    refresh.key_type = type_in_profiles(store, "customer_id", 1);
    refresh.profile_type = type_in_profiles(store, "profile", 2);
    return refresh;
}

void run_refresh(Refresh& refresh, bool full) {
    run_query("SELECT clientele._prepare_refresh($1)", {store_of(refresh)});
    run_query("SELECT counts_all, folds, settles, mends FROM clientele._begin_refresh($1, $2)",
              {store_of(refresh), {BOOLOID, BoolGetDatum(full)}});
    const bool counts_all = DatumGetBool(result_value(0, 1).value);
    const bool folds = DatumGetBool(result_value(0, 2).value);
    const NullableDatum settles = kept_value(refresh, 3);
    const NullableDatum mends = kept_value(refresh, 4);
    refresh.counted_at = GetCurrentTimestamp();
    end_chunk(refresh);
    if (counts_all) count_all(refresh, folds, settles, mends);
    if (folds) fold(refresh);
    summarise(refresh);
}

}  // namespace

void refresh_store(const Store& store, bool full, bool atomic) {
    PreventCommandDuringRecovery("CALL clientele.refresh()");
    PreventCommandIfReadOnly("CALL clientele.refresh()");
    Refresh refresh = begin(store, atomic);
    begin_queries(atomic ? 0 : SPI_OPT_NONATOMIC);
    MemoryContext spi = MemoryContextSwitchTo(refresh.memory);
    List* sources = share_sources(store, !atomic);
    MemoryContextSwitchTo(spi);
    if (!atomic) refresh.sources = sources;
    LockRelId lock = {store.settings, MyDatabaseId};
    if (atomic) {
        LockRelationOid(store.settings, refresh_lock);
        ereport(NOTICE, (errmsg("store %s is refreshed in one transaction",
                                quote_identifier(NameStr(*DatumGetName(refresh.name)))),
                         errhint("Outside of a transaction block a refresh commits chunk by chunk.")));
    } else {
        LockRelationIdForSession(&lock, refresh_lock);
    }
    begin_progress(store.settings);
    run_refresh(refresh, full);
    end_progress();
    if (!atomic) {
        UnlockRelationIdForSession(&lock, refresh_lock);
        let_go_of_sources(refresh);
    }
    end_queries();
    MemoryContextDelete(refresh.memory);
}

bool fold_store(const Store& store) {
    Refresh refresh = begin(store, true);
    begin_queries();
    share_sources(refresh.store, false);
    int64 folded = 0;
    if (ConditionalLockRelationOid(store.settings, refresh_lock)) {
        resolve_order_marks(refresh);
        folded = fold_and_record(refresh);
    }
    end_queries();
    MemoryContextDelete(refresh.memory);
    return folded == chunk_size;
}

}  // namespace clientele
