// From the text of an expression to the parser's raw tree. Everything that is not one plain expression ends here.
#include "pg/segment/expression.hpp"

extern "C" {
#include "common/keywords.h"
#include "parser/parse_type.h"
#include "parser/parser.h"
#include "parser/scanner.h"
#include "parser/scansup.h"
}

namespace clientele {
namespace {

// Where a comment hides between the parts of a literal that goes on in a next line ('a' -- like here), or -1.
int comment_in_literal(const char* text, int begin, int end) {
    int at = begin;
    while (at < end && at < begin + 3 && text[at] != '\'') at++;
    if (at == end || text[at] != '\'') return -1;
    const bool backslashes = text[begin] == 'e' || text[begin] == 'E';
    bool inside = true;
    for (at++; at < end; at++) {
        if (text[at] == '\'') {
            inside = !inside;
        } else if (inside && backslashes && text[at] == '\\') {
            at++;
        } else if (!inside && text[at] == '-') {
            return at;
        }
    }
    return -1;
}

[[noreturn]] void refuse_comment(const Expression& expression, int location) {
    refuse(expression, ERRCODE_SYNTAX_ERROR, location, "must not contain a comment", nullptr,
           "Leave it out: the expression is kept as PostgreSQL prints it, without comments.");
}

// Everything between two tokens that is not blank is a comment. The scanner marks the end of the token that it has
// just read with a zero byte in its own copy of the text.
void check_tokens(const Expression& expression) {
    core_yy_extra_type extra;
    core_yyscan_t scanner = scanner_init(expression.text, &extra, &ScanKeywords, ScanKeywordTokens);
    int end = 0;
    for (bool first = true;; first = false) {
        core_YYSTYPE value;
        int location = 0;
        const int token = core_yylex(&value, &location, scanner);
        for (int at = end; at < location; at++) {
            if (!scanner_isspace(expression.text[at])) refuse_comment(expression, at);
        }
        if (token == 0) {
            if (first)
                refuse(expression, ERRCODE_SYNTAX_ERROR, -1, "must not be empty", nullptr, form_hint(expression));
            break;
        }
        if (token == ';') {
            refuse(expression, ERRCODE_SYNTAX_ERROR, location, "must not contain a semicolon", nullptr,
                   form_hint(expression));
        }
        end = location + static_cast<int>(strlen(extra.scanbuf + location));
        const int comment = comment_in_literal(expression.text, location, end);
        if (comment >= 0) refuse_comment(expression, comment);
        CHECK_FOR_INTERRUPTS();
    }
    scanner_finish(scanner);
}

[[noreturn]] void refuse_clause(const Expression& expression, const char* clause, const void* at) {
    refuse(expression, ERRCODE_SYNTAX_ERROR, exprLocation(static_cast<const Node*>(at)), "must be one expression",
           psprintf("It has %s.", clause), form_hint(expression));
}

// The grammar of a bare expression takes all that may stand after SELECT, but for set operations.
Node* only_expression(const Expression& expression, const SelectStmt& select) {
    if (select.distinctClause) refuse_clause(expression, "a DISTINCT clause", select.targetList);
    if (list_length(select.targetList) > 1) {
        refuse_clause(expression, "several expressions, separated by commas", lsecond(select.targetList));
    }
    if (select.fromClause) refuse_clause(expression, "a FROM clause", select.fromClause);
    if (select.whereClause) refuse_clause(expression, "a WHERE clause", select.whereClause);
    if (select.groupClause) refuse_clause(expression, "a GROUP BY clause", select.groupClause);
    if (select.havingClause) refuse_clause(expression, "a HAVING clause", select.havingClause);
    if (select.windowClause) refuse_clause(expression, "a WINDOW clause", select.windowClause);
    if (select.sortClause) refuse_clause(expression, "an ORDER BY clause", select.sortClause);
    if (select.limitOffset) refuse_clause(expression, "an OFFSET clause", select.limitOffset);
    if (select.limitCount) refuse_clause(expression, "a LIMIT clause", select.limitCount);
    if (select.lockingClause) refuse_clause(expression, "a locking clause", nullptr);
    if (select.op != SETOP_NONE || select.valuesLists || select.intoClause || select.withClause || !select.targetList) {
        refuse_clause(expression, "no expression of its own", nullptr);
    }
    auto* target = linitial_node(ResTarget, select.targetList);
    // An unfinished rule ends in one, too: "orders > 3 and".
    if (target->name) refuse_clause(expression, psprintf("an alias, \"%s\", at its end", target->name), target);
    return target->val;
}

void check_column_reference(const Expression& expression, const ColumnRef& column) {
    if (IsA(llast(column.fields), A_Star)) {
        refuse(expression, ERRCODE_INVALID_COLUMN_REFERENCE, column.location, "must not use whole rows", nullptr,
               "Name the columns.");
    }
}

void add_column_types(Expression& expression, const ColumnRef& column) {
    const Oid relation = RelationGetRelid(expression.relation);
    ListCell* cell;
    foreach (cell, column.fields) {
        const AttrNumber number = get_attnum(relation, strVal(lfirst(cell)));
        if (number > 0) add_type(expression, get_atttype(relation, number));
    }
}

// What needs no analysis to be refused, or must not even be analysed; and the literals, as they were written.
bool check_raw(Node* node, void* context) {
    auto& expression = *static_cast<Expression*>(context);
    if (!node) return false;
    check_stack_depth();
    switch (nodeTag(node)) {
        case T_SelectStmt:
        case T_SubLink:
            refuse(expression, ERRCODE_FEATURE_NOT_SUPPORTED, exprLocation(node), "must not contain a subquery",
                   nullptr, "It sees the columns of one row; what it needs from elsewhere has to be a column.");
        case T_ParamRef:
            refuse(expression, ERRCODE_UNDEFINED_PARAMETER, exprLocation(node), "must not contain a parameter", nullptr,
                   "Write the value itself.");
        case T_GroupingFunc:
            refuse(expression, ERRCODE_GROUPING_ERROR, exprLocation(node), "must not contain a grouping operation",
                   nullptr, "It sees the columns of one row.");
        case T_FuncCall:
            if (castNode(FuncCall, node)->over) {
                refuse(expression, ERRCODE_WINDOWING_ERROR, exprLocation(node), "must not contain a window function",
                       nullptr, "It sees the columns of one row.");
            }
            break;
        case T_ColumnRef:
            check_column_reference(expression, *castNode(ColumnRef, node));
            add_column_types(expression, *castNode(ColumnRef, node));
            break;
        case T_TypeName:
            add_type(expression, LookupTypeNameOid(expression.parse, castNode(TypeName, node), true));
            break;
        case T_A_Const: {
            auto* constant = castNode(A_Const, node);
            if (!constant->isnull && IsA(&constant->val, String)) take_literal(expression, constant);
            return false;
        }
        default:
            break;
    }
    return walk_raw_tree(node, check_raw, context);
}

// Those within literals count, too: it is for a hint.
bool closes_its_parentheses(const char* text) {
    int open = 0;
    for (; *text && open >= 0; text++) open += *text == '(' ? 1 : *text == ')' ? -1 : 0;
    return open == 0;
}

// An array literal is split at every comma, also at those between a function's arguments.
void suggest_list_of_strings(void* context) {
    const auto& expression = *static_cast<const Expression*>(context);
    if (!expression.number || geterrcode() != ERRCODE_SYNTAX_ERROR || closes_its_parentheses(expression.text)) return;
    errhint("Its parentheses do not match. Where a feature contains a comma, write a list of strings: %s.",
            "ARRAY['coalesce(aov, 0)', 'orders'], not '{coalesce(aov, 0), orders}'");
}

}  // namespace

Node* parse_expression(Expression& expression) {
    check_tokens(expression);
    ErrorContextCallback callback = {error_context_stack, suggest_list_of_strings, &expression};
    error_context_stack = &callback;
    List* statements = raw_parser(expression.text, RAW_PARSE_PLPGSQL_EXPR);
    error_context_stack = callback.previous;
    auto* select = castNode(SelectStmt, linitial_node(RawStmt, statements)->stmt);
    Node* raw = only_expression(expression, *select);
    check_raw(raw, &expression);
    return raw;
}

}  // namespace clientele
