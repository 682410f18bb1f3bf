// _check_expression: PostgreSQL's own parser and analyser say whether an expression is one that we can keep.
// _kept_expressions, _kept_filter: what generated functions and views hold, which follow whatever the server renames.
#include "pg/kit/row.hpp"
#include "pg/kit/settings_scope.hpp"
#include "pg/segment/expression.hpp"

extern "C" {
#include "access/relation.h"
#include "access/table.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_proc.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
}

using namespace clientele;

void clientele::refuse(const Expression& expression, int sqlstate, int location, const char* problem,
                       const char* detail, const char* hint) {
    ereport(ERROR, (errcode(sqlstate), errmsg("%s %s", expression.what, problem), detail ? errdetail("%s", detail) : 0,
                    errhint("%s", hint), parser_errposition(expression.parse, location)));
    pg_unreachable();
}

bool clientele::is_forbidden(const Expression& expression, const char* column) {
    ListCell* cell;
    foreach (cell, expression.forbidden) {
        if (strcmp(static_cast<const char*>(lfirst(cell)), column) == 0) return true;
    }
    return false;
}

const char* clientele::form_hint(const Expression& expression) {
    if (expression.number) return "Write one number computed from the columns, such as: log1p(total_spent)";
    return expression.immutable_only ? "Write one condition on the columns, such as: status = 'completed'"
                                     : "Write one condition on the columns, such as: orders >= 3 AND aov > 40";
}

namespace {

// Whoever names a column that is not there wants to know which ones are.
void list_columns(const Expression& expression) {
    StringInfoData names;
    initStringInfo(&names);
    const TupleDesc columns = RelationGetDescr(expression.relation);
    for (int i = 0; i < columns->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i);
        const char* name = NameStr(column->attname);
        if (column->attisdropped || is_forbidden(expression, name)) continue;
        appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", quote_identifier(name));
    }
    errdetail("The columns are: %s.", names.data);
    if (expression.immutable_only) return;
    errhint("What else a customers table knows becomes a column by create_store(..., attributes => '{...}').");
}

// Positions that the parser reports point into the statement that was sent; ours point into the expression.
void point_into_expression(void* context) {
    if (geterrcode() == ERRCODE_UNDEFINED_COLUMN) list_columns(*static_cast<const Expression*>(context));
    const int position = geterrposition();
    if (position <= 0) return;
    errposition(0);
    internalerrposition(position);
    internalerrquery(static_cast<const Expression*>(context)->text);
}

