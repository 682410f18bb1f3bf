#include "pg/kit/boundary.hpp"

#include <exception>
#include <new>
#include <stdexcept>

#include "core/base/error.hpp"

#include "pg/kit/postgres.hpp"

namespace clientele::detail {
namespace {

// Plain memory that outlives the handler: the backend has one thread, and one failure at a time.
struct Failure {
    int sqlstate;
    char message[1024];
    char detail[1024];
    char hint[1024];
};
constinit Failure failure{};

int sqlstate_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::invalid_parameter:
            return ERRCODE_INVALID_PARAMETER_VALUE;
        case ErrorKind::numeric_range:
            return ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
        case ErrorKind::datetime_range:
            return ERRCODE_DATETIME_VALUE_OUT_OF_RANGE;
        case ErrorKind::invalid_text:
            return ERRCODE_INVALID_TEXT_REPRESENTATION;
        case ErrorKind::invalid_binary:
            return ERRCODE_INVALID_BINARY_REPRESENTATION;
        case ErrorKind::data_mismatch:
            return ERRCODE_DATA_EXCEPTION;
    }
    return ERRCODE_INTERNAL_ERROR;
}

void keep(int sqlstate, const char* message, const char* detail = "", const char* hint = "") noexcept {
    failure.sqlstate = sqlstate;
    strlcpy(failure.message, message, sizeof failure.message);
    strlcpy(failure.detail, detail, sizeof failure.detail);
    strlcpy(failure.hint, hint, sizeof failure.hint);
}

// A text that was cut by keep() must not end in half a character.
const char* whole(char* text) {
    text[pg_mbcliplen(text, static_cast<int>(strlen(text)), sizeof failure.message - 1)] = '\0';
    return text;
}

}  // namespace

bool run_caught(void (*body)(void*), void* context) noexcept {
    try {
        body(context);
        return true;
    } catch (const Error& error) {
        keep(sqlstate_of(error.kind), error.what(), error.detail.c_str(), error.hint.c_str());
    } catch (const std::bad_alloc&) {
        keep(ERRCODE_OUT_OF_MEMORY, "out of memory");
    } catch (const std::overflow_error& error) {  // as Boost's distributions and root finders throw them
        keep(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "a number is out of the range that can be computed with",
             error.what());
    } catch (const std::domain_error& error) {
        keep(ERRCODE_INVALID_PARAMETER_VALUE, "a number is out of the range that can be computed with", error.what());
    } catch (const std::exception& error) {
        keep(ERRCODE_INTERNAL_ERROR, error.what());
    } catch (...) {
        keep(ERRCODE_INTERNAL_ERROR, "unknown C++ exception");
    }
    return false;
}

void raise_failure() {
    ereport(ERROR, (errcode(failure.sqlstate), errmsg("%s", whole(failure.message)),
                    failure.detail[0] ? errdetail("%s", whole(failure.detail)) : 0,
                    failure.hint[0] ? errhint("%s", whole(failure.hint)) : 0));
    pg_unreachable();
}

}  // namespace clientele::detail
