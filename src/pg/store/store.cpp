#include <cstdint>
#include <cstring>

#include "pg/store/store.hpp"

#include "pg/kit/compat.hpp"
#include "pg/kit/query.hpp"
#include "pg/kit/row.hpp"
#include "pg/kit/session_cache.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace clientele {
namespace {

// The stores that the caller may use, by name.
struct StoreNames {
    std::uint64_t count;
    char* first;
    char* all;  // for a message: "a, b, c"
};

// Nothing here runs a store owner's code: whoever calls has named none of them.
StoreNames store_names(const char* query) {
    StringInfoData all;
    initStringInfo(&all);
    MemoryContext caller = CurrentMemoryContext;
    begin_queries();
    StoreNames names{run_query(query, {}, Reads::as_its_caller), nullptr, nullptr};
    for (std::uint64_t i = 0; i < names.count; ++i) {
        const char* name = result_text(i, 1);
        if (i == 0) names.first = MemoryContextStrdup(caller, name);
        appendStringInfo(&all, "%s%s", i > 0 ? ", " : "", quote_identifier(name));
    }
    names.all = all.data;
    end_queries();
    return names;
}

StoreNames usable_stores() { return store_names("SELECT u.store FROM clientele._usable_stores() u"); }

// Those from which the one that was not named is taken.
StoreNames candidates() { return store_names("SELECT c.store FROM clientele._unnamed_stores() c"); }

// Session cache: which store is the only one, for whom. Any change of a relation, a schema or a role empties it.
constinit Oid only_store_schema = InvalidOid;
constinit Oid only_store_user = InvalidOid;
constinit bool watching = false;

// The table of settings that was looked at last.
constinit Oid known_settings = InvalidOid;

// Rights change without any relation.
void forget(Oid) { only_store_schema = known_settings = InvalidOid; }

void watch() {
    if (!watching) watch_catalogs(forget, {NAMESPACEOID, AUTHMEMMEMROLE, AUTHOID, DATABASEOID});
    watching = true;
}

[[noreturn]] void refuse_no_store() {
    const StoreNames others = usable_stores();
    if (others.count > 0) {
        ereport(ERROR,
                (errcode(ERRCODE_AMBIGUOUS_PARAMETER), errmsg("no store was named, and all belong to others"),
                 errdetail("You may use: %s. A superuser runs the functions of an ordinary role's store only where "
                           "it is named.",
                           others.all),
                 errhint("Name one: store => '%s', or SET clientele.store = '%s'.", others.first, others.first)));
    }
    ereport(ERROR,
            (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("there is no store that you may use"),
             errhint("Create one with clientele.create_store(), or ask a store's owner for USAGE on its schema.")));
    pg_unreachable();
}

Oid only_store() {
    watch();
    if (OidIsValid(only_store_schema) && only_store_user == GetUserId()) return only_store_schema;
    const StoreNames names = candidates();
    if (names.count == 0) refuse_no_store();
    if (names.count > 1) {
        ereport(ERROR, (errcode(ERRCODE_AMBIGUOUS_PARAMETER), errmsg("no store was named, and there are several"),
                        errdetail("You may use: %s.", names.all),
                        errhint("Name one: store => '%s', or SET clientele.store = '%s'.", names.first, names.first)));
    }
    only_store_user = GetUserId();
    return only_store_schema = get_namespace_oid(names.first, false);
}

// A policy or a rule on it would run its owner's code as whoever looks for stores.
bool is_plain_table(Oid table) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
    if (!HeapTupleIsValid(tuple)) return false;
    auto* relation = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
    const bool plain = relation->relkind == RELKIND_RELATION && !relation->relrowsecurity && !relation->relhasrules;
    ReleaseSysCache(tuple);
    return plain;
}

// Whether the columns of a table begin with the attributes of a composite type: names, types and order.
bool begins_with_columns(Oid table, Oid row_type) {
    TupleDesc wanted = lookup_rowtype_tupdesc(row_type, -1);
    AttrNumber number = 0;
    int found = 0;
    while (found < wanted->natts) {
        HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(table), Int16GetDatum(++number));
        if (!HeapTupleIsValid(tuple)) break;
        const auto* column = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple));
        const FormData_pg_attribute& attribute = *TupleDescAttr(wanted, found);
        const bool dropped = column->attisdropped;
        const bool fits = !dropped && column->attgenerated == '\0' && column->atttypid == attribute.atttypid &&
                          std::strcmp(NameStr(column->attname), NameStr(attribute.attname)) == 0;
        ReleaseSysCache(tuple);
        if (!fits && !dropped) break;
        found += fits;
    }
    const bool all = found == wanted->natts;
    ReleaseTupleDesc(wanted);
    return all;
}

