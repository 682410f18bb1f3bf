// The triggers of live stores. They append to the store's table "pending" whose profiles have changed, and do nothing
// else: they wait for no lock, and what goes wrong is recorded rather than raised.
//
// A statement is looked at, and rows are appended, in one subtransaction: where the files have no room left for a row,
// the order still stands. It takes a transaction id only where there is a row to append.
#include <cstring>

#include "pg/count/fold_worker.hpp"
#include "pg/count/order_groups.hpp"
#include "pg/kit/append.hpp"
#include "pg/kit/as_text.hpp"
#include "pg/kit/attempt.hpp"
#include "pg/kit/compat.hpp"
#include "pg/kit/equality.hpp"
#include "pg/kit/owner_scope.hpp"
#include "pg/kit/query.hpp"
#include "pg/kit/settings_scope.hpp"
#include "pg/live/live_health.hpp"
#include "pg/live/live_orders.hpp"
#include "pg/live/live_reversals.hpp"
#include "pg/live/live_source.hpp"
#include "pg/profile/order_input.hpp"
#include "pg/store/store.hpp"

extern "C" {
#include "access/relation.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "executor/nodeHash.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"
}

using namespace clientele;

namespace {

constexpr int pending_width = 5;
constexpr int failure_width = 5;
constexpr ColumnShape failure_columns[] = {{"failed_at", TIMESTAMPTZOID, false},
                                           {"relation", TEXTOID, false},
                                           {"operation", TEXTOID, false},
                                           {"sqlstate", TEXTOID, false},
                                           {"message", TEXTOID, false}};

// Checks the table when it has changed, and at first.
Relation open_pending(LiveSource& source) {
    Relation pending = open_table_now(source.pending);
    if (source.appendable) {
        lock_indexes(pending);
        return pending;
    }
    source.appendable = true;  // before, so that a change meanwhile is not lost
    const ColumnShape columns[] = {{"customer_id", source.key_type, true},
                                   {"profile", source.profile_type, true},
                                   {"due", TIMESTAMPTZOID, false},
                                   {"order_id", source.order_type, true},
                                   {"seen", XID8OID, true}};
    check_appendable(pending, columns, pending_width);
    return pending;
}

// One statement: what fired, and the rows to be appended to one table.
struct Statement {
    TriggerData* trigger;
    LiveSource* source;
    MemoryContext memory;   // of the rows
    TupleDesc row_type;     // of the table
    MinimalTuple first;     // the row, where it is the only one
    Tuplestorestate* rows;  // all of them, where there are more
    TimestampTz now;
    Datum marked;  // the last customer that was marked
    bool has_marked;
    bool marked_everybody;
    bool blind;     // do not ask other tables: somebody has locked one
    bool reverses;  // it changes or removes orders, and some have redeemed offers
};

// A row for pending. No customer and no order: everybody must be counted anew.
struct Change {
    bool has_customer;
    Datum customer;
    Datum profile;  // 0: count the customer anew
    TimestampTz due;
    bool has_order;
    Datum order;
};

// An order of such a customer is left out.
bool is_too_long(Oid type, Datum key) { return (type == TEXTOID || type == VARCHAROID) && !fits_index(key); }

void begin_statement(Statement& statement, TriggerData* trigger) {
    statement.trigger = trigger;
    statement.memory = AllocSetContextCreate(CurrentMemoryContext, "clientele statement", ALLOCSET_SMALL_SIZES);
    statement.now = GetCurrentTimestamp();
}

// What was collected before, and failed, does not count.
void begin_rows(Statement& statement, Relation table) {
    statement.row_type = RelationGetDescr(table);
    statement.first = nullptr;
    statement.rows = nullptr;
    statement.has_marked = statement.marked_everybody = false;
}

void keep_first(Statement& statement) {
    statement.rows = tuplestore_begin_heap(false, false, work_mem);
    TupleTableSlot* slot = MakeSingleTupleTableSlot(statement.row_type, &TTSOpsMinimalTuple);
    ExecStoreMinimalTuple(statement.first, slot, false);
    tuplestore_puttupleslot(statement.rows, slot);
    ExecDropSingleTupleTableSlot(slot);
}

// Most statements give one row, and a tuplestore costs more than that.
void put_row(Statement& statement, Datum* values, bool* nulls) {
    MemoryContext caller = MemoryContextSwitchTo(statement.memory);
    if (!statement.first) {
        statement.first = form_minimal_tuple(statement.row_type, values, nulls);
    } else {
        if (!statement.rows) keep_first(statement);
        tuplestore_putvalues(statement.rows, statement.row_type, values, nulls);
    }
    MemoryContextSwitchTo(caller);
}

// Returns the block that the last row went to; 0 where there was none.
BlockNumber write_rows(Statement& statement, Relation table) {
    const BlockNumber block = statement.first ? append_rows(table, statement.first, statement.rows) : 0;
    if (statement.rows) tuplestore_end(statement.rows);
    return block;
}

void append(Statement& statement, const Change& change) {
    if (change.has_customer && is_too_long(statement.source->key_type, change.customer)) return;
    Datum values[pending_width] = {change.customer, change.profile, TimestampTzGetDatum(change.due), change.order, 0};
    bool nulls[pending_width] = {!change.has_customer, change.profile == 0, false, !change.has_order, true};
    put_row(statement, values, nulls);
}

// Orders of one customer often follow each other, and before and after an update always do: one mark is enough.
void mark_customer(Statement& statement, Datum customer) {
    const TypeCacheEntry* key = lookup_type_cache(statement.source->key_type, 0);
    if (statement.has_marked && datumIsEqual(statement.marked, customer, key->typbyval, key->typlen)) return;
    if (statement.has_marked && !key->typbyval) pfree(DatumGetPointer(statement.marked));
    statement.marked = datumCopy(customer, key->typbyval, key->typlen);
    statement.has_marked = true;
    append(statement, {true, customer, 0, DT_NOBEGIN, false, 0});
}
// An order of the future: the customer is counted anew when its time has come.
void mark_due(Statement& statement, Datum customer, TimestampTz due) {
    append(statement, {true, customer, 0, due, false, 0});
}
void mark_order(Statement& statement, Datum order) { append(statement, {false, 0, 0, DT_NOBEGIN, true, order}); }
void mark_everybody(Statement& statement) {
    if (!statement.marked_everybody) append(statement, {false, 0, 0, DT_NOBEGIN, false, 0});
    statement.marked_everybody = true;
}

// Whom an order counts for, or did. Where the order itself is not known, the customer is counted anew all the same.
void mark_changed(Statement& statement, const OrderRow& order) {
    if (order.unknown) mark_everybody(statement);
    if (!order.has_customer || !(order.counts || order.incomplete)) return;
    mark_customer(statement, order.customer);
    if (order.at > statement.now) mark_due(statement, order.customer, order.at);
}

// ---- What statements change ----

// With the ids that lines find them by, where there are lines.
OrderReader* orders_of(const Statement& statement, Tuplestorestate* rows) {
    return read_orders(*statement.source, *statement.trigger, statement.now, rows, statement.source->has_items);
}

// New orders: a delta profile a customer; of the future: count the customer anew at that time. With order lines every
// customer is counted anew, because the lines come with the order.
void note_inserted(Statement& statement) {
    OrderReader* reader = orders_of(statement, statement.trigger->tg_newtable);
    const bool has_items = statement.source->has_items;
    const bool is_one = tuplestore_tuple_count(statement.trigger->tg_newtable) == 1;
    OrderGroups* groups = has_items || is_one ? nullptr
                                              : begin_groups(statement.source->key_type, *statement.source->zone,
                                                             static_cast<int64>(get_hash_memory_limit()));
    OrderRow order;
    while (next_order(*reader, &order)) {
        if (order.incomplete) mark_changed(statement, order);
        if (!order.counts) continue;
        if (order.at > statement.now) {
            mark_due(statement, order.customer, order.at);
        } else if (has_items) {
            mark_customer(statement, order.customer);
        } else if (is_one) {
            const Datum profile = profile_of_one(order.at, order.amount, order.tie, *statement.source->zone);
            append(statement, {true, order.customer, profile, DT_NOBEGIN, false, 0});
        } else {
            add_order(*groups, order.customer, order.at, order.amount, order.tie);
        }
    }
    end_reading(reader);
    if (!groups) return;
    Datum customer;
    Datum profile;
    while (next_group(*groups, &customer, &profile)) append(statement, {true, customer, profile, DT_NOBEGIN, false, 0});
    end_groups(groups);
}

// An order that goes may come back as somebody else's, while a line of it is being written that we do not see.
void note_deleted(Statement& statement) {
    OrderReader* reader = orders_of(statement, statement.trigger->tg_oldtable);
    OrderRow order;
    while (next_order(*reader, &order)) {
        mark_changed(statement, order);
        if (order.has_order) mark_order(statement, order.order);
    }
    end_reading(reader);
}

// Rows before and after come in the same order. Where they do not (a trigger suppressed one), equal pairs still cancel
// out, and the others only mark too many. An order that changes hands takes lines with it that we may not see yet: its
// new owner is looked up when it is read.
void note_updated(Statement& statement) {
    OrderReader* before = orders_of(statement, statement.trigger->tg_oldtable);
    OrderReader* after = orders_of(statement, statement.trigger->tg_newtable);
    OrderRow old_order;
    OrderRow new_order;
    bool has_old = next_order(*before, &old_order);
    bool has_new = next_order(*after, &new_order);
    while (has_old || has_new) {
        if (!has_old || !has_new || !same_order(*before, old_order, new_order)) {
            if (has_old) mark_changed(statement, old_order);
            if (has_new) mark_changed(statement, new_order);
            if (has_new && new_order.has_order && !(has_old && same_hands(*before, old_order, new_order))) {
                mark_order(statement, new_order.order);
                if (has_old && old_order.has_order) mark_order(statement, old_order.order);
            }
        }
        has_old = has_old && next_order(*before, &old_order);
        has_new = has_new && next_order(*after, &new_order);
    }
    end_reading(before);
    end_reading(after);
}

// ---- What statements on order lines change ----

const char* changed_lines(ItemQuery query, const LiveSource& source) {
    const char* order =
        psprintf("%s::%s", quote_identifier(source.item_columns[0]),
                 format_type_extended(source.order_type, -1, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
    // As the view _items has it.
    const char* category = quote_identifier(source.item_columns[1]);
    category = source.foreign_category ? as_text(category) : psprintf("%s::pg_catalog.text", category);
    const char* columns = psprintf("%s AS order_id, %s AS category, %s AS amount", order, category,
                                   quote_identifier(source.item_columns[2]));
    switch (query) {
        case ItemQuery::inserted:
        case ItemQuery::inserted_blind:
            return psprintf("SELECT %s AS order_id FROM clientele_new", order);
        case ItemQuery::deleted:
        case ItemQuery::deleted_blind:
            return psprintf("SELECT %s AS order_id FROM clientele_old", order);
        default:
            if (source.generated_lines) {
                return psprintf("SELECT %1$s AS order_id FROM clientele_old UNION ALL SELECT %1$s FROM clientele_new",
                                order);
            }
            return psprintf(
                "(SELECT %1$s FROM clientele_old EXCEPT ALL SELECT %1$s FROM clientele_new) UNION ALL "
                "(SELECT %1$s FROM clientele_new EXCEPT ALL SELECT %1$s FROM clientele_old)",
                columns);
    }
}

bool is_blind(ItemQuery query) { return query >= ItemQuery::inserted_blind; }

// The orders of the changed lines: order_id, whether the order is there, and whose it is.
SPIPlanPtr item_plan(LiveSource& source, ItemQuery query) {
    SPIPlanPtr& plan = source.item_queries[static_cast<int>(query)];
    if (plan) return plan;
    const char* lines = changed_lines(query, source);
    const char* schema = quote_identifier(schema_name(source.schema));
    const char* text =
        is_blind(query)
            ? psprintf(
                  "SELECT DISTINCT l.order_id, false, NULL::pg_catalog.text FROM (%s) l WHERE l.order_id IS NOT NULL",
                  lines)
            : psprintf(
                  "SELECT DISTINCT l.order_id, w.order_id IS NOT NULL, w.customer_id FROM (%s) l"
                  " LEFT JOIN %s._order_owners w ON w.order_id %s l.order_id WHERE l.order_id IS NOT NULL",
                  lines, schema, equality_of(source.order_type));
    return plan = prepare_query(text);
}

// An order of another session may not be visible yet, or its table be locked (`blind`): then whose it is is asked when
// it is read. A serializable transaction does not look, lest it be failed for what it has read.
void note_lines(Statement& statement, ItemQuery query) {
    LiveSource& source = *statement.source;
    if (source.generated_line_orders && statement.trigger->tg_newtable) return mark_everybody(statement);
    if (statement.blind || IsolationIsSerializable()) {
        query = static_cast<ItemQuery>(static_cast<int>(query) + static_cast<int>(ItemQuery::inserted_blind));
    }
    begin_queries();
    if (SPI_register_trigger_data(statement.trigger) < 0) elog(ERROR, "could not name the transition tables");
    const std::uint64_t count = run_prepared(item_plan(source, query));
    TupleDesc columns = result_columns();
    if (SPI_gettypeid(columns, 1) != source.order_type ||
        (!is_blind(query) && SPI_gettypeid(columns, 3) != source.key_type)) {
        elog(ERROR, "the order lines have other keys than the store was created with");
    }
    for (std::uint64_t i = 0; i < count; ++i) {
        const NullableDatum customer = result_value(i, 3);
        if (!DatumGetBool(result_value(i, 2).value)) {
            mark_order(statement, result_value(i, 1).value);
        } else if (!customer.isnull) {
            mark_customer(statement, customer.value);
        }
    }
    end_queries();
}

// ---- The frame: look, append, or record why not ----

bool has_tables(const TriggerData& trigger) {
    const bool needs_new = TRIGGER_FIRED_BY_INSERT(trigger.tg_event) || TRIGGER_FIRED_BY_UPDATE(trigger.tg_event);
    const bool needs_old = TRIGGER_FIRED_BY_DELETE(trigger.tg_event) || TRIGGER_FIRED_BY_UPDATE(trigger.tg_event);
    return (!needs_new || trigger.tg_newtable) && (!needs_old || trigger.tg_oldtable);
}

void note(Statement& statement, bool of_items) {
    const TriggerEvent event = statement.trigger->tg_event;
    if (!has_tables(*statement.trigger)) {
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("trigger \"%s\" has no transition tables", statement.trigger->tg_trigger->tgname),
                        errhint("clientele.set_live() creates it as it should be.")));
    }
    if (TRIGGER_FIRED_BY_TRUNCATE(event)) {
        mark_everybody(statement);
    } else if (TRIGGER_FIRED_BY_INSERT(event)) {
        of_items ? note_lines(statement, ItemQuery::inserted) : note_inserted(statement);
    } else if (TRIGGER_FIRED_BY_DELETE(event)) {
        of_items ? note_lines(statement, ItemQuery::deleted) : note_deleted(statement);
    } else {
        of_items ? note_lines(statement, ItemQuery::updated) : note_updated(statement);
    }
}

struct Attempt {
    Statement* statement;
    bool of_items;
    const ErrorData* error;
};

// What a view of the store calls is its owner's code. Where that writes orders in turn, it finds us in the middle of
// reading what the store is: these are not looked at, but recorded as not noted.
constinit bool looking = false;

// As the owner of the store, whose expressions these are.
void run_as_owner(const LiveSource& source, void (*body)(Attempt&), Attempt& task) {
    const Identity caller = become_owner(source.owner);
    const int settings = begin_settings();
    body(task);
    end_settings(settings);
    become_again(caller);
}

void look_as_owner(Attempt& task) {
    Statement& statement = *task.statement;
    if (task.of_items || statement.source->foreign_code) set_safe_path();
    if (task.of_items) set_no_waiting();
    Relation pending = open_pending(*statement.source);
    begin_rows(statement, pending);
    note(statement, task.of_items);
    const BlockNumber block = write_rows(statement, pending);
    if (statement.first) fold_if_large(statement.source->settings, block);
    relation_close(pending, NoLock);
    statement.reverses =
        !task.of_items && !TRIGGER_FIRED_BY_INSERT(statement.trigger->tg_event) && has_redemptions(*statement.source);
}

void look(void* context) {
    auto& task = *static_cast<Attempt*>(context);
    Statement& statement = *task.statement;
    statement.source = &live_source(*statement.trigger);
    if (statement.source->watched) run_as_owner(*statement.source, look_as_owner, task);
}

void append_reversal(void* context, Datum exposure) {
    auto& statement = *static_cast<Statement*>(context);
    Datum values[reversal_width] = {exposure, TimestampTzGetDatum(statement.now)};
    bool nulls[reversal_width] = {};
    put_row(statement, values, nulls);
}

void look_for_reversals_as_owner(Attempt& task) {
    Statement& statement = *task.statement;
    set_safe_path();
    set_no_waiting();
    Relation reversals = open_reversals(*statement.source);
    begin_rows(statement, reversals);
    find_reversals(*statement.source, *statement.trigger, statement.now, append_reversal, &statement);
    write_rows(statement, reversals);
    relation_close(reversals, NoLock);
}

// A pass of its own, so that what it meets does not keep the profiles from being noted.
void look_for_reversals(void* context) {
    auto& task = *static_cast<Attempt*>(context);
    run_as_owner(*task.statement->source, look_for_reversals_as_owner, task);
}

// What the orders are cannot be asked, because somebody has locked their table: count everybody anew.
void mark_blindly(void* context) {
    auto& statement = *static_cast<Attempt*>(context)->statement;
    statement.source = &cached_source(*statement.trigger);
    if (!concerns_store(*statement.source, *statement.trigger)) return;
    Relation pending = open_pending(*statement.source);
    begin_rows(statement, pending);
    mark_everybody(statement);
    write_rows(statement, pending);
    relation_close(pending, NoLock);
}

struct Looking {
    void (*body)(void*);
    void* context;
};

void look_alone(void* context) {
    const auto& task = *static_cast<Looking*>(context);
    if (looking) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
                        errmsg("these orders were written by a function that a view of the store calls")));
    }
    looking = true;
    PG_TRY();
    { task.body(task.context); }
    PG_FINALLY();
    { looking = false; }
    PG_END_TRY();
}