void set_locally(const char* setting, const char* value) {
    set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

// Names are looked for where the server's, ours, and those of the expression's types are. Whatever else is there, and
// would be taken for one of these, is refused.
void set_reading_path(const Expression& expression) {
    StringInfoData path;
    initStringInfo(&path);
    appendStringInfoString(&path, "pg_catalog, clientele, ");
    ListCell* cell;
    foreach (cell, expression.schemas) {
        const char* schema = get_namespace_name(lfirst_oid(cell));
        if (schema) appendStringInfo(&path, "%s, ", quote_identifier(schema));
    }
    appendStringInfoString(&path, "pg_temp");
    set_locally("search_path", path.data);
}

// Nothing that the session has set decides what an expression means ...
void fix_reading(const Expression& expression) {
    set_reading_path(expression);
    set_locally("standard_conforming_strings", "on");
    set_locally("transform_null_equals", "off");
}

// ... nor can what is printed be misread by another session.
void fix_printing() {
    set_locally("DateStyle", "ISO");
    set_locally("IntervalStyle", "postgres");
    set_locally("TimeZone", "UTC");
    set_locally("extra_float_digits", "1");
    set_locally("quote_all_identifiers", "off");
    set_locally("standard_conforming_strings", "on");
}

// A parameter of a function has its type's collation, whatever the column's; so a column's own one is spelt out.
Node* keep_collation(Node* node, void* context) {
    if (!node) return nullptr;
    if (IsA(node, Var)) {
        const auto* column = reinterpret_cast<const Var*>(node);
        if (!OidIsValid(column->varcollid) || column->varcollid == get_typcollation(column->vartype)) return node;
        CollateExpr* collated = makeNode(CollateExpr);
        collated->arg = reinterpret_cast<Expr*>(node);
        collated->collOid = column->varcollid;
        collated->location = column->location;
        return reinterpret_cast<Node*>(collated);
    }
    if (IsA(node, CollateExpr) && IsA(reinterpret_cast<const CollateExpr*>(node)->arg, Var)) return node;
    return mutate_tree(node, keep_collation, context);
}

[[noreturn]] void refuse_type(const Expression& expression, Node* tree, const char* wanted, const char* hint) {
    const Oid type = exprType(tree);
    const char* found = type == UNKNOWNOID ? "a literal without a type" : format_type_be(type);
    refuse(expression, ERRCODE_DATATYPE_MISMATCH, exprLocation(tree), psprintf("must be %s, not %s", wanted, found),
           nullptr, hint);
}

Node* as_condition(const Expression& expression, Node* tree) {
    if (getBaseType(exprType(tree)) != BOOLOID) refuse_type(expression, tree, "boolean", form_hint(expression));
    return coerce_to_boolean(expression.parse, tree, expression.what);
}

Node* as_number(const Expression& expression, Node* tree) {
    const Oid type = exprType(tree);
    switch (getBaseType(type)) {
        case INT2OID:
        case INT4OID:
        case INT8OID:
        case NUMERICOID:
        case FLOAT4OID:
            // Spelt out, so that what is kept has this type wherever it is put.
            return coerce_to_target_type(expression.parse, tree, type, FLOAT8OID, -1, COERCION_EXPLICIT,
                                         COERCE_EXPLICIT_CAST, -1);
        case FLOAT8OID:
            return tree;
        case BOOLOID:
            refuse_type(expression, tree, "a number",
                        "A condition becomes one, 0 or 1, by a cast: (children > 0)::int");
        default:
            refuse_type(expression, tree, "a number", form_hint(expression));
    }
}

// Anew as long as it turns out to have types whose operators were not looked at.
Node* transform(Expression& expression, const Node* raw) {
    for (;;) {
        set_reading_path(expression);
        auto* copy = static_cast<Node*>(copyObjectImpl(raw));
        Node* tree = untyped_literals(expression, transformExpr(expression.parse, copy, EXPR_KIND_SELECT_TARGET));
        if (!add_types_of(expression, tree)) return tree;
    }
}

Node* analyse(Expression& expression, const Node* raw) {
    Node* tree = transform(expression, raw);
    check_comparisons(expression, tree);
    tree = spell_out(tree);
    check_expression(expression, tree);
    tree = expression.number ? as_number(expression, tree) : as_condition(expression, tree);
    tree = keep_collation(tree, nullptr);
    assign_expr_collations(expression.parse, tree);
    return tree;
}

void start_parsing(Expression& expression) {
    expression.parse = make_parsestate(nullptr);
    expression.parse->p_sourcetext = expression.text;
    watch_literals(expression);
    ParseNamespaceItem* item =
        addRangeTableEntryForRelation(expression.parse, expression.relation, AccessShareLock, nullptr, false, true);
    addNSItemToQuery(expression.parse, item, true, true, true);
}

// Analysing locks the relation, which is for those who may read it.
void refuse_unreadable(Oid relation) {
    if (pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) == ACLCHECK_OK) return;
    if (pg_attribute_aclcheck_all(relation, GetUserId(), ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK) return;
    aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relation)), get_rel_name(relation));
}

List* name_list(ArrayType* names) {
    Datum* values;
    bool* nulls;
    int count;
    List* list = NIL;
    deconstruct_array(names, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &values, &nulls, &count);
    for (int i = 0; i < count; i++) {
        if (!nulls[i]) list = lappend(list, pstrdup(NameStr(*DatumGetName(values[i]))));
    }
    return list;
}

Datum text_array(List* texts) {
    auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * (list_length(texts) + 1)));
    int count = 0;
    ListCell* cell;
    foreach (cell, texts) values[count++] = CStringGetTextDatum(static_cast<const char*>(lfirst(cell)));
    return PointerGetDatum(construct_array(values, count, TEXTOID, -1, false, TYPALIGN_INT));
}

