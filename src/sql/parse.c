#include "sql/parse.h"

#include <pg_query.h>
#include <strings.h>

#include "base/mem.h"
#include "sql/inspect.h"

/* How much stack unpacking may take: about 2 kB a level of the statement's tree. */
enum { UNPACK_STACK = 4 * 1024 * 1024 };

/*
 * protobuf-c unpacks by recursion without a limit; it gives up, orderly, when it gets
 * no memory.
 */
static void *alloc_while_shallow(void *base, size_t size)
{
    const char *here = __builtin_frame_address(0), *top = base;

    return top - here > UNPACK_STACK ? NULL : rt_alloc(size);
}

static void free_one(void *base, void *memory)
{
    (void)base;
    free(memory);
}

PgQuery__ParseResult *rt_parse(const char *sql, size_t len)
{
    ProtobufCAllocator allocator = {.alloc = alloc_while_shallow,
                                    .free = free_one,
                                    .allocator_data = __builtin_frame_address(0)};
    PgQuery__ParseResult *tree = NULL;
    PgQueryProtobufParseResult parsed;
    char *text;

    if (len > RT_INSPECT_MAX)
        return NULL;
    text = rt_strndup(sql, len);
    parsed = pg_query_parse_protobuf(text);
    if (parsed.error == NULL)
        tree = pg_query__parse_result__unpack(&allocator, parsed.parse_tree.len,
                                              (const uint8_t *)parsed.parse_tree.data);
    pg_query_free_protobuf_parse_result(parsed);
    free(text);
    return tree;
}

void rt_parse_free(PgQuery__ParseResult *tree)
{
    ProtobufCAllocator allocator = {.free = free_one};

    pg_query__parse_result__free_unpacked(tree, &allocator);
}

const PgQuery__DefElem *rt_parse_option(PgQuery__Node **options, size_t count,
                                        const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            strcasecmp(options[i]->def_elem->defname, name) == 0)
            return options[i]->def_elem;
    }
    return NULL;
}

bool rt_parse_is_false(const PgQuery__DefElem *option)
{
    const PgQuery__Node *arg = option ? option->arg : NULL;

    if (arg == NULL)
        return false;
    if (arg->node_case == PG_QUERY__NODE__NODE_INTEGER)
        return arg->integer->ival == 0;
    if (arg->node_case == PG_QUERY__NODE__NODE_TYPE_NAME &&
        arg->type_name->n_names == 1) /* an unquoted word */
        arg = arg->type_name->names[0];
    return arg->node_case == PG_QUERY__NODE__NODE_STRING &&
           (strcasecmp(arg->string->sval, "false") == 0 ||
            strcasecmp(arg->string->sval, "off") == 0);
}

bool rt_parse_reindexes_concurrently(const PgQuery__ReindexStmt *reindex)
{
    const PgQuery__DefElem *concurrently =
        rt_parse_option(reindex->params, reindex->n_params, "concurrently");

    return concurrently != NULL && !rt_parse_is_false(concurrently);
}

const PgQuery__AlterTableCmd *
rt_parse_concurrent_detach(const PgQuery__AlterTableStmt *alter)
{
    for (size_t i = 0; i < alter->n_cmds; i++) {
        const PgQuery__AlterTableCmd *cmd = alter->cmds[i]->alter_table_cmd;

        if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition &&
            cmd->def->partition_cmd->concurrent)
            return cmd;
    }
    return NULL;
}