ErrorData* attempt_alone(void (*body)(void*), Attempt& task) {
    Looking alone{body, &task};
    return attempt(look_alone, &alone);
}

const char* operation_of(TriggerEvent event) {
    if (TRIGGER_FIRED_BY_INSERT(event)) return "INSERT";
    if (TRIGGER_FIRED_BY_UPDATE(event)) return "UPDATE";
    return TRIGGER_FIRED_BY_DELETE(event) ? "DELETE" : "TRUNCATE";
}

void write_failure(void* context) {
    auto& task = *static_cast<Attempt*>(context);
    Statement& statement = *task.statement;
    Relation failures = open_table_now(cached_source(*statement.trigger).failures);
    check_appendable(failures, failure_columns, failure_width);
    begin_rows(statement, failures);
    Relation orders = statement.trigger->tg_relation;
    const char* name =
        quote_qualified_identifier(get_namespace_name(RelationGetNamespace(orders)), RelationGetRelationName(orders));
    Datum values[failure_width] = {TimestampTzGetDatum(GetCurrentTimestamp()), CStringGetTextDatum(name),
                                   CStringGetTextDatum(operation_of(statement.trigger->tg_event)),
                                   CStringGetTextDatum(unpack_sql_state(task.error->sqlerrcode)),
                                   CStringGetTextDatum(task.error->message ? task.error->message : "")};
    bool nulls[failure_width] = {};
    put_row(statement, values, nulls);
    write_rows(statement, failures);
    relation_close(failures, NoLock);
}

