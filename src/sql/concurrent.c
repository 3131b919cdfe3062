#include "sql/concurrent.h"

#include "sql/parse.h"

static const char *name_of(struct rt_arena *arena, const char *name)
{
    return name[0] ? rt_arena_strdup(arena, name) : NULL;
}

static void put_relation(struct rt_arena *arena, const PgQuery__RangeVar *relation,
                         const char **schema, const char **name)
{
    *schema = name_of(arena, relation->schemaname);
    *name = name_of(arena, relation->relname);
}

static void create_index(struct rt_concurrent *out, struct rt_arena *arena,
                         const PgQuery__IndexStmt *index)
{
    if (!index->concurrent)
        return;
    out->kind = RT_CONCURRENT_CREATE_INDEX;
    put_relation(arena, index->relation, &out->table_schema, &out->table);
    out->schema = out->table_schema;
    out->index = name_of(arena, index->idxname);
    out->if_not_exists = index->if_not_exists;
    out->unique = index->unique;
}

/* The server takes one index; of more it says so itself. */
static void drop_index(struct rt_concurrent *out, struct rt_arena *arena,
                       const PgQuery__DropStmt *drop)
{
    const PgQuery__List *name;

    if (!drop->concurrent || drop->n_objects != 1)
        return;
    name = drop->objects[0]->list;
    out->kind = RT_CONCURRENT_DROP_INDEX;
    out->index = name_of(arena, name->items[name->n_items - 1]->string->sval);
    if (name->n_items > 1)
        out->schema = name_of(arena, name->items[name->n_items - 2]->string->sval);
}

static void reindex(struct rt_concurrent *out, struct rt_arena *arena,
                    const PgQuery__ReindexStmt *stmt)
{
    if (!rt_parse_reindexes_concurrently(stmt))
        return;
    out->kind = RT_CONCURRENT_REINDEX;
    if (stmt->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX)
        put_relation(arena, stmt->relation, &out->schema, &out->index);
    else if (stmt->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE)
        put_relation(arena, stmt->relation, &out->table_schema, &out->table);
}

static void detach(struct rt_concurrent *out, struct rt_arena *arena,
                   const PgQuery__AlterTableStmt *alter)
{
    const PgQuery__AlterTableCmd *cmd = rt_parse_concurrent_detach(alter);

    if (cmd == NULL)
        return;
    out->kind = RT_CONCURRENT_DETACH;
    put_relation(arena, alter->relation, &out->table_schema, &out->table);
    put_relation(arena, cmd->def->partition_cmd->name, &out->partition_schema,
                 &out->partition);
}

void rt_stmt_concurrent(struct rt_concurrent *out, struct rt_arena *arena,
                        const char *sql, size_t len)
{
    PgQuery__ParseResult *tree = rt_parse(sql, len);
    const PgQuery__Node *node = tree && tree->n_stmts == 1 ? tree->stmts[0]->stmt : NULL;

    *out = (struct rt_concurrent){.kind = RT_CONCURRENT_NONE};
    if (node != NULL) {
        switch (node->node_case) {
        case PG_QUERY__NODE__NODE_INDEX_STMT:
            create_index(out, arena, node->index_stmt);
            break;
        case PG_QUERY__NODE__NODE_DROP_STMT:
            drop_index(out, arena, node->drop_stmt);
            break;
        case PG_QUERY__NODE__NODE_REINDEX_STMT:
            reindex(out, arena, node->reindex_stmt);
            break;
        case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
            detach(out, arena, node->alter_table_stmt);
            break;
        case PG_QUERY__NODE__NODE_DO_STMT:
        case PG_QUERY__NODE__NODE_CALL_STMT:
            out->kind = RT_CONCURRENT_CODE;
            break;
        default:
            break;
        }
    }
    rt_parse_free(tree);
}
