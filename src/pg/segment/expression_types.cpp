// The types of extensions in an expression. Such a type has operators of its own where it lives: without them the
// parser takes its values for something else, as citext for text, and compares them by the rules of that, without a
// word.
#include "pg/segment/expression.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "utils/catcache.h"
#include "utils/syscache.h"
}

namespace clientele {
namespace {

Oid schema_of(Oid type) {
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(tuple)) return InvalidOid;
    const Oid schema = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typnamespace;
    ReleaseSysCache(tuple);
    return schema;
}

// What arrays, ranges and domains are made of: by its rules they are compared.
Oid innermost_type(Oid type) {
    for (;;) {
        type = getBaseType(type);
        Oid part = get_element_type(type);
        if (!OidIsValid(part)) part = get_multirange_range(type);
        if (!OidIsValid(part)) part = get_range_subtype(type);
        if (!OidIsValid(part)) return type;
        type = part;
    }
}

// Of all that a value can come from; whatever else there is has the type of one of these.
bool add_types(Node* node, void* context) {
    if (!node) return false;
    switch (nodeTag(node)) {
        case T_Var:
        case T_Const:
        case T_FuncExpr:
        case T_OpExpr:
        case T_SubscriptingRef:
        case T_FieldSelect:
        case T_RelabelType:
        case T_CoerceViaIO:
        case T_CoerceToDomain:
            add_type(*static_cast<Expression*>(context), exprType(node));
            break;
        default:
            break;
    }
    return walk_tree(node, add_types, context);
}

// ---- Comparisons by the rules of another type ----

// What PostgreSQL has cast by itself, or nothing.
Node* implicitly_cast(Node* node) {
    switch (nodeTag(node)) {
        case T_RelabelType:
            if (castNode(RelabelType, node)->relabelformat != COERCE_IMPLICIT_CAST) return nullptr;
            return reinterpret_cast<Node*>(castNode(RelabelType, node)->arg);
        case T_ArrayCoerceExpr:
            if (castNode(ArrayCoerceExpr, node)->coerceformat != COERCE_IMPLICIT_CAST) return nullptr;
            return reinterpret_cast<Node*>(castNode(ArrayCoerceExpr, node)->arg);
        case T_CoerceViaIO:
            if (castNode(CoerceViaIO, node)->coerceformat != COERCE_IMPLICIT_CAST) return nullptr;
            return reinterpret_cast<Node*>(castNode(CoerceViaIO, node)->arg);
        case T_FuncExpr:
            if (castNode(FuncExpr, node)->funcformat != COERCE_IMPLICIT_CAST) return nullptr;
            return static_cast<Node*>(linitial(castNode(FuncExpr, node)->args));
        default:
            return nullptr;
    }
}

// Whether whoever made the type has made an operator of this name for it, too.
bool has_operator(Oid type, const char* name) {
    const Oid schema = schema_of(type);
    bool found = false;
    CatCList* list = SearchSysCacheList1(OPERNAMENSP, CStringGetDatum(name));
    for (int i = 0; i < list->n_members && !found; i++) {
        const auto* candidate = reinterpret_cast<Form_pg_operator>(GETSTRUCT(&list->members[i]->tuple));
        found = candidate->oprnamespace == schema && (candidate->oprleft == type || candidate->oprright == type);
    }
    ReleaseSysCacheList(list);
    return found;
}

void check_argument(const Expression& expression, Node* argument, const char* name, int location) {
    const Oid as = exprType(argument);
    for (Node* bare = implicitly_cast(argument); bare; bare = implicitly_cast(bare)) {
        const Oid given = exprType(bare);
        const Oid element = get_element_type(given);
        const Oid type = OidIsValid(element) ? element : given;
        if (list_member_oid(fetch_search_path(true), schema_of(type)) || !has_operator(type, name)) continue;
        refuse(expression, ERRCODE_DATATYPE_MISMATCH, location,
               psprintf("must not compare %s as %s", format_type_be(given), format_type_be(as)),
               psprintf("The type has an operator %s of its own, which cannot be used: it belongs to no trusted"
                        " extension, or you may not use its schema.",
                        name),
               psprintf("Where the rules of %s are meant, cast: (...)::%s.", format_type_be(as), format_type_be(as)));
    }
}

void check_arguments(const Expression& expression, List* arguments, Oid op, int location) {
    ListCell* cell;
    foreach (cell, arguments) {
        check_argument(expression, static_cast<Node*>(lfirst(cell)), get_opname(op), location);
    }
}

bool check_node(Node* node, void* context) {
    if (!node) return false;
    const auto& expression = *static_cast<const Expression*>(context);
    switch (nodeTag(node)) {
        case T_OpExpr:
        case T_DistinctExpr:  // both are laid out as OpExpr
        case T_NullIfExpr: {
            const auto* operation = reinterpret_cast<const OpExpr*>(node);
            check_arguments(expression, operation->args, operation->opno, operation->location);
            break;
        }
        case T_ScalarArrayOpExpr: {
            const auto* operation = castNode(ScalarArrayOpExpr, node);
            check_arguments(expression, operation->args, operation->opno, operation->location);
            break;
        }
        case T_RowCompareExpr: {
            const auto* rows = castNode(RowCompareExpr, node);
            check_arguments(expression, rows->largs, linitial_oid(rows->opnos), exprLocation(node));
            check_arguments(expression, rows->rargs, linitial_oid(rows->opnos), exprLocation(node));
            break;
        }
        default:
            break;
    }
    return walk_tree(node, check_node, context);
}

}  // namespace

void add_type(Expression& expression, Oid type) {
    if (!OidIsValid(type)) return;
    type = innermost_type(type);
    const Oid schema = schema_of(type);
    if (!OidIsValid(schema) || list_member_oid(expression.schemas, schema)) return;
    if (origin_of(expression, TypeRelationId, type, schema) != Origin::trusted) return;
    expression.schemas = lappend_oid(expression.schemas, schema);
}

bool add_types_of(Expression& expression, Node* tree) {
    const int known = list_length(expression.schemas);
    add_types(tree, &expression);
    return list_length(expression.schemas) > known;
}

void check_comparisons(const Expression& expression, Node* tree) {
    check_node(tree, const_cast<Expression*>(&expression));
}

}  // namespace clientele
