#include "pg/basket/basket_file.hpp"

extern "C" {
#include "storage/buffile.h"
}

namespace clientele {

struct BasketFile {
    BufFile* file;
    std::uint32_t* words;
    std::size_t room;
};

BasketFile* create_basket_file() {
    auto* file = static_cast<BasketFile*>(palloc0(sizeof(BasketFile)));
    file->room = 1'024;
    file->words = static_cast<std::uint32_t*>(palloc(file->room * sizeof *file->words));
    file->file = BufFileCreateTemp(false);
    return file;
}

void write_baskets(BasketFile& file, std::span<const std::uint32_t> baskets) {
    std::size_t size = baskets.size();
    if (size == 0) return;
    BufFileWrite(file.file, &size, sizeof size);
    BufFileWrite(file.file, const_cast<std::uint32_t*>(baskets.data()), baskets.size_bytes());
}

void rewind_baskets(BasketFile& file) {
    if (BufFileSeek(file.file, 0, 0, SEEK_SET) != 0) {
        ereport(ERROR, (errcode_for_file_access(), errmsg("could not rewind a temporary file")));
    }
}

std::span<const std::uint32_t> read_baskets(BasketFile& file) {
    std::size_t size;
    const std::size_t read = BufFileRead(file.file, &size, sizeof size);
    if (read == 0) return {};
    if (read == sizeof size && size > file.room) {
        file.words = static_cast<std::uint32_t*>(repalloc_huge(file.words, size * sizeof *file.words));
        file.room = size;
    }
    if (read != sizeof size ||
        BufFileRead(file.file, file.words, size * sizeof *file.words) != size * sizeof *file.words) {
        ereport(ERROR, (errcode_for_file_access(), errmsg("a temporary file is too short")));
    }
    return {file.words, size};
}

void close_basket_file(BasketFile* file) {
    BufFileClose(file->file);
    pfree(file->words);
    pfree(file);
}

}  // namespace clientele
