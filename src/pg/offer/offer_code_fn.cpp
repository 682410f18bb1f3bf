// Codes of offers: src/sql/72-issue.sql says what each function returns.
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/offer/offer_code.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/postgres.hpp"

using namespace clientele;

namespace {

constexpr std::size_t shown_length = code_length + 1;  // with the hyphen

// Random bytes, each given out once. The system is asked for many at a time: it takes as long for a few.
std::span<const std::uint8_t> random_bytes() {
    constexpr std::size_t needed = code_length + 2;
    static std::uint8_t pool[64 * needed];
    static std::size_t used = sizeof pool;
    if (used == sizeof pool) {
        if (!pg_strong_random(pool, sizeof pool)) {
            ereport(ERROR, (errcode(ERRCODE_SYSTEM_ERROR), errmsg("the system gave no random bytes for a code")));
        }
        used = 0;
    }
    used += needed;
    return {pool + used - needed, needed};
}

struct ShownCode {
    char characters[shown_length];
    bool found;
};

void show(const std::optional<std::string>& code, ShownCode& shown) {
    shown.found = code.has_value();
    if (shown.found) std::memcpy(shown.characters, code->data(), shown_length);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_new_code) {
    static_cast<void>(fcinfo);
    ShownCode code{};
    // One code in a thousand needs a second look at the dice.
    while (!code.found) {
        const std::span<const std::uint8_t> bytes = random_bytes();
        think([&] { show(code_from_random(bytes), code); });
    }
    PG_RETURN_TEXT_P(cstring_to_text_with_len(code.characters, shown_length));
}

CLIENTELE_FUNCTION(clientele_canonical_code) {
    const text* typed = PG_GETARG_TEXT_PP(0);
    const std::string_view characters(VARDATA_ANY(typed), VARSIZE_ANY_EXHDR(typed));
    ShownCode code{};
    think([&] { show(canonical_code(characters), code); });
    if (!code.found) PG_RETURN_NULL();
    PG_RETURN_TEXT_P(cstring_to_text_with_len(code.characters, shown_length));
}