// The columns that the expression uses, in the relation's order.
Datum used_columns(const Expression& expression, Node* tree) {
    Bitmapset* used = nullptr;
    pull_varattnos(tree, 1, &used);
    const TupleDesc columns = RelationGetDescr(expression.relation);
    auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * (columns->natts + 1)));
    int count = 0;
    for (int i = 0; i < columns->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i);
        if (!bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, used)) continue;
        values[count++] = NameGetDatum(&column->attname);
    }
    return PointerGetDatum(construct_array(values, count, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR));
}

constexpr int described = 6;

void describe(const Expression& expression, Node* tree, Datum* values) {
    const Operands operands = expression_operands(expression, tree);
    values[0] = CStringGetTextDatum(deparse_checked(expression, tree));
    values[1] = text_array(operands.texts);
    values[2] = used_columns(expression, tree);
    values[3] = CStringGetTextDatum(display_expression(expression, tree));
    values[4] = text_array(operands.labels);
    values[5] = CStringGetTextDatum(deparse_body(tree));
}

void check_arguments(FunctionCallInfo fcinfo) {
    static const char* const names[] = {"expression", "relation", "what", "immutable_only", nullptr, "number"};
    for (int i = 1; i < 6; i++) {
        if (!names[i] || !PG_ARGISNULL(i)) continue;
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be NULL", names[i])));
    }
    if (!PG_ARGISNULL(0)) return;
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                    errmsg("%s must not be NULL", text_to_cstring(PG_GETARG_TEXT_PP(2))),
                    errhint("Write an expression over columns.")));
}

// ---- What a generated function holds ----

// The query that is the whole body of an SQL function, as the server keeps it; nothing where there is none.
Query* body_of(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) return nullptr;
    bool is_null;
    const Datum stored = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &is_null);
    auto* body = is_null ? nullptr : static_cast<Node*>(stringToNode(TextDatumGetCString(stored)));
    ReleaseSysCache(tuple);
    if (body && IsA(body, List)) {  // BEGIN ATOMIC: a list of statements, in a list
        List* statements = linitial_node(List, castNode(List, body));
        body = list_length(statements) == 1 ? static_cast<Node*>(linitial(statements)) : nullptr;
    }
    return body && IsA(body, Query) ? castNode(Query, body) : nullptr;
}

// The rows of VALUES, each a list of expressions. PostgreSQL keeps a single one as it does SELECT.
List* rows_of(const Query& query) {
    if (list_length(query.rtable) > 1) return NIL;
    if (query.rtable) return linitial_node(RangeTblEntry, query.rtable)->values_lists;
    if (!query.jointree || query.jointree->quals) return NIL;
    List* row = NIL;
    ListCell* cell;
    foreach (cell, query.targetList) row = lappend(row, lfirst_node(TargetEntry, cell)->expr);
    return row ? list_make1(row) : NIL;
}

struct Columns {
    Relation relation;
    bool fit;
};

// The function's parameters are the relation's first columns, whatever these are called by now.
Node* as_columns(Node* node, void* context) {
    if (!node) return nullptr;
    if (!IsA(node, Param)) return mutate_tree(node, as_columns, context);
    auto& columns = *static_cast<Columns*>(context);
    const auto* parameter = castNode(Param, node);
    const TupleDesc row = RelationGetDescr(columns.relation);
    const int place = parameter->paramid - 1;
    columns.fit = columns.fit && parameter->paramkind == PARAM_EXTERN && place < row->natts &&
                  TupleDescAttr(row, place)->atttypid == parameter->paramtype;
    if (!columns.fit) return node;
    const Form_pg_attribute column = TupleDescAttr(row, place);
    return reinterpret_cast<Node*>(
        makeVar(1, column->attnum, column->atttypid, column->atttypmod, column->attcollation, 0));
}

// The constants before the last column.
Datum keys_of(List* row) {
    List* keys = NIL;
    for (int i = 0; i + 1 < list_length(row); i++) {
        auto* node = static_cast<Node*>(list_nth(row, i));
        if (!IsA(node, Const) || castNode(Const, node)->constisnull) continue;
        Oid output;
        bool is_varlena;
        getTypeOutputInfo(castNode(Const, node)->consttype, &output, &is_varlena);
        keys = lappend(keys, OidOutputFunctionCall(output, castNode(Const, node)->constvalue));
    }
    return text_array(keys);
}

