#include "pg/lookup/pending_probe.hpp"

#include <algorithm>
#include <cstring>

#include "pg/kit/compat.hpp"
#include "pg/kit/index_shape.hpp"
#include "pg/kit/query.hpp"
#include "pg/kit/session_cache.hpp"

extern "C" {
#include "access/genam.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_depend.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace clientele {
namespace {

struct Names {
    const char* ordinary;
    const char* stored;
};
constexpr Names views[] = {
    {"customers", "_customers_stored"}, {"segments", "_segments_stored"}, {"_offer_inputs", "_offer_inputs_stored"}};
constexpr int view_count = sizeof views / sizeof *views;

// What either kind of them reads, beside what both read. Whoever may not read all of it gets the answer, or the
// refusal, of the ordinary view, whether anything is pending or not.
constexpr const char* foundations[] = {"_base",   "_base_stored", "_pending_now",   "pending",
                                       "_marked", "_recounted",   "_recounted_all", "settings"};

// Session cache: what the probe has to know of a store, for one user. Any change of a relation, a function or a role
// makes it ask again.
struct ProbeKey {
    Oid settings;
    Oid user;
};
struct Probe {
    ProbeKey key;
    bool known;
    bool readable[view_count];  // both kinds, by this user; false where the store is not live
    Oid key_type;
    Oid pending;
    Oid index;  // on its customer_id
    AttrNumber due;
    RegProcedure equal;
    Oid collation;
};

void forget(Oid);

constinit SessionCache<Probe> probes("clientele probes", [] {
    watch_catalogs(forget, {PROCOID, AUTHOID, AUTHMEMMEMROLE});
});

void forget(Oid) {
    probes.each([](Probe& probe) { probe.known = false; });
}

// ---- What there is to know ----

Oid profiles_function(Oid schema) {
    return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("_profiles_now"),
                           PointerGetDatum(buildoidvector(nullptr, 0)), ObjectIdGetDatum(schema));
}

bool may_select(const Store& store, const char* name) {
    const Oid relation = get_relname_relid(name, store.schema);
    return OidIsValid(relation) && pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

bool may_read_foundations(const Store& store) {
    return std::ranges::all_of(foundations, [&](const char* name) { return may_select(store, name); });
}

bool depends_on(Oid function, Oid relation) {
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(ProcedureRelationId));
    ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(function));
    Relation depend = relation_open(DependRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(depend, DependDependerIndexId, true, nullptr, 2, keys);
    bool found = false;
    HeapTuple tuple;
    while (!found && HeapTupleIsValid(tuple = systable_getnext(scan))) {
        auto* row = reinterpret_cast<Form_pg_depend>(GETSTRUCT(tuple));
        found = row->refclassid == RelationRelationId && row->refobjid == relation;
    }
    systable_endscan(scan);
    relation_close(depend, AccessShareLock);
    return found;
}

// As its plans have it, whatever the snapshot: a live store's profiles are those that are stored, and what is pending.
bool is_live(const Store& store, Oid profiles) {
    const Oid pending = get_relname_relid("_pending_now", store.schema);
    return OidIsValid(profiles) && OidIsValid(pending) && depends_on(profiles, pending);
}

// Keys that differ may be equal to the shop's table of customers: then the index finds too little.
bool compares_bytes(const Store& store) {
    const Oid base = get_relname_relid("_base", store.schema);
    const AttrNumber column = get_attnum(base, "customer_id");
    if (column == InvalidAttrNumber) return false;
    Oid type;
    int32 modifier;
    Oid collation;
    get_atttypetypmodcoll(base, column, &type, &modifier, &collation);
    return !OidIsValid(collation) || get_collation_isdeterministic(collation);
}

// A session keeps to the rules of a time zone that it has read, so this stays as it is where it is true.
bool has_same_zone(const Store& store) {
    const char* schema = quote_identifier(schema_name(store.schema));
    begin_queries();
    const bool same =
        run_query(
            psprintf(
                "SELECT FROM %s.settings s WHERE clientele._zone_differs_from(s.time_zone, s.zone_digests) IS NULL",
                schema),
            {}, Reads::as_its_caller, 1) > 0;
    end_queries();
    return same;
}

void learn_index(Probe& probe, Relation pending, AttrNumber column) {
    List* indexes = RelationGetIndexList(pending);
    ListCell* cell;
    foreach (cell, indexes) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);
        if (is_btree_over(index, pending, column) &&
            heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr)) {
            probe.index = RelationGetRelid(index);
            probe.equal = equality_of(index);
            probe.collation = index->rd_indcollation[0];
        }
        index_close(index, NoLock);
    }
    list_free(indexes);
}

