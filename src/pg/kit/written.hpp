// Short texts that the core writes, as PostgreSQL's.
#pragma once

#include "core/base/text.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/unicode.hpp"

namespace clientele {

// What write(Text&) writes, as a text datum.
template <class Write>
Datum written(const Write& write) {
    char near[1024];
    std::size_t size = 0;
    think([&] {
        Text text(near);
        write(text);
        size = text.size();
    });
    if (size <= sizeof near) return text_datum({near, size});
    if (size > MaxAllocSize - VARHDRSZ) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("the text of an offer would be too long"),
                        errdetail("It would take %zu bytes.", size)));
    }
    char* far = static_cast<char*>(palloc(size));
    think([&] {
        Text text({far, size});
        write(text);
    });
    return text_datum({far, size});
}

}  // namespace clientele
