// Comparisons that PostgreSQL prints without their operator: IS DISTINCT FROM, NULLIF, CASE x WHEN, and rows. Read
// again, by us or from a dump, they would mean whatever = means there. So where the operator is an extension's, they
// are spelt out by ones that are printed with it.
#include "pg/segment/expression.hpp"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "nodes/makefuncs.h"
#include "utils/syscache.h"
}

namespace clientele {
namespace {

Expr* as_expression(void* node) { return static_cast<Expr*>(node); }

bool is_foreign_to_catalog(Oid op) {
    HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(op));
    if (!HeapTupleIsValid(tuple)) return false;
    const Oid schema = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple))->oprnamespace;
    ReleaseSysCache(tuple);
    return schema != PG_CATALOG_NAMESPACE;
}

Node* make_operation(Oid op, void* left, void* right, int location) {
    auto* operation = castNode(OpExpr, make_opclause(op, BOOLOID, false, as_expression(copyObjectImpl(left)),
                                                     as_expression(copyObjectImpl(right)), InvalidOid, InvalidOid));
    set_opfuncid(operation);
    operation->location = location;
    return reinterpret_cast<Node*>(operation);
}

Node* operation_of(const OpExpr* comparison) {
    return make_operation(comparison->opno, linitial(comparison->args), lsecond(comparison->args),
                          comparison->location);
}

Node* make_logic(BoolExprType kind, List* arguments, int location) {
    return reinterpret_cast<Node*>(makeBoolExpr(kind, arguments, location));
}

Node* make_is_null(void* argument) {
    NullTest* test = makeNode(NullTest);
    test->arg = as_expression(copyObjectImpl(argument));
    test->nulltesttype = IS_NULL;
    test->location = -1;
    return reinterpret_cast<Node*>(test);
}

bool is_value(const void* node) { return IsA(node, Const) && !static_cast<const Const*>(node)->constisnull; }

// a IS DISTINCT FROM b: equality is not true, nor are both NULL.
Node* spell_distinct(const OpExpr* comparison) {
    Node* equal = operation_of(comparison);
    if (is_value(linitial(comparison->args)) || is_value(lsecond(comparison->args))) {
        BooleanTest* test = makeNode(BooleanTest);
        test->arg = as_expression(equal);
        test->booltesttype = IS_NOT_TRUE;
        test->location = comparison->location;
        return reinterpret_cast<Node*>(test);
    }
    CoalesceExpr* same = makeNode(CoalesceExpr);
    same->coalescetype = BOOLOID;
    same->args = list_make2(
        equal,
        make_logic(AND_EXPR,
                   list_make2(make_is_null(linitial(comparison->args)), make_is_null(lsecond(comparison->args))), -1));
    same->location = comparison->location;
    return make_logic(NOT_EXPR, list_make1(same), comparison->location);
}

// NULLIF(a, b): NULL where they are equal, else a.
Node* spell_nullif(const OpExpr* comparison) {
    auto* value = static_cast<Node*>(linitial(comparison->args));
    CaseWhen* equal = makeNode(CaseWhen);
    equal->expr = as_expression(operation_of(comparison));
    equal->result = as_expression(makeNullConst(exprType(value), exprTypmod(value), InvalidOid));
    equal->location = -1;
    CaseExpr* choice = makeNode(CaseExpr);
    choice->casetype = exprType(value);
    choice->args = list_make1(equal);
    choice->defresult = as_expression(copyObjectImpl(value));
    choice->location = comparison->location;
    return reinterpret_cast<Node*>(choice);
}

// ROW(a, b) < ROW(c, d): a < c OR a = c AND b < d.
Node* spell_rows(const RowCompareExpr* rows, int place, int location) {
    void* left = list_nth(rows->largs, place);
    void* right = list_nth(rows->rargs, place);
    const Oid op = list_nth_oid(rows->opnos, place);
    if (place + 1 == list_length(rows->opnos)) return make_operation(op, left, right, location);
    const Oid family = list_nth_oid(rows->opfamilies, place);
    int strategy;
    Oid left_type, right_type;
    get_op_opfamily_properties(op, family, false, &strategy, &left_type, &right_type);
    const int16 strict = strategy <= BTLessEqualStrategyNumber ? BTLessStrategyNumber : BTGreaterStrategyNumber;
    const Oid beyond = get_opfamily_member(family, left_type, right_type, strict);
    const Oid equal = get_opfamily_member(family, left_type, right_type, BTEqualStrategyNumber);
    Node* tie = make_logic(
        AND_EXPR, list_make2(make_operation(equal, left, right, location), spell_rows(rows, place + 1, location)),
        location);
    return make_logic(OR_EXPR, list_make2(make_operation(beyond, left, right, location), tie), location);
}

Node* put_case_value(Node* node, void* value) {
    if (!node) return nullptr;
    if (IsA(node, CaseTestExpr)) return static_cast<Node*>(copyObjectImpl(value));
    return mutate_tree(node, put_case_value, value);
}

// CASE x WHEN y THEN ...: CASE WHEN x = y THEN ...
void spell_case(CaseExpr* choice) {
    bool spelt = false;
    ListCell* cell;
    foreach (cell, choice->args) {
        auto* when = reinterpret_cast<Node*>(lfirst_node(CaseWhen, cell)->expr);
        spelt = spelt || (IsA(when, OpExpr) && is_foreign_to_catalog(castNode(OpExpr, when)->opno));
    }
    if (!choice->arg || !spelt) return;
    foreach (cell, choice->args) {
        // The value stands on the left; what is on the right may be a CASE with a value of its own.
        auto* when = castNode(OpExpr, reinterpret_cast<Node*>(lfirst_node(CaseWhen, cell)->expr));
        ListCell* left = list_head(when->args);
        lfirst(left) = put_case_value(static_cast<Node*>(lfirst(left)), choice->arg);
    }
    choice->arg = nullptr;
}

Node* spell(Node* node, void* context) {
    if (!node) return nullptr;
    node = mutate_tree(node, spell, context);
    switch (nodeTag(node)) {
        case T_DistinctExpr:
        case T_NullIfExpr: {
            const auto* comparison = reinterpret_cast<const OpExpr*>(node);
            if (!is_foreign_to_catalog(comparison->opno)) return node;
            return IsA(node, DistinctExpr) ? spell_distinct(comparison) : spell_nullif(comparison);
        }
        case T_RowCompareExpr: {
            const auto* rows = castNode(RowCompareExpr, node);
            ListCell* cell;
            foreach (cell, rows->opnos) {
                if (is_foreign_to_catalog(lfirst_oid(cell))) return spell_rows(rows, 0, exprLocation(node));
            }
            return node;
        }
        case T_CaseExpr:
            spell_case(castNode(CaseExpr, node));
            return node;
        default:
            return node;
    }
}

}  // namespace

Node* spell_out(Node* tree) { return spell(tree, nullptr); }

}  // namespace clientele