// Whether there is a table that was a store's settings once.
bool has_settings(Oid schema) {
    const Oid table = get_relname_relid("settings", schema);
    if (!OidIsValid(table)) return false;
    HeapTuple tuple = SearchSysCacheAttName(table, "version");
    if (!HeapTupleIsValid(tuple)) return false;
    const Oid type = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple))->atttypid;
    ReleaseSysCache(tuple);
    return OidIsValid(type) && type == type_of_ours("store_version");
}

[[noreturn]] void refuse_settings(const char* store) {
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("the table settings of store \"%s\" is not the one that was created", store),
             errdetail("A store's has the columns of clientele.store_settings, in their order, and neither row-level "
                       "security nor rules."),
             errhint("Give it these back.")));
    pg_unreachable();
}

[[noreturn]] void refuse_store(const char* name) {
    const StoreNames names = usable_stores();
    ereport(ERROR,
            (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("store \"%s\" does not exist, or you may not use it", name),
             names.count > 0 ? errdetail("You may use: %s.", names.all) : 0,
             errhint("clientele.stores lists the stores; create_store() creates one.")));
    pg_unreachable();
}

}  // namespace

bool is_detached(const Store& store) {
    const Oid profiles = get_relname_relid("profiles", store.schema);
    if (OidIsValid(profiles)) LockRelationOid(profiles, AccessShareLock);
    return SearchSysCacheExists3(PROCNAMEARGSNSP, CStringGetDatum("_detached"),
                                 PointerGetDatum(buildoidvector(nullptr, 0)), ObjectIdGetDatum(store.schema));
}

Oid settings_table(Oid schema) {
    const Oid table = get_relname_relid("settings", schema);
    if (!OidIsValid(table)) return InvalidOid;
    watch();
    if (table == known_settings) return table;
    const Oid settings = type_of_ours("store_settings");
    if (!OidIsValid(settings) || !is_plain_table(table) || !begins_with_columns(table, settings)) return InvalidOid;
    return known_settings = table;
}

const char* schema_name(Oid schema) {
    const char* name = get_namespace_name(schema);
    if (!name) ereport(ERROR, (errcode(ERRCODE_UNDEFINED_SCHEMA), errmsg("the store was dropped by another session")));
    return name;
}

void require_owner(const Store& store) {
    if (!owns_schema(store.schema)) aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_SCHEMA, schema_name(store.schema));
}

void check_result(const Store& store, TupleDesc columns, const Oid* types, int count) {
    for (int i = 0; i < count; ++i) {
        const FormData_pg_attribute* column = i < columns->natts ? TupleDescAttr(columns, i) : nullptr;
        if (column && column->atttypid == types[i]) continue;
        ereport(ERROR,
                (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                 errmsg("a view or table of store \"%s\" is not the one that was created", schema_name(store.schema)),
                 errdetail("Column %d of what was read is %s, not %s.", i + 1,
                           column ? format_type_be(column->atttypid) : "missing", format_type_be(types[i])),
                 errhint("Drop what stands in its place, and give what create_store() created its name back.")));
    }
}

Store resolve_store(const char* name) {
    // A definition that another session committed counts from the next look-up on, also within a transaction.
    AcceptInvalidationMessages();
    if (!name || !*name) name = store_setting;
    const Oid schema = name && *name ? get_namespace_oid(name, true) : only_store();
    const bool usable = OidIsValid(schema) && may_use_schema(schema);
    const Oid settings = usable ? settings_table(schema) : InvalidOid;
    if (OidIsValid(settings)) return {schema, settings};
    if (usable && has_settings(schema)) refuse_settings(schema_name(schema));
    refuse_store(name && *name ? name : get_namespace_name(schema));
}

}  // namespace clientele

CLIENTELE_FUNCTION(clientele_resolve_store) {
    const char* name = PG_ARGISNULL(0) ? nullptr : NameStr(*PG_GETARG_NAME(0));
    const char* found = clientele::schema_name(clientele::resolve_store(name).schema);
    return clientele::name_datum(found);
}

CLIENTELE_FUNCTION(clientele_settings_table) {
    const Oid table = clientele::settings_table(PG_GETARG_OID(0));
    if (!OidIsValid(table)) PG_RETURN_NULL();
    PG_RETURN_OID(table);
}
