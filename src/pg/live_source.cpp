#include "live_source.hpp"

#include <cstring>

#include "settings_scope.hpp"
#include "store.hpp"
#include "zone.hpp"

extern "C" {
#include "access/attmap.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace clientele {
namespace {

constinit HTAB* sources = nullptr;

// Any change of a table that a source knows of, or of a schema's name, makes it ask again.
void forget_relation(Datum, Oid relation) {
    HASH_SEQ_STATUS all;
    hash_seq_init(&all, sources);
    while (auto* source = static_cast<LiveSource*>(hash_seq_search(&all))) {
        if (!OidIsValid(relation) || relation == source->relation || relation == source->view ||
            relation == source->settings || relation == source->pending || relation == source->failures ||
            relation == source->orders) {
            source->known = false;
        }
    }
}

void forget_all(Datum, int, uint32) { forget_relation(0, InvalidOid); }

HTAB* source_table() {
    if (!sources) {
        HASHCTL control{};
        control.keysize = sizeof(Oid);
        control.entrysize = sizeof(LiveSource);
        sources = hash_create("clientele live sources", 16, &control, HASH_ELEM | HASH_BLOBS);
        CacheRegisterRelcacheCallback(forget_relation, 0);
        CacheRegisterSyscacheCallback(NAMESPACEOID, forget_all, 0);
    }
    return sources;
}

// Locks as a reader does, but never waits.
Relation open_now(Oid oid, const char* what) {
    if (!OidIsValid(oid)) {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("%s of the store is missing", what)));
    }
    if (!ConditionalLockRelationOid(oid, AccessShareLock)) {
        ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("%s of the store is locked", what)));
    }
    Relation relation = try_relation_open(oid, NoLock);
    if (!relation) ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("%s of the store is missing", what)));
    return relation;
}

// The values of a store's settings that matter here, in the current memory.
struct Settings {
    char* id;  // nullptr: there is no row
    char* time_zone;
    Oid orders;
    Oid items;
};

Oid oid_value(int column) {
    const char* text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);
    return text ? static_cast<Oid>(strtoul(text, nullptr, 10)) : InvalidOid;
}

// Read as the owner, whose code a store is; whoever writes an order needs no right on it.
Settings read_settings(Oid table, Oid* owner) {
    MemoryContext caller = CurrentMemoryContext;
    Oid user;
    int security;
    GetUserIdAndSecContext(&user, &security);
    Relation relation = open_now(table, "the table \"settings\"");
    *owner = relation->rd_rel->relowner;
    SetUserIdAndSecContext(*owner, security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
    SPI_connect();
    const char* query = psprintf("SELECT id, time_zone, orders::oid, items::oid FROM %s",
                                 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
                                                            RelationGetRelationName(relation)));
    if (SPI_execute(query, false, 1) != SPI_OK_SELECT) elog(ERROR, "could not read the settings of a store");
    Settings settings{};
    if (SPI_processed > 0) {
        HeapTuple row = SPI_tuptable->vals[0];
        TupleDesc columns = SPI_tuptable->tupdesc;
        const char* id = SPI_getvalue(row, columns, 1);
        const char* time_zone = SPI_getvalue(row, columns, 2);
        settings.id = id ? MemoryContextStrdup(caller, id) : nullptr;
        settings.time_zone = time_zone ? MemoryContextStrdup(caller, time_zone) : nullptr;
        settings.orders = oid_value(3);
        settings.items = oid_value(4);
    }
    SPI_finish();
    SetUserIdAndSecContext(user, security);
    relation_close(relation, NoLock);
    return settings;
}

bool is_store(Oid table, const char* id, Settings* settings, Oid* owner) {
    if (!OidIsValid(table)) return false;
    *settings = read_settings(table, owner);
    return settings->id && std::strcmp(settings->id, id) == 0;
}

