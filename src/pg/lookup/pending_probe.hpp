// Whether a look-up in a live store may do with what is stored.
//
// The views of a live store have a branch for every way in which a customer may have changed, and to start a query over
// them costs three times as much as over the stored profiles. Nearly always nothing is pending for the one customer who
// is looked up: then the store's views _..._stored show the same.
#pragma once

#include "pg/store/store.hpp"

namespace clientele {

// The views that look-ups ask, which there are in both kinds; none: what reads tables of the store alone.
enum class View : int { customers, segments, offer_inputs, none };

const char* name_of(View view, bool stored);

// Whether the view over what is stored shows of this customer, under the active snapshot, what the ordinary one shows,
// to a caller who may read either. Always false where the store is not live: there the ordinary one costs no more. The
// key is of the type that key_type_of() told.
bool stored_suffices(const Store& store, View view, Oid key_type, Datum customer);

}  // namespace clientele
