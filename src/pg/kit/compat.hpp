// What differs between PostgreSQL's versions, and nothing else: no other file asks which one it is.
#pragma once

#include "pg/kit/postgres.hpp"

extern "C" {
#include "access/genam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/snapshot.h"
}

namespace clientele {

// ---- Rows and indexes ----

inline MinimalTuple form_minimal_tuple(TupleDesc columns, Datum* values, bool* nulls) {
#if PG_VERSION_NUM >= 180000
    return heap_form_minimal_tuple(columns, values, nulls, 0);
#else
    return heap_form_minimal_tuple(columns, values, nulls);
#endif
}

// A scan of an index with one key.
inline IndexScanDesc begin_index_scan(Relation table, Relation index, Snapshot snapshot) {
#if PG_VERSION_NUM >= 180000
    return index_beginscan(table, index, snapshot, nullptr, 1, 0);
#else
    return index_beginscan(table, index, snapshot, 1, 0);
#endif
}

inline void end_index_inserts(Relation index, IndexInfo* info) {
#if PG_VERSION_NUM >= 170000
    index_insert_cleanup(index, info);
#else
    static_cast<void>(index);
    static_cast<void>(info);
#endif
}

// ---- Rights of the current user ----

inline bool may_execute(Oid function) {
#if PG_VERSION_NUM >= 160000
    return object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK;
#else
    return pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK;
#endif
}

inline bool may_use_schema(Oid schema) {
#if PG_VERSION_NUM >= 160000
    return object_aclcheck(NamespaceRelationId, schema, GetUserId(), ACL_USAGE) == ACLCHECK_OK;
#else
    return pg_namespace_aclcheck(schema, GetUserId(), ACL_USAGE) == ACLCHECK_OK;
#endif
}

inline bool owns_schema(Oid schema) {
#if PG_VERSION_NUM >= 160000
    return object_ownercheck(NamespaceRelationId, schema, GetUserId());
#else
    return pg_namespace_ownercheck(schema, GetUserId());
#endif
}

inline bool owns_table(Oid table) {
#if PG_VERSION_NUM >= 160000
    return object_ownercheck(RelationRelationId, table, GetUserId());
#else
    return pg_class_ownercheck(table, GetUserId());
#endif
}

// ---- What backends do ----

inline const PgBackendStatus& backend_status(int number) {
#if PG_VERSION_NUM >= 160000
    return pgstat_get_local_beentry_by_index(number)->backendStatus;
#else
    return pgstat_fetch_stat_local_beentry(number)->backendStatus;
#endif
}

// ---- Trees of expressions ----

// JSON_VALUE() and its like.
inline bool is_json_query(const Node* node) {
#if PG_VERSION_NUM >= 170000
    return IsA(node, JsonExpr);
#else
    static_cast<void>(node);
    return false;
#endif
}

using TreeWalker = bool (*)(Node*, void*);
using TreeMutator = Node* (*)(Node*, void*);

// PostgreSQL 15 declares its walkers' callbacks without arguments, which C++ takes at its word.
#if PG_VERSION_NUM >= 160000
inline bool walk_tree(Node* node, TreeWalker walker, void* context) {
    return expression_tree_walker(node, walker, context);
}
inline bool walk_raw_tree(Node* node, TreeWalker walker, void* context) {
    return raw_expression_tree_walker(node, walker, context);
}
inline Node* mutate_tree(Node* node, TreeMutator mutator, void* context) {
    return expression_tree_mutator(node, mutator, context);
}
#else
using AnyFunction = void (*)();
inline bool walk_tree(Node* node, TreeWalker walker, void* context) {
    return expression_tree_walker(node, reinterpret_cast<bool (*)()>(reinterpret_cast<AnyFunction>(walker)), context);
}
inline bool walk_raw_tree(Node* node, TreeWalker walker, void* context) {
    return raw_expression_tree_walker(node, reinterpret_cast<bool (*)()>(reinterpret_cast<AnyFunction>(walker)),
                                      context);
}
inline Node* mutate_tree(Node* node, TreeMutator mutator, void* context) {
    return expression_tree_mutator(node, reinterpret_cast<Node* (*)()>(reinterpret_cast<AnyFunction>(mutator)),
                                   context);
}
#endif

}  // namespace clientele
