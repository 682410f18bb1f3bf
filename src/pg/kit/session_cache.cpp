#include "pg/kit/session_cache.hpp"

extern "C" {
#include "utils/inval.h"
}

namespace clientele {
namespace {

using Forget = void (*)(Oid);

void on_relation(Datum forget, Oid relation) { reinterpret_cast<Forget>(DatumGetPointer(forget))(relation); }

void on_catalog(Datum forget, int, uint32) { on_relation(forget, InvalidOid); }

}  // namespace

void watch_catalogs(Forget forget, std::initializer_list<int> caches) {
    const Datum argument = PointerGetDatum(reinterpret_cast<void*>(forget));
    CacheRegisterRelcacheCallback(on_relation, argument);
    for (const int cache : caches) CacheRegisterSyscacheCallback(cache, on_catalog, argument);
}

}  // namespace clientele
