#include "pg/live/live_source.hpp"

#include <cstring>

#include "pg/count/order_groups.hpp"
#include "pg/kit/owner_scope.hpp"
#include "pg/kit/query.hpp"
#include "pg/kit/row.hpp"
#include "pg/kit/session_cache.hpp"
#include "pg/kit/settings_scope.hpp"
#include "pg/kit/zone.hpp"
#include "pg/store/store.hpp"

extern "C" {
#include "access/attmap.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace clientele {
namespace {

void forget(Oid relation);

constinit SessionCache<LiveSource> sources("clientele live sources", [] { watch_catalogs(forget, {NAMESPACEOID}); });

// Any change of a table that a source knows of, or of a schema's name, makes it ask again.
void forget(Oid relation) {
    sources.each([&](LiveSource& source) {
        if (!OidIsValid(relation) || relation == source.relation || relation == source.view ||
            relation == source.settings || relation == source.pending || relation == source.failures ||
            relation == source.reversals || relation == source.ledger || relation == source.orders) {
            source.known = source.appendable = source.ledger_known = false;
            source.changed = true;
        }
    });
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

// The schema of a trigger's store: that of the name in its arguments, or the one that it was renamed to. Each has an
// index named for the store's id, so that no lock is needed to know it.
// Somebody else's schema of that name, or with such an index, is no store of these orders: its owner has no TRIGGER
// there.
bool may_be_store(Oid schema, Oid relation) {
    const Oid settings = settings_table(schema);
    const Oid owner = OidIsValid(settings) ? owner_of(settings) : InvalidOid;
    return OidIsValid(owner) && pg_class_aclcheck(relation, owner, ACL_TRIGGER) == ACLCHECK_OK;
}

Oid schema_of(const Trigger& trigger, Oid relation) {
    if (trigger.tgnargs != 2) return InvalidOid;
    const char* index = psprintf("settings_%s", trigger.tgargs[1]);
    const Oid schema = get_namespace_oid(trigger.tgargs[0], true);
    if (OidIsValid(schema) && OidIsValid(get_relname_relid(index, schema)) && may_be_store(schema, relation))
        return schema;
    begin_queries();
    const std::uint64_t count =
        run_query("SELECT relnamespace FROM pg_catalog.pg_class WHERE relname OPERATOR(pg_catalog.=) $1 ORDER BY oid",
                  {{NAMEOID, name_datum(index)}}, Reads::as_its_caller);
    Oid renamed = InvalidOid;
    for (std::uint64_t i = 0; i < count && !OidIsValid(renamed); ++i) {
        const Oid found = DatumGetObjectId(result_value(i, 1).value);
        if (count == 1 || may_be_store(found, relation)) renamed = found;
    }
    end_queries();
    return renamed;
}

struct Settings {
    char* time_zone;
    Oid orders;
    Oid items;
};

// NULL reads as 0.
Datum setting(TupleTableSlot* row, const char* name) {
    const AttrNumber column = get_attnum(row->tts_tableOid, name);
    if (column == InvalidAttrNumber)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("the store's settings lack \"%s\"", name)));
    bool is_null;
    const Datum value = slot_getattr(row, column, &is_null);
    return is_null ? 0 : value;
}

// Straight from the table: whoever writes orders has no right on it, and its owner may have lost theirs.
Settings read_settings(Oid table) {
    Relation relation = open_now(table, "the table \"settings\"");
    TupleTableSlot* row = table_slot_create(relation, nullptr);
    // What is committed, as catalogs are read: no snapshot, and so nothing that a serializable transaction could fail
    // for. A row that is being updated may be missed.
    bool found = false;
    for (int attempts = 0; attempts < 3 && !found; ++attempts) {
        TableScanDesc scan = table_beginscan(relation, SnapshotSelf, 0, nullptr);
        found = table_scan_getnextslot(scan, ForwardScanDirection, row);
        if (found) ExecMaterializeSlot(row);
        table_endscan(scan);
    }
    if (!found) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("the store has lost its settings")));
    }
    row->tts_tableOid = table;
    const Datum time_zone = setting(row, "time_zone");
    const Settings settings = {time_zone ? TextDatumGetCString(time_zone) : pstrdup("UTC"),
                               DatumGetObjectId(setting(row, "orders")), DatumGetObjectId(setting(row, "items"))};
    ExecDropSingleTupleTableSlot(row);
    relation_close(relation, NoLock);
    return settings;
}

// A store learns only of orders that its owner may read: all the columns that a view of it uses, in every row.
void check_rights(const Query* query, int table, Oid relation, Oid owner) {
    bool may = check_enable_rls(relation, owner, true) != RLS_ENABLED;
    if (may && pg_class_aclcheck(relation, owner, ACL_SELECT) != ACLCHECK_OK) {
        ListCell* cell;
        foreach (cell, pull_vars_of_level(reinterpret_cast<Node*>(const_cast<Query*>(query)), 0)) {
            const auto* column = lfirst_node(Var, cell);
            may = may && (column->varno != table ||
                          pg_attribute_aclcheck(relation, column->varattno, owner, ACL_SELECT) == ACLCHECK_OK);
        }
    }
    if (!may) {
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("the owner of the store may not read table \"%s\" any more", get_rel_name(relation))));
    }
}