void note_failure_as_owner(Attempt& task) { write_failure_to_health(task.statement->source->schema); }

void note_failure(void* context) {
    auto& task = *static_cast<Attempt*>(context);
    task.statement->source = &cached_source(*task.statement->trigger);
    if (OidIsValid(task.statement->source->owner)) run_as_owner(*task.statement->source, note_failure_as_owner, task);
}

// Where it can be written neither to pending nor here, the session remembers it: its next statement will try again.
void keep_failure(Statement& statement, const ErrorData* error) {
    Attempt task{&statement, false, error};
    cached_source(*statement.trigger).owes_failure = attempt(write_failure, &task) != nullptr;
    attempt_alone(note_failure, task);  // for monitoring, which finds it in the table failures otherwise
}

void keep_earlier_failure(Statement& statement) {
    ErrorData earlier{};
    earlier.sqlerrcode = ERRCODE_WARNING;
    earlier.message = const_cast<char*>("earlier statements of this session, when this could not be recorded either");
    keep_failure(statement, &earlier);
}

// The order stands; the store is stale from here on.
void record_failure(Statement& statement, const ErrorData* error) {
    if (OidIsValid(cached_source(*statement.trigger).settings) &&
        !concerns_store(cached_source(*statement.trigger), *statement.trigger)) {
        return;
    }
    keep_failure(statement, error);
    const char* store = statement.trigger->tg_trigger->tgnargs > 0 ? statement.trigger->tg_trigger->tgargs[0] : "";
    ereport(WARNING,
            (errcode(ERRCODE_WARNING),
             errmsg("store \"%s\" is stale: it could not note this %s: %s", store,
                    operation_of(statement.trigger->tg_event), error->message),
             errdetail("The orders themselves are not affected."), error->hint ? errhint("%s", error->hint) : 0));
}

