// Locks on the tables of a live store, and its triggers there: for set_live() and drop_store().
#include <cstring>

#include "pg/kit/compat.hpp"
#include "pg/live/live_source.hpp"
#include "pg/store/store.hpp"

extern "C" {
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_trigger.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

using namespace clientele;

namespace {

struct Tables {
    Oid* oids;
    int count;
};

Tables tables_argument(ArrayType* array) {
    Datum* elements;
    bool* nulls;
    Tables tables{};
    deconstruct_array(array, REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT, &elements, &nulls, &tables.count);
    tables.oids = static_cast<Oid*>(palloc0(sizeof(Oid) * (tables.count + 1)));
    for (int i = 0; i < tables.count; ++i) {
        tables.oids[i] = nulls[i] ? InvalidOid : DatumGetObjectId(elements[i]);
        if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(tables.oids[i]))) continue;
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("there is no table with OID %u", tables.oids[i])));
    }
    return tables;
}

void wait_for_lockers(Oid table, LOCKMODE mode) {
    LOCKTAG tag;
    SET_LOCKTAG_RELATION(tag, MyDatabaseId, table);
    WaitForLockers(tag, mode, false);
}

// Waits for one table while it holds none, and takes the others if they are free: who writes orders, then lines (or the
// other way round) cannot deadlock with us. The first ones are those whose triggers write to the others. They are
// locked before these, lest a trigger that runs meets a lock; where that fails for long, whoever reads the others must
// wait.
void await_tables(const Tables& tables, int sources, LOCKMODE mode) {
    constexpr int patience = 100;
    int first = 0;
    const auto nth = [&](int n) {
        const int turning = first < sources ? sources : tables.count;
        return n < turning ? (first + n) % turning : n;
    };
    for (int attempt = 0; tables.count > 0; ++attempt) {
        LockRelationOid(tables.oids[first], mode);
        int held = 1;
        for (; held < tables.count; ++held) {
            if (!ConditionalLockRelationOid(tables.oids[nth(held)], mode)) break;
        }
        if (held == tables.count) return;
        // The sources last: who waits for them goes on at once, and its triggers must find the others free.
        for (int i = held - 1; i >= 0; --i) UnlockRelationOid(tables.oids[nth(i)], mode);
        const int missed = nth(held);
        if (missed < sources || attempt >= patience) {
            first = missed;
        } else {
            wait_for_lockers(tables.oids[missed], mode);
        }
        CHECK_FOR_INTERRUPTS();
    }
}

// Who holds a store already waits for no table: it takes all of them, or fails.
void lock_free_tables(const Tables& tables, LOCKMODE mode) {
    for (int i = 0; i < tables.count; ++i) {
        if (ConditionalLockRelationOid(tables.oids[i], mode)) continue;
        ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
                        errmsg("could not obtain lock on relation \"%s\"", get_rel_name(tables.oids[i]))));
    }
}

void lock_tables(const Tables& tables, int sources, LOCKMODE mode, bool patient) {
    if (patient) {
        await_tables(tables, sources, mode);
    } else {
        lock_free_tables(tables, mode);
    }
}

bool is_ours(const Trigger& trigger, Oid table, Oid settings) {
    const char* function = get_func_name(trigger.tgfoid);
    return function && (std::strcmp(function, "_note_orders") == 0 || std::strcmp(function, "_note_items") == 0) &&
           store_of_trigger(trigger, table) == settings;
}

// Whoever owns a table, or may have triggers on it, may keep everybody else from it for a while.
bool may_keep_alone(Oid table) {
    return owns_table(table) || pg_class_aclcheck(table, GetUserId(), ACL_TRIGGER) == ACLCHECK_OK;
}

// The store's triggers on a table.
List* triggers_of(Oid table, Oid settings) {
    List* found = NIL;
    Relation relation = relation_open(table, AccessShareLock);
    for (int i = 0; relation->trigdesc && i < relation->trigdesc->numtriggers; ++i) {
        const Trigger& trigger = relation->trigdesc->triggers[i];
        if (is_ours(trigger, table, settings)) found = lappend_oid(found, trigger.tgoid);
    }
    relation_close(relation, AccessShareLock);
    return found;
}

void drop_triggers(Oid table, Oid settings) {
    ListCell* cell;
    foreach (cell, triggers_of(table, settings)) {
        const ObjectAddress address = {TriggerRelationId, lfirst_oid(cell), 0};
        performDeletion(&address, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
    }
}

}  // namespace

CLIENTELE_FUNCTION(clientele_lock_sources) {
    const Tables tables = tables_argument(PG_GETARG_ARRAYTYPE_P(0));
    for (int i = 0; i < tables.count; ++i) {
        if (pg_class_aclcheck(tables.oids[i], GetUserId(), ACL_TRIGGER) != ACLCHECK_OK) {
            aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(tables.oids[i]));
        }
    }
    lock_tables(tables, tables.count, ShareRowExclusiveLock, PG_GETARG_BOOL(1));
    PG_RETURN_VOID();
}

CLIENTELE_FUNCTION(clientele_drop_triggers) {
    PreventCommandIfReadOnly("DROP TRIGGER");
    const Store store = resolve_store(NameStr(*PG_GETARG_NAME(0)));
    require_owner(store);
    Tables tables = tables_argument(PG_GETARG_ARRAYTYPE_P(1));
    int count = 0;
    int sources = 0;  // which come first
    for (int i = 0; i < tables.count; ++i) {
        const bool is_ours = get_rel_namespace(tables.oids[i]) == store.schema;
        if (!is_ours && !may_keep_alone(tables.oids[i]) && !triggers_of(tables.oids[i], store.settings)) continue;
        tables.oids[count++] = tables.oids[i];
        if (!is_ours) ++sources;
    }
    tables.count = count;
    lock_tables(tables, sources, AccessExclusiveLock, PG_GETARG_BOOL(2));
    for (int i = 0; i < tables.count; ++i) drop_triggers(tables.oids[i], store.settings);
    PG_RETURN_VOID();
}
