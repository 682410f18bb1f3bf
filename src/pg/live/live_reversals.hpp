// Live stores: which redemptions a statement on the orders ends, because the order is gone, is somebody else's, or does
// not reach the threshold any more.
#pragma once

#include "pg/live/live_source.hpp"

namespace clientele {

constexpr int reversal_width = 2;  // the columns of the table "reversals"

// Whether the store ever had a redemption: where it had none, a statement costs no more than this. Waits for nobody.
// Also where the ledger is not what it was created as: find_reversals() raises an ERROR then.
bool has_redemptions(LiveSource& source);

// The table "reversals", locked and found to take rows.
Relation open_reversals(const LiveSource& source);

// Calls note(context, exposure_id) for each redemption that the statement ends. Reads the transition tables and the
// ledger; after TRUNCATE the orders that are left.
void find_reversals(const LiveSource& source, const TriggerData& trigger, TimestampTz now,
                    void (*note)(void* context, Datum exposure), void* context);

}  // namespace clientele
