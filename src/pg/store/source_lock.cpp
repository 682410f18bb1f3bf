#include "pg/store/source_lock.hpp"

extern "C" {
#include "executor/spi.h"
#include "storage/lmgr.h"
}

namespace clientele {
namespace {

List* sources_of(const Store& store) {
    MemoryContext caller = CurrentMemoryContext;
    const Oid types[] = {NAMEOID};
    const Datum values[] = {DirectFunctionCall1(namein, CStringGetDatum(schema_name(store.schema)))};
    const int result = SPI_execute_with_args("SELECT clientele._sources($1)", 1, const_cast<Oid*>(types),
                                             const_cast<Datum*>(values), nullptr, false, 0);
    if (result != SPI_OK_SELECT) elog(ERROR, "could not list a store's orders: %s", SPI_result_code_string(result));
    MemoryContext spi = MemoryContextSwitchTo(caller);
    List* sources = NIL;
    for (uint64 row = 0; row < SPI_processed; ++row) {
        bool is_null;
        const Datum table = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &is_null);
        sources = lappend_oid(sources, DatumGetObjectId(table));
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
    SPI_connect();
    share_sources(store, false);
    SPI_finish();
    PG_RETURN_VOID();
}
