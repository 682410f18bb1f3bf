// String literals. The parser makes a value of one as soon as it has chosen a type for it, by the type's input
// function; that may run the constraints of a domain within it, before anybody could look at what was chosen. So the
// parser finds parameters in their place, and asks us to convert them.
#include "pg/segment/expression.hpp"

extern "C" {
#include "parser/parse_coerce.h"
}

namespace clientele {
namespace {

Node* constant_of(const Expression& expression, const Param& literal) {
    auto* written = static_cast<A_Const*>(list_nth(expression.literals, literal.paramid - 1));
    return reinterpret_cast<Node*>(make_const(expression.parse, written));
}

Node* find_literal(ParseState*, ParamRef* reference) {
    Param* literal = makeNode(Param);
    literal->paramkind = PARAM_EXTERN;
    literal->paramid = reference->number;
    literal->paramtype = UNKNOWNOID;
    literal->paramtypmod = -1;
    literal->location = reference->location;
    return reinterpret_cast<Node*>(literal);
}

Node* convert_literal(ParseState* parse, Param* literal, Oid type, int32 modifier, int location) {
    auto& expression = *static_cast<Expression*>(parse->p_ref_hook_state);
    check_read_type(expression, type, literal->location);
    return coerce_type(parse, constant_of(expression, *literal), UNKNOWNOID, type, modifier, COERCION_IMPLICIT,
                       COERCE_IMPLICIT_CAST, location);
}

Node* put_back(Node* node, void* context) {
    if (!node) return nullptr;
    if (IsA(node, Param)) return constant_of(*static_cast<Expression*>(context), *castNode(Param, node));
    return mutate_tree(node, put_back, context);
}

}  // namespace

void take_literal(Expression& expression, A_Const* constant) {
    expression.literals = lappend(expression.literals, copyObjectImpl(constant));
    static_assert(sizeof(ParamRef) <= sizeof(A_Const));
    const int location = constant->location;
    auto* reference = reinterpret_cast<ParamRef*>(constant);
    reference->type = T_ParamRef;
    reference->number = list_length(expression.literals);
    reference->location = location;
}

void watch_literals(Expression& expression) {
    expression.parse->p_ref_hook_state = &expression;
    expression.parse->p_paramref_hook = find_literal;
    expression.parse->p_coerce_param_hook = convert_literal;
}

Node* untyped_literals(Expression& expression, Node* tree) { return put_back(tree, &expression); }

}  // namespace clientele
