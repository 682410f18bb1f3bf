// What an analysed expression must not use: other rows, the clock, the session, anything volatile, and anything that
// does not come from pg_catalog, clientele or a trusted extension.
#include <algorithm>

#include "pg/kit/query.hpp"
#include "pg/segment/expression.hpp"

extern "C" {
#include "access/sysattr.h"
#include "catalog/dependency.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace clientele {
namespace {

// ---- Where a function, an operator or a type comes from ----

// The server's word on the installed version of an extension, as everybody may read it.
bool lookup_trusted(Oid extension) {
    begin_queries();
    const bool trusted =
        run_query(
            "SELECT 1 FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_available_extension_versions AS v"
            " ON v.name = e.extname AND v.version = e.extversion WHERE e.oid = $1 AND v.trusted",
            {{OIDOID, ObjectIdGetDatum(extension)}}, Reads::as_its_caller, 1) > 0;
    end_queries();
    return trusted;
}

bool is_trusted(Expression& expression, Oid extension) {
    if (list_member_oid(expression.trusted, extension)) return true;
    if (list_member_oid(expression.untrusted, extension)) return false;
    const bool trusted = lookup_trusted(extension);
    List*& known = trusted ? expression.trusted : expression.untrusted;
    known = lappend_oid(known, extension);
    return trusted;
}

// What an extension's script makes is a superuser's. Whoever owns the extension, as after a trusted installation, may
// put things of their own into it: these are still theirs.
bool is_superusers(Oid catalog, Oid object) {
    const int cache = get_object_catcache_oid(catalog);
    HeapTuple tuple = SearchSysCache1(cache, ObjectIdGetDatum(object));
    if (!HeapTupleIsValid(tuple)) return false;
    bool is_null;
    const Datum owner = SysCacheGetAttr(cache, tuple, get_object_attnum_owner(catalog), &is_null);
    const bool result = !is_null && superuser_arg(DatumGetObjectId(owner));
    ReleaseSysCache(tuple);
    return result;
}

}  // namespace

Origin origin_of(Expression& expression, Oid catalog, Oid object, Oid schema) {
    if (schema == PG_CATALOG_NAMESPACE) return Origin::system;
    const Oid extension = getExtensionOfObject(catalog, object);
    if (!OidIsValid(extension) || !is_superusers(catalog, object)) return Origin::foreign;
    if (extension == get_extension_oid("clientele", true)) return Origin::own;
    return expression.checked || is_trusted(expression, extension) ? Origin::trusted : Origin::foreign;
}

namespace {

constexpr const char* allowed_origins =
    "Functions, operators and casts of pg_catalog, of clientele and of trusted extensions can be used.";
constexpr const char* one_row = "It sees the columns of one row.";

const char* clock_hint(const Expression& expression) {
    return expression.immutable_only ? "Its result must not change with the time at which it is asked for."
                                     : "Use the column as_of: the time for which the customer is looked at.";
}

[[noreturn]] void refuse_clock(const Expression& expression, int location, const char* detail) {
    refuse(expression, ERRCODE_INVALID_OBJECT_DEFINITION, location, "must not read the clock", detail,
           clock_hint(expression));
}

[[noreturn]] void refuse_session(const Expression& expression, int location, const char* detail) {
    refuse(expression, ERRCODE_INVALID_OBJECT_DEFINITION, location, "must not depend on the session or the server",
           detail, "Its result must be the same for everybody who asks.");
}

// ---- The clock and the session ----

bool is_clock(Oid function) {
    switch (function) {
        case F_NOW:
        case F_TRANSACTION_TIMESTAMP:
        case F_STATEMENT_TIMESTAMP:
        case F_CLOCK_TIMESTAMP:
        case F_TIMEOFDAY:
        case F_AGE_TIMESTAMP:  // age() with one argument counts from today
        case F_AGE_TIMESTAMPTZ:
        case F_TIMETZ_TIME:  // today's offset of the session's zone
            return true;
        default:
            return false;
    }
}

bool has_prefix(const char* name, const char* prefix) { return strncmp(name, prefix, strlen(prefix)) == 0; }

// Of the server's own functions that are merely STABLE most are so for a time zone or a locale, and those can be used.
// The others read the session, the catalogs or, as table_to_xml does, whole tables; most say so by being unsafe in
// parallel workers or by having no argument.
bool reads_session(Oid function) {
    static const char* const prefixes[] = {"pg_", "has_", "to_reg"};
    static const char* const names[] = {
        "col_description",       "current_setting", "format_type",         "mxid_age",          "obj_description",
        "oidvectortypes",        "regclass",        "row_security_active", "shobj_description", "json_populate_record",
        "jsonb_populate_record", "json_to_record",  "jsonb_to_record"};
    if (func_volatile(function) != PROVOLATILE_STABLE) return false;
    if (get_func_nargs(function) == 0 || func_parallel(function) != PROPARALLEL_SAFE) return true;
    const char* name = get_func_name(function);
    return std::ranges::any_of(prefixes, [&](const char* prefix) { return has_prefix(name, prefix); }) ||
           std::ranges::any_of(names, [&](const char* known) { return strcmp(name, known) == 0; });
}

// Whether a text that becomes a value of this type may say "now".
bool holds_time(Oid type) {
    type = getBaseType(type);
    switch (type) {
        case DATEOID:
        case TIMEOID:
        case TIMETZOID:
        case TIMESTAMPOID:
        case TIMESTAMPTZOID:
            return true;
        default:
            break;
    }
    const Oid element = get_element_type(type);
    if (OidIsValid(element)) return holds_time(element);
    Oid range = get_multirange_range(type);
    if (!OidIsValid(range)) range = type;
    const Oid bound = get_range_subtype(range);
    if (OidIsValid(bound)) return holds_time(bound);
    return type_is_rowtype(type);
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Whether one of the words of a date/time literal stands for the time at which it is read.
const char* clock_word(const char* literal) {
    static const char* const words[] = {"now", "today", "tomorrow", "yesterday"};
    for (const char* at = literal; *at;) {
        if (!is_letter(*at)) {
            at++;
            continue;
        }
        const char* begin = at;
        while (is_letter(*at)) at++;
        for (const char* word : words) {
            const auto length = static_cast<size_t>(at - begin);
            if (strlen(word) == length && pg_strncasecmp(begin, word, length) == 0) return word;
        }
    }
    return nullptr;
}

// 'now'::timestamptz is a constant since it was read: only the literal, which it remembers, tells.
void check_constant(const Expression& expression, const Const& constant) {
    if (constant.constisnull || constant.location < 0 || !holds_time(constant.consttype)) return;
    ListCell* cell;
    foreach (cell, expression.literals) {
        auto* literal = lfirst_node(A_Const, cell);
        if (literal->location != constant.location) continue;
        const char* word = clock_word(strVal(&literal->val));
        if (word) refuse_clock(expression, constant.location, psprintf("The literal says \"%s\".", word));
    }
}

void check_text_cast(const Expression& expression, const CoerceViaIO& cast) {
    if (!holds_time(cast.resulttype)) return;
    refuse(expression, ERRCODE_INVALID_OBJECT_DEFINITION, exprLocation(reinterpret_cast<const Node*>(&cast)),
           psprintf("must not cast a text to %s", format_type_be(cast.resulttype)),
           "What it means depends on the session, and it may say \"now\".",
           "Use to_date or to_timestamp with a format, or a column of the right type.");
}

void check_value_function(const Expression& expression, const SQLValueFunction& function) {
    switch (function.op) {
        case SVFOP_CURRENT_DATE:
        case SVFOP_CURRENT_TIME:
        case SVFOP_CURRENT_TIME_N:
        case SVFOP_CURRENT_TIMESTAMP:
        case SVFOP_CURRENT_TIMESTAMP_N:
        case SVFOP_LOCALTIME:
        case SVFOP_LOCALTIME_N:
        case SVFOP_LOCALTIMESTAMP:
        case SVFOP_LOCALTIMESTAMP_N:
            refuse_clock(expression, function.location, nullptr);
        default:
            refuse_session(expression, function.location, nullptr);
    }
}

// ---- Functions, operators and types ----

struct FunctionUse {
    Expression* expression;
    int location;
};

[[noreturn]] void refuse_function(const FunctionUse& use, Oid function, const char* detail, const char* hint) {
    refuse(*use.expression, ERRCODE_INVALID_OBJECT_DEFINITION, use.location,
           psprintf("must not use function %s", format_procedure(function)), detail, hint);
}

bool takes_cstring(Oid function) {
    Oid* types;
    int count;
    get_func_signature(function, &types, &count);
    for (int i = 0; i < count; i++) {
        if (types[i] == CSTRINGOID || types[i] == INTERNALOID) return true;
    }
    return false;
}

void check_function(const FunctionUse& use, Oid function) {
    const Expression& expression = *use.expression;
    if (is_clock(function)) refuse_clock(expression, use.location, nullptr);
    const Origin origin = origin_of(*use.expression, ProcedureRelationId, function, get_func_namespace(function));
    if (origin == Origin::foreign) {
        refuse_function(use, function, "It belongs to neither pg_catalog nor clientele nor a trusted extension.",
                        allowed_origins);
    }
    const char volatility = func_volatile(function);
    if (volatility == PROVOLATILE_VOLATILE) {
        refuse_function(use, function, "It is VOLATILE: it may give another result each time, or change something.",
                        "Only functions whose result follows from their arguments can be used.");
    }
    if (volatility != PROVOLATILE_IMMUTABLE && origin == Origin::own) {
        refuse_function(use, function, "It reads a store.",
                        "Of clientele's own functions those that are IMMUTABLE can be used.");
    }
    if (origin == Origin::system && reads_session(function)) {
        refuse_session(expression, use.location, psprintf("It uses function %s.", format_procedure(function)));
    }
    if (volatility != PROVOLATILE_IMMUTABLE && expression.immutable_only) {
        refuse_function(
            use, function, "It is not IMMUTABLE: its result may depend on the session, such as on its time zone.",
            "Compare columns with constants of their own type, and name the time zone where one is needed.");
    }
    if (func_parallel(function) != PROPARALLEL_SAFE) {
        refuse_function(use, function, "It is not PARALLEL SAFE.",
                        "Only functions that parallel workers can run can be used.");
    }
}

bool check_function_callback(Oid function, void* context) {
    check_function(*static_cast<const FunctionUse*>(context), function);
    return false;
}

void check_operator(const FunctionUse& use, Oid op) {
    HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(op));
    if (!HeapTupleIsValid(tuple)) return;
    const Oid schema = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple))->oprnamespace;
    ReleaseSysCache(tuple);
    if (origin_of(*use.expression, OperatorRelationId, op, schema) != Origin::foreign) return;
    refuse(*use.expression, ERRCODE_INVALID_OBJECT_DEFINITION, use.location,
           psprintf("must not use operator %s", format_operator(op)),
           "It belongs to neither pg_catalog nor clientele nor a trusted extension.", allowed_origins);
}

