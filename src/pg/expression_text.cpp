// An analysed expression as text again, and its operands: the values that one wants to see to understand its result.
#include "expression.hpp"

extern "C" {
#include "optimizer/optimizer.h"
#include "utils/ruleutils.h"
}

namespace clientele {
namespace {

struct Operands {
    const Expression* expression;
    List* texts;
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

void add_operand(Operands& operands, Node* node) {
    if (!contain_var_clause(node)) return;
    char* text = deparse_checked(*operands.expression, node);
    ListCell* cell;
    foreach (cell, operands.texts) {
        if (strcmp(static_cast<const char*>(lfirst(cell)), text) == 0) return;
    }
    operands.texts = lappend(operands.texts, text);
}

void add_operands(Operands& operands, List* nodes) {
    ListCell* cell;
    foreach (cell, nodes) add_operand(operands, static_cast<Node*>(lfirst(cell)));
}

void collect(Operands& operands, Node* node);

void collect_all(Operands& operands, List* nodes) {
    ListCell* cell;
    foreach (cell, nodes) collect(operands, static_cast<Node*>(lfirst(cell)));
}

void collect_case(Operands& operands, CaseExpr* branches) {
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
void collect(Operands& operands, Node* node) {
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
            add_operands(operands, reinterpret_cast<OpExpr*>(node)->args);
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

}  // namespace

char* deparse_checked(const Expression& expression, Node* tree) {
    List* names =
        deparse_context_for(RelationGetRelationName(expression.relation), RelationGetRelid(expression.relation));
    return without_outer_parentheses(deparse_expression(tree, names, false, false));
}

List* expression_operands(const Expression& expression, Node* tree) {
    Operands operands = {&expression, NIL};
    collect(operands, tree);
    return operands.texts;
}

}  // namespace clientele
