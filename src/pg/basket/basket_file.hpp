// Baskets in a temporary file, which is read from its beginning as often as it takes.
#pragma once

#include <cstdint>
#include <span>

#include "pg/kit/postgres.hpp"

namespace clientele {

struct BasketFile;

// In the current memory context; it goes with the resource owner, at the latest.
BasketFile* create_basket_file();

void write_baskets(BasketFile& file, std::span<const std::uint32_t> baskets);

void rewind_baskets(BasketFile& file);

// What was written at once; nothing at the end. Valid until the next call.
std::span<const std::uint32_t> read_baskets(BasketFile& file);

void close_basket_file(BasketFile* file);

}  // namespace clientele