bool is_foreign_type(Expression& expression, Oid type) {
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(tuple)) return true;
    const Oid schema = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typnamespace;
    ReleaseSysCache(tuple);
    return origin_of(expression, TypeRelationId, type, schema) == Origin::foreign;
}

void check_domain(const FunctionUse& use, Oid type) {
    if (!is_foreign_type(*use.expression, type)) return;
    refuse(*use.expression, ERRCODE_INVALID_OBJECT_DEFINITION, use.location,
           psprintf("must not cast to domain %s", format_type_be(type)), "Its constraints may run any function.",
           "Cast to the domain's base type.");
}

bool holds_foreign_domain(Expression& expression, Oid type);

bool has_foreign_domain_in_row(Expression& expression, Oid type) {
    TupleDesc row = lookup_rowtype_tupdesc_copy(type, -1);
    for (int i = 0; i < row->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(row, i);
        if (!column->attisdropped && holds_foreign_domain(expression, column->atttypid)) return true;
    }
    return false;
}

// Whether reading a value of this type checks a domain that anybody may have made, however deep within.
bool holds_foreign_domain(Expression& expression, Oid type) {
    check_stack_depth();
    const char kind = get_typtype(type);
    if (kind == TYPTYPE_DOMAIN) {
        if (is_foreign_type(expression, type)) return true;
        return holds_foreign_domain(expression, getBaseType(type));
    }
    if (kind == TYPTYPE_COMPOSITE) return has_foreign_domain_in_row(expression, type);
    if (kind == TYPTYPE_MULTIRANGE) type = get_multirange_range(type);
    const Oid part =
        kind == TYPTYPE_RANGE || kind == TYPTYPE_MULTIRANGE ? get_range_subtype(type) : get_element_type(type);
    return OidIsValid(part) && holds_foreign_domain(expression, part);
}