void learn(Probe& probe, const Store& store, Oid key_type) {
    probe.key_type = key_type;
    std::memset(probe.readable, 0, sizeof probe.readable);
    const Oid profiles = profiles_function(store.schema);
    if (!is_live(store, profiles) || !may_execute(profiles)) return;
    if (!may_read_foundations(store) || !compares_bytes(store)) return;
    probe.pending = get_relname_relid("pending", store.schema);
    const AttrNumber customer = column_of(probe.pending, "customer_id", probe.key_type);
    probe.due = column_of(probe.pending, "due", TIMESTAMPTZOID);
    if (customer == InvalidAttrNumber || probe.due == InvalidAttrNumber) return;
    probe.index = InvalidOid;
    Relation pending = relation_open(probe.pending, AccessShareLock);
    if (pending->rd_rel->relkind == RELKIND_RELATION) learn_index(probe, pending, customer);
    relation_close(pending, NoLock);
    if (!OidIsValid(probe.index)) return;
    if (!has_same_zone(store)) {
        probe.known = false;  // a refresh mends it, of which no cache is told
        return;
    }
    for (int i = 0; i < view_count; ++i) {
        probe.readable[i] = may_select(store, views[i].ordinary) && may_select(store, views[i].stored);
    }
}

Probe& probe_of(const Store& store, Oid key_type) {
    Probe& probe = probes.get({store.settings, GetUserId()});
    if (!probe.known || probe.key_type != key_type) {
        probe.known = true;  // before, so that a change meanwhile is not lost
        learn(probe, store, key_type);
    }
    return probe;
}

// ---- The probe ----

// Whether one of the rows with this key is due, as the view _pending_now has it.
bool is_due(IndexScanDesc scan, ScanKey key, TupleTableSlot* slot, AttrNumber column) {
    index_rescan(scan, key, 1, nullptr, 0);
    while (index_getnext_slot(scan, ForwardScanDirection, slot)) {
        CHECK_FOR_INTERRUPTS();
        bool is_null;
        const Datum due = slot_getattr(slot, column, &is_null);
        if (!is_null && DatumGetTimestampTz(due) <= GetCurrentTransactionStartTimestamp()) return true;
    }
    return false;
}

// Rows without a customer may mean anybody.
bool anything_due(const Probe& probe, Relation pending, Relation index, Datum customer) {
    ScanKeyData keys[2];
    ScanKeyEntryInitialize(&keys[0], 0, 1, BTEqualStrategyNumber, InvalidOid, probe.collation, probe.equal, customer);
    ScanKeyEntryInitialize(&keys[1], SK_ISNULL | SK_SEARCHNULL, 1, InvalidStrategy, InvalidOid, InvalidOid, InvalidOid,
                           0);
    TupleTableSlot* slot = table_slot_create(pending, nullptr);
    IndexScanDesc scan = begin_index_scan(pending, index, GetActiveSnapshot());
    const bool found = is_due(scan, &keys[0], slot, probe.due) || is_due(scan, &keys[1], slot, probe.due);
    index_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    return found;
}

// An index that was built after rows had changed must not be used by who may see them as they were.
bool is_too_young(Relation index) {
    return index->rd_index->indcheckxmin &&
           !TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), TransactionXmin);
}

bool nothing_due(const Probe& probe, Datum customer) {
    LockRelationOid(probe.pending, AccessShareLock);
    if (!probe.known) return false;  // the lock came with news; the ordinary views are always right
    Relation pending = relation_open(probe.pending, NoLock);
    Relation index = index_open(probe.index, AccessShareLock);
    const bool nothing = !is_too_young(index) && !anything_due(probe, pending, index, customer);
    index_close(index, NoLock);
    relation_close(pending, NoLock);
    return nothing;
}

}  // namespace

const char* name_of(View view, bool stored) {
    if (view == View::none) return nullptr;
    const Names& names = views[static_cast<int>(view)];
    return stored ? names.stored : names.ordinary;
}

bool stored_suffices(const Store& store, View view, Oid key_type, Datum customer) {
    const Probe& probe = probe_of(store, key_type);
    return probe.readable[static_cast<int>(view)] && nothing_due(probe, customer);
}

}  // namespace clientele