// Where somebody has locked the ledger, nothing is missed: settling looks at the redemptions again.
void note_reversals(Statement& statement, Attempt& task) {
    const ErrorData* error = attempt_alone(look_for_reversals, task);
    if (error && error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE) record_failure(statement, error);
}

Datum note_statement(FunctionCallInfo fcinfo, bool of_items) {
    if (!CALLED_AS_TRIGGER(fcinfo)) {
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("this function can only be called as a trigger; clientele.set_live() creates it")));
    }
    auto* trigger = reinterpret_cast<TriggerData*>(fcinfo->context);
    if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event)) {
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("this trigger must be AFTER ... FOR EACH STATEMENT")));
    }
    Statement statement{};
    begin_statement(statement, trigger);
    Attempt task{&statement, of_items, nullptr};
    const ErrorData* error = attempt_alone(look, task);
    if (error && error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE) {
        statement.blind = true;
        if (of_items && statement.source) error = attempt_alone(look, task);
    }
    if (error) cached_source(*trigger).known = cached_source(*trigger).appendable = false;
    if (error && statement.blind && !attempt_alone(mark_blindly, task)) error = nullptr;
    if (error) {
        record_failure(statement, error);
    } else if (cached_source(*trigger).owes_failure) {
        keep_earlier_failure(statement);
    }
    if (statement.reverses) note_reversals(statement, task);
    MemoryContextDelete(statement.memory);
    return PointerGetDatum(nullptr);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_note_orders) { return note_statement(fcinfo, false); }
CLIENTELE_FUNCTION(clientele_note_items) { return note_statement(fcinfo, true); }