void check_operators(const FunctionUse& use, const Node* node) {
    switch (nodeTag(node)) {
        case T_OpExpr:
        case T_DistinctExpr:  // both are laid out as OpExpr
        case T_NullIfExpr:
            check_operator(use, reinterpret_cast<const OpExpr*>(node)->opno);
            break;
        case T_ScalarArrayOpExpr:
            check_operator(use, reinterpret_cast<const ScalarArrayOpExpr*>(node)->opno);
            break;
        case T_RowCompareExpr: {
            ListCell* cell;
            foreach (cell, reinterpret_cast<const RowCompareExpr*>(node)->opnos) check_operator(use, lfirst_oid(cell));
            break;
        }
        case T_MinMaxExpr: {
            const Oid compare = lookup_type_cache(exprType(node), TYPECACHE_CMP_PROC)->cmp_proc;
            if (OidIsValid(compare)) check_function(use, compare);
            break;
        }
        default:
            break;
    }
}

// ---- Columns ----

void check_column(const Expression& expression, const Var& column) {
    if (column.varattno == InvalidAttrNumber) {
        refuse(expression, ERRCODE_INVALID_COLUMN_REFERENCE, column.location, "must not use whole rows", nullptr,
               "Name the columns.");
    }
    const char* name = get_attname(RelationGetRelid(expression.relation), column.varattno, false);
    if (column.varattno < 0) {
        refuse(expression, ERRCODE_INVALID_COLUMN_REFERENCE, column.location,
               psprintf("must not use the system column \"%s\"", name), nullptr, "Use the columns that hold data.");
    }
    if (is_forbidden(expression, name)) {
        refuse(expression, ERRCODE_INVALID_COLUMN_REFERENCE, column.location,
               psprintf("must not use the column \"%s\"", name), "That column is what the expression decides.",
               "Use the other columns.");
    }
}