// The settings tables of the database.
List* all_settings() {
    List* tables = NIL;
    MemoryContext caller = CurrentMemoryContext;
    SPI_connect();
    const int result = SPI_execute(
        "SELECT relnamespace FROM pg_catalog.pg_class WHERE relname OPERATOR(pg_catalog.=) 'settings'"
        " AND reloftype OPERATOR(pg_catalog.=) 'clientele.store_settings'::pg_catalog.regtype",
        false, 0);
    if (result != SPI_OK_SELECT) elog(ERROR, "could not list the stores");
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
        bool is_null;
        const Datum schema = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &is_null);
        MemoryContext spi = MemoryContextSwitchTo(caller);
        tables = lappend_oid(tables, settings_table(DatumGetObjectId(schema)));
        MemoryContextSwitchTo(spi);
    }
    SPI_finish();
    return tables;
}

// The store of a trigger's arguments: that name, where the id agrees; else the one that was renamed.
Settings find_store(const Trigger& trigger, Oid* table, Oid* owner) {
    Settings settings{};
    *table = InvalidOid;
    if (trigger.tgnargs != 2) return settings;
    const char* id = trigger.tgargs[1];
    const Oid schema = get_namespace_oid(trigger.tgargs[0], true);
    *table = OidIsValid(schema) ? settings_table(schema) : InvalidOid;
    if (is_store(*table, id, &settings, owner)) return settings;
    ListCell* cell;
    foreach (cell, all_settings()) {
        *table = lfirst_oid(cell);
        if (is_store(*table, id, &settings, owner)) return settings;
    }
    *table = InvalidOid;
    return settings;
}

// A store learns only of orders that its owner may read.
void check_rights(Oid table, Oid owner) {
    if (pg_class_aclcheck(table, owner, ACL_SELECT) != ACLCHECK_OK &&
        pg_attribute_aclcheck_all(table, owner, ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK) {
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("the owner of the store may not read table \"%s\" any more", get_rel_name(table))));
    }
}

// The query of one of a store's views over one table, with the number of that table in it.
Query* view_over(Relation view, int* table) {
    auto* query = static_cast<Query*>(copyObjectImpl(get_view_query(view)));
    auto* from = static_cast<Node*>(linitial(query->jointree->fromlist));
    if (list_length(query->jointree->fromlist) != 1 || !IsA(from, RangeTblRef)) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("view \"%s\" of the store was changed", RelationGetRelationName(view))));
    }
    *table = castNode(RangeTblRef, from)->rtindex;
    return query;
}

// Columns of the root table by the names that they have in a member of its family. No lock is needed for it, so that a
// statement on a partition does not depend on who works on the root.
AttrMap* columns_of(Oid root, Oid member) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(root));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "the table of the orders is missing");
    const AttrNumber count = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relnatts;
    ReleaseSysCache(tuple);
    AttrMap* map = make_attrmap(count);
    for (AttrNumber number = 1; number <= count; ++number) {
        const char* name = get_attname(root, number, true);
        map->attnums[number - 1] = name ? get_attnum(member, name) : InvalidAttrNumber;
    }
    return map;
}

// An expression over the root table as one over this member of its family, ready to be executed. The planner shares
// what it need not change, hence the copy.
Node* planned(Node* expression, int table, const AttrMap* map) {
    ChangeVarNodes(expression, table, 1, 0);
    bool whole_row;
    expression = map_variable_attnos(expression, 1, 0, map, InvalidOid, &whole_row);
    return static_cast<Node*>(copyObjectImpl(expression_planner(reinterpret_cast<Expr*>(expression))));
}

// Whether a view calls functions of extensions, which may look names up when they are called.
bool calls_foreign_code(Oid view) {
    SPI_connect();
    const char* query = psprintf(
        "SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid"
        " LEFT JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid AND d.refclassid = "
        "'pg_catalog.pg_proc'::pg_catalog.regclass"
        " WHERE r.ev_class = %u AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid"
        " IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass)"
        " AND p.pronamespace IS DISTINCT FROM 'clientele'::pg_catalog.regnamespace",
        view);
    if (SPI_execute(query, false, 1) != SPI_OK_SELECT) elog(ERROR, "could not read what a view depends on");
    const bool found = SPI_processed > 0;
    SPI_finish();
    return found;
}

