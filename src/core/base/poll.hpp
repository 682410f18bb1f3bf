// Long work that its caller can end.
#pragma once

namespace clientele {

// Called now and then during long work, some thousand steps apart; may throw, to give up.
using Poll = void (*)();
inline void never_give_up() {}

}  // namespace clientele