// ---- The tree ----

// Where the node itself stands: for an operator the operator, not its first argument.
int location_of(const Node* node) {
    int location = -1;
    switch (nodeTag(node)) {
        case T_OpExpr:
        case T_DistinctExpr:
        case T_NullIfExpr:
            location = reinterpret_cast<const OpExpr*>(node)->location;
            break;
        case T_ScalarArrayOpExpr:
            location = reinterpret_cast<const ScalarArrayOpExpr*>(node)->location;
            break;
        case T_FuncExpr:
            location = reinterpret_cast<const FuncExpr*>(node)->location;
            break;
        default:
            break;
    }
    return location >= 0 ? location : exprLocation(node);
}

bool returns_set(const Node* node) {
    if (IsA(node, FuncExpr)) return reinterpret_cast<const FuncExpr*>(node)->funcretset;
    return IsA(node, OpExpr) && reinterpret_cast<const OpExpr*>(node)->opretset;
}

bool check_node(Node* node, void* context) {
    if (!node) return false;
    auto& expression = *static_cast<Expression*>(context);
    FunctionUse use = {&expression, location_of(node)};
    switch (nodeTag(node)) {
        case T_Var:
            check_column(expression, *castNode(Var, node));
            break;
        case T_Const:
            check_constant(expression, *castNode(Const, node));
            break;
        case T_Aggref:
            refuse(expression, ERRCODE_GROUPING_ERROR, use.location, "must not contain an aggregate function", nullptr,
                   one_row);
        case T_WindowFunc:
            refuse(expression, ERRCODE_WINDOWING_ERROR, use.location, "must not contain a window function", nullptr,
                   one_row);
        case T_SubLink:
            refuse(expression, ERRCODE_FEATURE_NOT_SUPPORTED, use.location, "must not contain a subquery", nullptr,
                   one_row);
        case T_SQLValueFunction:
            check_value_function(expression, *castNode(SQLValueFunction, node));
            break;
        case T_CoerceViaIO:
            check_text_cast(expression, *castNode(CoerceViaIO, node));
            check_read_type(expression, castNode(CoerceViaIO, node)->resulttype, use.location);
            break;
        case T_CoerceToDomain:
            check_domain(use, castNode(CoerceToDomain, node)->resulttype);
            break;
        default:
            break;
    }
    if (is_json_query(node) && holds_time(exprType(node))) {
        refuse_clock(expression, use.location, "A text in the document may say \"now\".");
    }
    if (returns_set(node)) {
        refuse(expression, ERRCODE_FEATURE_NOT_SUPPORTED, use.location, "must not contain a set-returning function",
               nullptr, "It gives one answer for one row.");
    }
    check_operators(use, node);
    check_functions_in_node(node, check_function_callback, &use);
    if (IsA(node, FuncExpr) && takes_cstring(castNode(FuncExpr, node)->funcid)) {
        refuse_function(use, castNode(FuncExpr, node)->funcid, "It is meant for the server's own use.", "Use a cast.");
    }
    return walk_tree(node, check_node, context);
}

}  // namespace

// A text for a domain is read as one for its base type; check_domain() sees the rest.
void check_read_type(Expression& expression, Oid type, int location) {
    if (!holds_foreign_domain(expression, getBaseType(type))) return;
    refuse(expression, ERRCODE_INVALID_OBJECT_DEFINITION, location,
           psprintf("must not read a text as type %s", format_type_be(type)),
           "It holds a domain, whose constraints may run any function.", "Use a column of that type.");
}

void check_expression(Expression& expression, Node* tree) {
    check_node(tree, &expression);
    // For kinds of nodes that hold no function by name, and those of later versions.
    if (expression.immutable_only ? contain_mutable_functions(tree) : contain_volatile_functions(tree)) {
        refuse(expression, ERRCODE_INVALID_OBJECT_DEFINITION, -1,
               expression.immutable_only ? "must be immutable" : "must not be volatile", nullptr,
               "Only functions whose result follows from their arguments can be used.");
    }
}

}  // namespace clientele
