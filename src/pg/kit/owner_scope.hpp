// Acting as the owner of a table for a while, as SECURITY DEFINER functions act as theirs. The end of the
// (sub)transaction goes back, too.
#pragma once

#include "pg/kit/postgres.hpp"

extern "C" {
#include "catalog/pg_class.h"
#include "utils/syscache.h"
}

namespace clientele {

// InvalidOid where there is no such table.
inline Oid owner_of(Oid table) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
    if (!HeapTupleIsValid(tuple)) return InvalidOid;
    const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
}

struct Identity {
    Oid user;
    int security;
};

inline Identity current_identity() {
    Identity identity;
    GetUserIdAndSecContext(&identity.user, &identity.security);
    return identity;
}

// Returns who it was until now, for become_again().
inline Identity become_owner(Oid owner) {
    const Identity before = current_identity();
    SetUserIdAndSecContext(owner, before.security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
    return before;
}

inline void become_again(const Identity& before) { SetUserIdAndSecContext(before.user, before.security); }

}  // namespace clientele