[[noreturn]] void refuse_view(Relation view) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("view \"%s\" of the store was changed", RelationGetRelationName(view))));
    pg_unreachable();
}

// Columns and a filter over whatever it reads, row by row, as the views of a store are created.
bool is_row_by_row(const Query& query) {
    return query.commandType == CMD_SELECT && !query.setOperations && !query.cteList && !query.rowMarks &&
           !query.groupClause && !query.groupingSets && !query.havingQual && !query.distinctClause &&
           !query.windowClause && !query.sortClause && !query.limitOffset && !query.limitCount && !query.hasAggs &&
           !query.hasWindowFuncs && !query.hasTargetSRFs && !query.hasSubLinks;
}

// The number of the only table that a query reads; 0 where it reads anything else.
int only_table(const Query& query) {
    const List* from = query.jointree->fromlist;
    if (list_length(from) != 1 || !IsA(linitial(from), RangeTblRef)) return 0;
    const int table = linitial_node(RangeTblRef, from)->rtindex;
    const RangeTblEntry* entry = rt_fetch(table, query.rtable);
    return entry->rtekind == RTE_RELATION && entry->inh && !entry->tablesample ? table : 0;
}

// The query of one of a store's views over one table, with the number of that table in it. Its owner may have put
// anything in its place.
Query* view_over(Relation view, Oid root, Oid owner, int* table) {
    if (view->rd_rel->relkind != RELKIND_VIEW || view->rd_rel->relowner != owner) refuse_view(view);
    auto* query = static_cast<Query*>(copyObjectImpl(get_view_query(view)));
    *table = is_row_by_row(*query) ? only_table(*query) : 0;
    if (*table == 0 || rt_fetch(*table, query->rtable)->relid != root) refuse_view(view);
    check_rights(query, *table, root, owner);
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

// Columns of the table of the trigger, of those that these expressions read, that are computed when a row is stored.
// PostgreSQL fills a transition table of a partitioned table before it does that, where the partition has its columns
// in another order than the table: it has NULL there.
List* generated_columns(const LiveSource& source, List* expressions) {
    List* generated = NIL;
    if (get_rel_relkind(source.relation) != RELKIND_PARTITIONED_TABLE) return generated;
    ListCell* cell;
    foreach (cell, pull_var_clause(reinterpret_cast<Node*>(expressions), 0)) {
        const AttrNumber column = lfirst_node(Var, cell)->varattno;
        if (column > 0 && get_attgenerated(source.relation, column)) {
            generated = list_append_unique_int(generated, column);
        }
    }
    return generated;
}

// Whether a view calls functions of extensions, which may look names up when they are called.
bool calls_foreign_code(Oid view) {
    begin_queries();
    const bool found =
        run_query(
            psprintf(
                "SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid"
                " LEFT JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid AND d.refclassid = "
                "'pg_catalog.pg_proc'::pg_catalog.regclass"
                " WHERE r.ev_class = %u AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid"
                " IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass)"
                " AND p.pronamespace IS DISTINCT FROM 'clientele'::pg_catalog.regnamespace",
                view),
            {}, Reads::as_of_now, 1) > 0;
    end_queries();
    return found;
}

// Whether an expression over the orders is a call of clientele._instant(): what clientele._has_local_times() says in
// SQL.
bool makes_instant(Node* expression) {
    if (!IsA(expression, FuncExpr)) return false;
    const Oid function = castNode(FuncExpr, expression)->funcid;
    return get_func_namespace(function) == get_namespace_oid("clientele", false) &&
           std::strcmp(get_func_name(function), "_instant") == 0;
}

// The columns and the filter of the view _orders, over the table of the trigger.
void learn_orders(LiveSource& source) {
    Relation view = open_now(source.view, "the view \"_orders\"");
    const AttrMap* map = columns_of(source.orders, source.relation);
    int table;
    Query* query = view_over(view, source.orders, source.owner, &table);
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
    source.generated = generated_columns(source, list_concat_copy(source.columns, source.filter));
    MemoryContextSwitchTo(caller);
    source.has_local_times =
        list_length(source.columns) > 1 && makes_instant(static_cast<Node*>(lsecond(source.columns)));
    // Lines find their order by its id, so that its type matters.
    const Oid shape[] = {source.key_type, TIMESTAMPTZOID, NUMERICOID, source.order_type};
    source.has_order_id = list_length(source.columns) == 4;
    const int count = source.has_items ? 4 : 3;
    bool same = list_length(source.columns) == count || source.has_order_id;
    for (int i = 0; same && i < count; ++i)
        same = exprType(static_cast<Node*>(list_nth(source.columns, i))) == shape[i];
    if (!same) refuse_view(view);
    relation_close(view, NoLock);
}

// The names of the columns behind the view _items: order id, category, amount.
void learn_items(LiveSource& source, Oid items) {
    Relation view = open_now(source.view, "the view \"_items\"");
    int table;
    const Query* query = view_over(view, items, source.owner, &table);
    if (list_length(query->targetList) != 3) refuse_view(view);
    const AttrMap* map = columns_of(items, source.relation);
    for (int i = 0; i < 3; ++i) {
        const auto* column = list_nth_node(TargetEntry, query->targetList, i);
        List* variables = pull_var_clause(reinterpret_cast<Node*>(column->expr), 0);
        const AttrNumber number = variables ? linitial_node(Var, variables)->varattno : 0;
        for (int j = 1; j < list_length(variables); ++j)
            if (list_nth_node(Var, variables, j)->varattno != number) refuse_view(view);
        if (number <= 0 || number > map->maplen || map->attnums[number - 1] == InvalidAttrNumber) refuse_view(view);
        source.item_columns[i] = MemoryContextStrdup(source.memory, get_attname(items, number, false));
        const bool generated = get_rel_relkind(source.relation) == RELKIND_PARTITIONED_TABLE &&
                               get_attgenerated(source.relation, map->attnums[number - 1]);
        if (i == 1) source.foreign_category = getBaseType(get_atttype(items, number)) >= FirstNormalObjectId;
        if (generated) (i == 0 ? source.generated_line_orders : source.generated_lines) = true;
    }
    relation_close(view, NoLock);
}

void forget_plans(LiveSource& source) {
    for (SPIPlanPtr& plan : source.item_queries) {
        if (plan) SPI_freeplan(plan);
        plan = nullptr;
    }
}

// One trigger an event: a second one under another name would count everything twice.
bool is_own_name(const Trigger& trigger) {
    const char* prefix = psprintf("clientele_%.8s_", trigger.tgargs[1]);
    return std::strncmp(trigger.tgname, prefix, std::strlen(prefix)) == 0;
}

void learn(LiveSource& source, const TriggerData& trigger) {
    forget_plans(source);
    if (source.memory) MemoryContextDelete(source.memory);
    source.memory = AllocSetContextCreate(TopMemoryContext, "clientele live source", ALLOCSET_SMALL_SIZES);
    source.columns = source.filter = source.generated = NIL;
    source.generated_lines = source.generated_line_orders = false;
    source.placed = source.watched = source.appendable = source.ledger_known = false;
    source.relation = RelationGetRelid(trigger.tg_relation);
    source.settings = source.pending = source.failures = source.view = source.orders = source.owner = InvalidOid;
    source.schema = schema_of(*trigger.tg_trigger, source.relation);
    source.settings = OidIsValid(source.schema) ? settings_table(source.schema) : InvalidOid;
    if (!OidIsValid(source.settings)) {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("the store is gone"),
                        errhint("Drop its triggers, of which this is one: DROP TRIGGER %s ON %s.",
                                quote_identifier(trigger.tg_trigger->tgname),
                                quote_identifier(RelationGetRelationName(trigger.tg_relation)))));
    }
    source.failures = get_relname_relid("failures", source.schema);
    source.reversals = get_relname_relid("reversals", source.schema);
    source.ledger = get_relname_relid("ledger", source.schema);
    source.pending = get_relname_relid("pending", source.schema);
    source.owner = owner_of(source.settings);
    const Settings settings = read_settings(source.settings);
    source.orders = settings.orders;
    const bool of_items = std::strcmp(get_func_name(trigger.tg_trigger->tgfoid), "_note_items") == 0;
    const Oid root = of_items ? settings.items : settings.orders;
    source.watched = is_own_name(*trigger.tg_trigger) &&
                     list_member_oid(find_all_inheritors(root, NoLock, nullptr), source.relation);
    source.placed = true;
    if (!source.watched) return;
    become_owner(source.owner);  // what a view of the store calls is its owner's code
    source.view = get_relname_relid(of_items ? "_items" : "_orders", source.schema);
    Relation pending = open_now(source.pending, "the table \"pending\"");
    source.key_type = get_atttype(source.pending, 1);
    if (!can_group(source.key_type)) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("table \"pending\" has other columns than it was created with")));
    }
    source.order_type = get_atttype(source.pending, 4);
    source.profile_type = type_of_ours("order_profile");
    source.has_items = OidIsValid(settings.items);
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

LiveSource& cached_source(const TriggerData& trigger) { return sources.get(trigger.tg_trigger->tgoid); }

LiveSource& live_source(const TriggerData& trigger) {
    LiveSource& source = cached_source(trigger);
    if (!source.known) {
        source.changed = false;
        const int settings = begin_settings();
        set_safe_path();
        set_no_waiting();
        const Identity caller = current_identity();
        learn(source, trigger);
        become_again(caller);
        end_settings(settings);
        source.known = !source.changed;
    }
    return source;
}

bool concerns_store(const LiveSource& source, const TriggerData& trigger) {
    if (source.placed) return source.watched;
    return OidIsValid(source.owner) &&
           pg_class_aclcheck(RelationGetRelid(trigger.tg_relation), source.owner, ACL_TRIGGER) == ACLCHECK_OK;
}

Oid store_of_trigger(const Trigger& trigger, Oid relation) {
    const Oid schema = schema_of(trigger, relation);
    return OidIsValid(schema) ? settings_table(schema) : InvalidOid;
}

}  // namespace clientele