void put_kept(Relation relation, List* row, const ReturnSetInfo& result) {
    Expression expression = {};
    expression.checked = true;
    expression.relation = relation;
    Columns columns = {relation, true};
    Node* tree = as_columns(static_cast<Node*>(llast(row)), &columns);
    if (!columns.fit) return;  // somebody's function in the place of ours
    add_types_of(expression, tree);
    const int settings = begin_settings();
    set_reading_path(expression);
    fix_printing();
    Datum values[1 + described] = {keys_of(row)};
    bool nulls[1 + described] = {};
    describe(expression, tree, values + 1);
    end_settings(settings);
    tuplestore_putvalues(result.setResult, result.setDesc, values, nulls);
}

// What a store's view _order_rows asks of an order beside having a customer, over the columns of the orders; or
// nothing.
Node* filter_of(const Query& query, Oid orders) {
    Node* conditions = query.jointree->quals;
    if (!conditions || !IsA(conditions, BoolExpr) || castNode(BoolExpr, conditions)->boolop != AND_EXPR) return nullptr;
    List* from = query.jointree->fromlist;
    if (list_length(from) != 1 || !IsA(linitial(from), RangeTblRef)) return nullptr;
    const int place = linitial_node(RangeTblRef, from)->rtindex;
    if (rt_fetch(place, query.rtable)->relid != orders) return nullptr;
    List* others = list_copy_tail(castNode(BoolExpr, conditions)->args, 1);
    Node* filter = list_length(others) == 1 ? static_cast<Node*>(linitial(others))
                                            : reinterpret_cast<Node*>(makeBoolExpr(AND_EXPR, others, -1));
    filter = static_cast<Node*>(copyObjectImpl(filter));
    ChangeVarNodes(filter, place, 1, 0);
    return filter;
}

}  // namespace

CLIENTELE_FUNCTION(clientele__kept_filter) {
    Relation view = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
    if (!view) PG_RETURN_NULL();
    const Oid orders = PG_GETARG_OID(1);
    Node* filter = view->rd_rel->relkind == RELKIND_VIEW ? filter_of(*get_view_query(view), orders) : nullptr;
    relation_close(view, AccessShareLock);
    if (!filter) PG_RETURN_NULL();
    Expression expression = {};
    expression.relation = table_open(orders, AccessShareLock);
    const int settings = begin_settings();
    fix_printing();
    const Datum text = CStringGetTextDatum(deparse_checked(expression, filter));
    end_settings(settings);
    table_close(expression.relation, NoLock);
    PG_RETURN_DATUM(text);
}

CLIENTELE_FUNCTION(clientele__kept_expressions) {
    InitMaterializedSRF(fcinfo, 0);
    const Query* query = body_of(PG_GETARG_OID(0));
    if (!query) return 0;
    refuse_unreadable(PG_GETARG_OID(1));
    Relation relation = table_open(PG_GETARG_OID(1), AccessShareLock);
    ListCell* cell;
    foreach (cell, rows_of(*query)) {
        put_kept(relation, lfirst_node(List, cell), *reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo));
        CHECK_FOR_INTERRUPTS();
    }
    table_close(relation, NoLock);
    return 0;
}

CLIENTELE_FUNCTION(clientele__check_expression) {
    check_arguments(fcinfo);
    Expression expression = {};
    expression.text = text_to_cstring(PG_GETARG_TEXT_PP(0));
    expression.what = text_to_cstring(PG_GETARG_TEXT_PP(2));
    expression.immutable_only = PG_GETARG_BOOL(3);
    expression.number = PG_GETARG_BOOL(5);
    expression.forbidden = PG_ARGISNULL(4) ? NIL : name_list(PG_GETARG_ARRAYTYPE_P(4));
    TupleDesc row = result_row_type(fcinfo);

    const int settings = begin_settings();
    fix_reading(expression);
    refuse_unreadable(PG_GETARG_OID(1));
    expression.relation = table_open(PG_GETARG_OID(1), AccessShareLock);
    start_parsing(expression);
    ErrorContextCallback callback = {error_context_stack, point_into_expression, &expression};
    error_context_stack = &callback;
    Node* tree = analyse(expression, parse_expression(expression));
    error_context_stack = callback.previous;

    fix_printing();
    Datum values[described];
    bool nulls[described] = {};
    describe(expression, tree, values);
    table_close(expression.relation, NoLock);
    end_settings(settings);
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row, values, nulls)));
}
