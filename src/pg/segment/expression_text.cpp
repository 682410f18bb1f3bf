// An analysed expression as text again: as it is kept, as it is shown, and its operands, the values that one wants to
// see to understand its result.
#include "pg/kit/settings_scope.hpp"
#include "pg/segment/expression.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "nodes/makefuncs.h"
#include "nodes/nodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_oper.h"
#include "utils/fmgrprotos.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
}

namespace clientele {
namespace {

struct Collection {
    const Expression* expression;
    Operands found;
};

// PostgreSQL prints parentheses around every operator; those around the whole are noise.
char* without_outer_parentheses(char* text) {
    const size_t length = strlen(text);
    if (length < 2 || text[0] != '(' || text[length - 1] != ')') return text;
    int depth = 0;
    char quote = '\0';
    for (size_t at = 0; at < length; at++) {
        const char c = text[at];
        if (quote) {
            if (c == quote) quote = '\0';
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '(') {
            depth++;
        } else if (c == ')' && --depth == 0 && at + 1 < length) {
            return text;
        }
    }
    text[length - 1] = '\0';
    return text + 1;
}

// PostgreSQL breaks CASE into lines; literals keep theirs.
char* on_one_line(char* text) {
    char* to = text;
    char quote = '\0';
    for (const char* from = text; *from; from++) {
        if (quote) {
            if (*from == quote) quote = '\0';
        } else if (*from == '\'' || *from == '"') {
            quote = *from;
        } else if (*from == '\n' || *from == ' ') {
            if (to > text && to[-1] != ' ') *to++ = ' ';
            continue;
        }
        *to++ = *from;
    }
    *to = '\0';
    return text;
}

Node* as_written(Node* node, void* context);

// Whether PostgreSQL would insert this cast by itself where it were left out.
bool is_needless_cast(Oid from, Oid to) {
    Oid function;
    return find_coercion_pathway(to, from, COERCION_IMPLICIT, &function) != COERCION_PATH_NONE;
}

// The argument of a needless cast, or of a column's own collation, which keep_collation() spelt out; else nothing.
Node* bare_argument(Node* node) {
    if (IsA(node, FuncExpr)) {
        const auto* call = castNode(FuncExpr, node);
        if (call->funcformat != COERCE_IMPLICIT_CAST && call->funcformat != COERCE_EXPLICIT_CAST) return nullptr;
        if (list_length(call->args) != 1) return nullptr;
        auto* argument = static_cast<Node*>(linitial(call->args));
        return is_needless_cast(exprType(argument), call->funcresulttype) ? argument : nullptr;
    }
    if (IsA(node, RelabelType)) {
        const auto* cast = castNode(RelabelType, node);
        auto* argument = reinterpret_cast<Node*>(cast->arg);
        return is_needless_cast(exprType(argument), cast->resulttype) ? argument : nullptr;
    }
    if (IsA(node, CollateExpr)) {
        auto* argument = reinterpret_cast<Node*>(castNode(CollateExpr, node)->arg);
        const bool own = IsA(argument, Var) && exprCollation(argument) == castNode(CollateExpr, node)->collOid;
        return own ? argument : nullptr;
    }
    return nullptr;
}

// A literal without its type: 'x' for 'x'::text. Numbers and truth values have no quotes anyway.
Node* untyped(Node* node) {
    if (!IsA(node, Const)) return node;
    const auto* literal = castNode(Const, node);
    const TYPCATEGORY category = TypeCategory(literal->consttype);
    if (literal->constisnull || category == TYPCATEGORY_NUMERIC || category == TYPCATEGORY_BOOLEAN) return node;
    Oid output;
    bool is_varlena;
    getTypeOutputInfo(literal->consttype, &output, &is_varlena);
    char* text = OidOutputFunctionCall(output, literal->constvalue);
    return reinterpret_cast<Node*>(makeConst(UNKNOWNOID, -1, InvalidOid, -2, CStringGetDatum(text), false, false));
}

bool means_operator(Oid op, Node* left, Node* right) {
    Operator found = oper(nullptr, list_make1(makeString(get_opname(op))), exprType(left), exprType(right), true, -1);
    const bool same = found && oprid(found) == op;
    if (found) ReleaseSysCache(found);
    return same;
}

// An operator whose literal has the type of the other argument needs no type with it, and no cast that PostgreSQL would
// insert, on both sides or on one; unless its name would then mean another operator.
Node* operator_as_written(OpExpr* operation, void* context) {
    auto* plain = reinterpret_cast<OpExpr*>(mutate_tree(reinterpret_cast<Node*>(operation), as_written, context));
    if (list_length(plain->args) != 2) return reinterpret_cast<Node*>(plain);
    auto* left = static_cast<Node*>(linitial(plain->args));
    auto* right = static_cast<Node*>(lsecond(plain->args));
    if (exprType(left) == exprType(right)) {
        left = untyped(left);
        right = untyped(right);
    }
    auto* full_left = static_cast<Node*>(linitial(operation->args));
    auto* full_right = static_cast<Node*>(lsecond(operation->args));
    Node* const spellings[][2] = {{left, right}, {left, full_right}, {full_left, right}};
    for (const auto& spelling : spellings) {
        if (!means_operator(operation->opno, spelling[0], spelling[1])) continue;
        plain->args = list_make2(spelling[0], spelling[1]);
        return reinterpret_cast<Node*>(plain);
    }
    return reinterpret_cast<Node*>(operation);
}

// The grammar's own functions, such as EXTRACT, are printed from typed literals; AT TIME ZONE is not.
Node* syntax_as_written(FuncExpr* call, void* context) {
    if (strcmp(get_func_name(call->funcid), "timezone") == 0) {
        return mutate_tree(reinterpret_cast<Node*>(call), as_written, context);
    }
    FuncExpr* plain = makeNode(FuncExpr);
    *plain = *call;
    plain->args = NIL;
    ListCell* cell;
    foreach (cell, call->args) {
        auto* argument = static_cast<Node*>(lfirst(cell));
        plain->args = lappend(plain->args, IsA(argument, Const) ? argument : as_written(argument, context));
    }
    return reinterpret_cast<Node*>(plain);
}

// The tree as somebody would have written it.
Node* as_written(Node* node, void* context) {
    if (!node) return nullptr;
    Node* bare = bare_argument(node);
    if (bare) return as_written(bare, context);
    if (IsA(node, OpExpr)) return operator_as_written(castNode(OpExpr, node), context);
    if (IsA(node, FuncExpr) && castNode(FuncExpr, node)->funcformat == COERCE_SQL_SYNTAX) {
        return syntax_as_written(castNode(FuncExpr, node), context);
    }
    if (IsA(node, Const) && castNode(Const, node)->consttype == TEXTOID) return untyped(node);
    return mutate_tree(node, as_written, context);
}

void add_operand(Collection& operands, Node* node) {
    if (!contain_var_clause(node)) return;
    char* text = deparse_checked(*operands.expression, node);
    ListCell* cell;
    foreach (cell, operands.found.texts) {
        if (strcmp(static_cast<const char*>(lfirst(cell)), text) == 0) return;
    }
    operands.found.texts = lappend(operands.found.texts, text);
    operands.found.labels = lappend(operands.found.labels, display_expression(*operands.expression, node));
}

void add_operands(Collection& operands, List* nodes) {
    ListCell* cell;
    foreach (cell, nodes) add_operand(operands, static_cast<Node*>(lfirst(cell)));
}

void collect(Collection& operands, Node* node);

// The features of a rule of learned segments, _nearest_centroid(centroids, scales, ARRAY[feature, ...]) = cluster: they
// say more than the number of the cluster.
List* cluster_features(Node* node) {
    if (!IsA(node, FuncExpr)) return NIL;
    const auto* call = castNode(FuncExpr, node);
    if (list_length(call->args) != 3 || !IsA(lthird(call->args), ArrayExpr)) return NIL;
    if (strcmp(get_func_name(call->funcid), "_nearest_centroid") != 0) return NIL;
    if (get_func_namespace(call->funcid) != get_namespace_oid("clientele", true)) return NIL;
    return lthird_node(ArrayExpr, call->args)->elements;
}

void collect_compared(Collection& operands, List* nodes) {
    ListCell* cell;
    foreach (cell, nodes) {
        auto* node = static_cast<Node*>(lfirst(cell));
        ListCell* feature;
        foreach (feature, cluster_features(node)) {
            auto* number = static_cast<Node*>(lfirst(feature));
            Node* bare = bare_argument(number);
            add_operand(operands, bare ? bare : number);
        }
        if (cluster_features(node) == NIL) add_operand(operands, node);
    }
}

void collect_all(Collection& operands, List* nodes) {
    ListCell* cell;
    foreach (cell, nodes) collect(operands, static_cast<Node*>(lfirst(cell)));
}

void collect_case(Collection& operands, CaseExpr* branches) {
    add_operand(operands, reinterpret_cast<Node*>(branches->arg));
    ListCell* cell;
    foreach (cell, branches->args) {
        auto* branch = lfirst_node(CaseWhen, cell);
        collect(operands, reinterpret_cast<Node*>(branch->expr));
        collect(operands, reinterpret_cast<Node*>(branch->result));
    }
    collect(operands, reinterpret_cast<Node*>(branches->defresult));
}

// Through the logic down to the predicates; of those, the arguments.
void collect(Collection& operands, Node* node) {
    if (!node) return;
    check_stack_depth();
    switch (nodeTag(node)) {
        case T_BoolExpr:
            collect_all(operands, castNode(BoolExpr, node)->args);
            break;
        case T_BooleanTest:
            collect(operands, reinterpret_cast<Node*>(castNode(BooleanTest, node)->arg));
            break;
        case T_CoalesceExpr:
            collect_all(operands, castNode(CoalesceExpr, node)->args);
            break;
        case T_CaseExpr:
            collect_case(operands, castNode(CaseExpr, node));
            break;
        case T_NullTest:
            add_operand(operands, reinterpret_cast<Node*>(castNode(NullTest, node)->arg));
            break;
        case T_OpExpr:
        case T_DistinctExpr:
            collect_compared(operands, reinterpret_cast<OpExpr*>(node)->args);
            break;
        case T_ScalarArrayOpExpr:
            add_operands(operands, castNode(ScalarArrayOpExpr, node)->args);
            break;
        case T_FuncExpr:
            add_operands(operands, castNode(FuncExpr, node)->args);
            break;
        case T_RowCompareExpr:
            add_operands(operands, castNode(RowCompareExpr, node)->largs);
            add_operands(operands, castNode(RowCompareExpr, node)->rargs);
            break;
        default:
            add_operand(operands, node);
    }
}

Node* as_parameters(Node* node, void* context) {
    if (!node) return nullptr;
    if (!IsA(node, Var)) return mutate_tree(node, as_parameters, context);
    const auto* column = castNode(Var, node);
    Param* parameter = makeNode(Param);
    parameter->paramkind = PARAM_EXTERN;
    parameter->paramid = column->varattno;
    parameter->paramtype = column->vartype;
    parameter->paramtypmod = -1;
    parameter->paramcollid = column->varcollid;
    parameter->location = -1;
    return reinterpret_cast<Node*>(parameter);
}

char* deparse_qualified(Node* tree, List* names) {
    const int settings = begin_settings();
    set_safe_path();
    char* text = without_outer_parentheses(deparse_expression(tree, names, false, false));
    end_settings(settings);
    return text;
}

}  // namespace

// As it is kept: all but PostgreSQL's own names is qualified.
char* deparse_checked(const Expression& expression, Node* tree) {
    List* names =
        deparse_context_for(RelationGetRelationName(expression.relation), RelationGetRelid(expression.relation));
    return deparse_qualified(tree, names);
}

char* deparse_body(Node* tree) { return deparse_qualified(as_parameters(tree, nullptr), NIL); }

// Text that nobody parses again, so it may leave out what PostgreSQL inserted.
char* display_expression(const Expression& expression, Node* tree) {
    const Datum stored = CStringGetTextDatum(nodeToString(as_written(tree, nullptr)));
    const Datum relation = ObjectIdGetDatum(RelationGetRelid(expression.relation));
    return on_one_line(TextDatumGetCString(DirectFunctionCall3(pg_get_expr_ext, stored, relation, BoolGetDatum(true))));
}

Operands expression_operands(const Expression& expression, Node* tree) {
    Collection operands = {&expression, {NIL, NIL}};
    collect(operands, tree);
    return operands.found;
}

}  // namespace clientele