// The columns and the filter of the view _orders, over the table of the trigger.
void learn_orders(LiveSource& source) {
    Relation view = open_now(source.view, "the view \"_orders\"");
    const AttrMap* map = columns_of(source.orders, source.relation);
    int table;
    Query* query = view_over(view, &table);
    MemoryContext caller = MemoryContextSwitchTo(source.memory);
    ListCell* cell;
    foreach (cell, query->targetList) {
        auto* column = lfirst_node(TargetEntry, cell);
        source.columns = lappend(source.columns, planned(reinterpret_cast<Node*>(column->expr), table, map));
    }
    if (query->jointree->quals) {
        auto* filter = reinterpret_cast<Expr*>(planned(query->jointree->quals, table, map));
        source.filter = make_ands_implicit(filter);
    }
    MemoryContextSwitchTo(caller);
    relation_close(view, NoLock);
}

// The names of the columns behind the view _items: order id, category, amount.
void learn_items(LiveSource& source, Oid items) {
    Relation view = open_now(source.view, "the view \"_items\"");
    int table;
    const Query* query = view_over(view, &table);
    for (int i = 0; i < 3; ++i) {
        auto* column = list_nth_node(TargetEntry, query->targetList, i);
        List* variables = pull_var_clause(reinterpret_cast<Node*>(column->expr), 0);
        source.item_columns[i] =
            MemoryContextStrdup(source.memory, get_attname(items, linitial_node(Var, variables)->varattno, false));
    }
    relation_close(view, NoLock);
}

void forget_plans(LiveSource& source) {
    for (SPIPlanPtr& plan : source.item_queries) {
        if (plan) SPI_freeplan(plan);
        plan = nullptr;
    }
}

void learn(LiveSource& source, const TriggerData& trigger) {
    forget_plans(source);
    if (source.memory) MemoryContextDelete(source.memory);
    source.memory = AllocSetContextCreate(TopMemoryContext, "clientele live source", ALLOCSET_SMALL_SIZES);
    source.columns = source.filter = NIL;
    source.relation = RelationGetRelid(trigger.tg_relation);
    source.pending = source.failures = source.view = source.orders = InvalidOid;
    const Settings settings = find_store(*trigger.tg_trigger, &source.settings, &source.owner);
    if (!OidIsValid(source.settings)) {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("the store is gone"),
                        errhint("Drop its triggers, of which this is one: DROP TRIGGER %s ON %s.",
                                quote_identifier(trigger.tg_trigger->tgname),
                                quote_identifier(RelationGetRelationName(trigger.tg_relation)))));
    }
    source.schema = get_rel_namespace(source.settings);
    source.failures = get_relname_relid("failures", source.schema);
    source.pending = get_relname_relid("pending", source.schema);
    source.orders = settings.orders;
    const bool of_items = std::strcmp(get_func_name(trigger.tg_trigger->tgfoid), "_note_items") == 0;
    const Oid root = of_items ? settings.items : settings.orders;
    source.watched = list_member_oid(find_all_inheritors(root, NoLock, nullptr), source.relation);
    check_rights(root, source.owner);
    source.view = get_relname_relid(of_items ? "_items" : "_orders", source.schema);
    Relation pending = open_now(source.pending, "the table \"pending\"");
    source.key_type = get_atttype(source.pending, 1);
    source.order_type = OidIsValid(settings.items) ? get_atttype(source.pending, 4) : InvalidOid;
    relation_close(pending, NoLock);
    source.zone = &find_zone(settings.time_zone, std::strlen(settings.time_zone));
    if (of_items) {
        learn_items(source, settings.items);
    } else {
        learn_orders(source);
        source.foreign_code = calls_foreign_code(source.view);
    }
}

}  // namespace

LiveSource& cached_source(const TriggerData& trigger) {
    bool found;
    auto* source =
        static_cast<LiveSource*>(hash_search(source_table(), &trigger.tg_trigger->tgoid, HASH_ENTER, &found));
    if (!found) {
        *source = {};
        source->trigger = trigger.tg_trigger->tgoid;
    }
    return *source;
}

LiveSource& live_source(const TriggerData& trigger) {
    LiveSource& source = cached_source(trigger);
    if (!source.known) {
        source.known = true;  // before, so that a change meanwhile is not lost
        const int settings = begin_settings();
        set_safe_path();
        set_no_waiting();
        learn(source, trigger);
        end_settings(settings);
    }
    return source;
}

Oid store_of_trigger(const Trigger& trigger) {
    Oid settings;
    Oid owner;
    find_store(trigger, &settings, &owner);
    return settings;
}

}  // namespace clientele
