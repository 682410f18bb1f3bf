#include "pg/store/source_lock.hpp"

#include "pg/kit/query.hpp"

extern "C" {
#include "storage/lmgr.h"
}

namespace clientele {
namespace {

List* sources_of(const Store& store) {
    MemoryContext caller = CurrentMemoryContext;
    const std::uint64_t count =
        run_query("SELECT clientele._sources($1)", {{NAMEOID, name_datum(schema_name(store.schema))}});
    MemoryContext spi = MemoryContextSwitchTo(caller);
    List* sources = NIL;
    for (std::uint64_t i = 0; i < count; ++i) {
        sources = lappend_oid(sources, DatumGetObjectId(result_value(i, 1).value));
    }
    MemoryContextSwitchTo(spi);
    return sources;
}

}  // namespace

List* share_sources(const Store& store, bool for_session) {
    List* sources = sources_of(store);
    ListCell* cell;
    foreach (cell, sources) {
        LockRelId table = {lfirst_oid(cell), MyDatabaseId};
        if (for_session) {
            LockRelationIdForSession(&table, AccessShareLock);
        } else {
            LockRelationOid(table.relId, AccessShareLock);
        }
    }
    return sources;
}

void release_sources(const List* sources) {
    ListCell* cell;
    foreach (cell, sources) {
        LockRelId table = {lfirst_oid(cell), MyDatabaseId};
        UnlockRelationIdForSession(&table, AccessShareLock);
    }
}

}  // namespace clientele

using namespace clientele;

CLIENTELE_FUNCTION(clientele_share_sources) {
    const Store store = resolve_store(NameStr(*PG_GETARG_NAME(0)));
    begin_queries();
    share_sources(store, false);
    end_queries();
    PG_RETURN_VOID();
}
