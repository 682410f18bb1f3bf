// One SQL expression over the columns of a relation: a segment's rule or a store's order_filter, which are boolean, or
// a feature of learned segments, which is a number. Backend work throughout, so written with PostgreSQL's own data
// structures: an error may leave at any call.
#pragma once

#include "pg/kit/compat.hpp"

extern "C" {
#include "nodes/parsenodes.h"
#include "parser/parse_node.h"
#include "utils/rel.h"
}

namespace clientele {

struct Expression {
    const char* text;     // as the user wrote it: positions point into this
    const char* what;     // what messages call it, such as "segment rule"
    bool immutable_only;  // it must give the same result whoever evaluates it, and whenever
    bool checked;         // it was when it was defined: whose things it uses is not asked again, which reads many files
    bool number;          // it must be a number, and is kept as double precision; otherwise a condition
    Relation relation;    // whose columns it may use
    List* forbidden;      // names (char*) of columns that it may not use
    ParseState* parse;    // knows the text and the relation
    List* literals;       // the string literals (A_Const*) as they were written
    List* trusted;        // OIDs of extensions that were found to be trusted, and of others that were not
    List* untrusted;
    List* schemas;  // OIDs of those where its types' own operators are
};

// Reports what the expression must not be or do; `location` is a byte offset into its text, or -1.
[[noreturn]] void refuse(const Expression& expression, int sqlstate, int location, const char* problem,
                         const char* detail, const char* hint);

// Whether the column is there but must not be used.
bool is_forbidden(const Expression& expression, const char* column);

// What an expression looks like that is accepted.
const char* form_hint(const Expression& expression);

// Where a function, an operator or a type comes from: PostgreSQL itself, clientele, a trusted extension, or elsewhere.
enum class Origin : unsigned char { system, own, trusted, foreign };
Origin origin_of(Expression& expression, Oid catalog, Oid object, Oid schema);

// Remembers where a type's own operators are, if it belongs to a trusted extension; of every type in a tree, and
// whether that was news.
void add_type(Expression& expression, Oid type);
bool add_types_of(Expression& expression, Node* tree);

// Refuses comparisons by the rules of another type where the type's own operators could not be used.
void check_comparisons(const Expression& expression, Node* tree);

// The same expression, with every operator of an extension in a place where it is printed.
Node* spell_out(Node* tree);

// The text as the parser's raw tree: one expression, without comments, sub-selects and parameters; the types that it
// names, and those of its columns, are added.
Node* parse_expression(Expression& expression);

// Takes a string literal out of the raw tree, so that the parser does not make a value of it without being watched; has
// it watched; and puts back those that got no type.
void take_literal(Expression& expression, A_Const* constant);
void watch_literals(Expression& expression);
Node* untyped_literals(Expression& expression, Node* tree);

// Refuses a type of which a text cannot be read without running somebody's code.
void check_read_type(Expression& expression, Oid type, int location);

// Refuses whatever an analysed expression must not use: see expression_check.cpp.
void check_expression(Expression& expression, Node* tree);

// The text in which an analysed expression is kept: unqualified columns, no outer parentheses.
char* deparse_checked(const Expression& expression, Node* tree);

// The same for the body of a function whose parameters are the columns: $1, $2, ...
char* deparse_body(Node* tree);

// The text in which it is shown: without the casts that PostgreSQL inserted, and without needless parentheses.
char* display_expression(const Expression& expression, Node* tree);

// The expressions whose values decide an expression, distinct, in order: deparsed, and as they are shown.
struct Operands {
    List* texts;
    List* labels;
};
Operands expression_operands(const Expression& expression, Node* tree);

}  // namespace clientele
