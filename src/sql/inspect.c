#include "sql/inspect.h"

#include <pg_query.h>
#include <pg_query.pb-c.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "sql/scan.h"
#include "sql/tag.h"

#define NODE(name) PG_QUERY__NODE__NODE_##name##_STMT

/* How much stack unpacking may take: about 2 kB a level of the statement's tree. */
enum { UNPACK_STACK = 4 * 1024 * 1024 };

static const PgQuery__DefElem *find_option(PgQuery__Node **options, size_t count,
                                           const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            strcasecmp(options[i]->def_elem->defname, name) == 0)
            return options[i]->def_elem;
    }
    return NULL;
}

/* The option's value reads as false; a missing option or value is not false. */
static bool is_false(const PgQuery__DefElem *option)
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

static bool detaches_concurrently(const PgQuery__AlterTableStmt *alter)
{
    for (size_t i = 0; i < alter->n_cmds; i++) {
        const PgQuery__AlterTableCmd *cmd = alter->cmds[i]->alter_table_cmd;

        if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition &&
            cmd->def->partition_cmd->concurrent)
            return true;
    }
    return false;
}

/* REINDEX of a partitioned table or index is not known from the text alone. */
static bool reindex_refuses(const PgQuery__ReindexStmt *reindex)
{
    const PgQuery__DefElem *concurrently =
        find_option(reindex->params, reindex->n_params, "concurrently");

    return (concurrently != NULL && !is_false(concurrently)) ||
           (reindex->kind != PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX &&
            reindex->kind != PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE);
}

static bool create_subscription_refuses(const PgQuery__CreateSubscriptionStmt *create)
{
    return !is_false(find_option(create->options, create->n_options, "create_slot")) &&
           !is_false(find_option(create->options, create->n_options, "connect"));
}

static bool alter_subscription_refuses(const PgQuery__AlterSubscriptionStmt *alter)
{
    return alter->kind == PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_REFRESH ||
           (alter->n_publication > 0 &&
            !is_false(find_option(alter->options, alter->n_options, "refresh")));
}

/* The callers of PreventInTransactionBlock in the server. */
static bool refuses_transaction(const PgQuery__Node *node)
{
    switch (node->node_case) {
    case NODE(CREATEDB):
    case NODE(DROPDB):
    case NODE(CREATE_TABLE_SPACE):
    case NODE(DROP_TABLE_SPACE):
    case NODE(ALTER_SYSTEM):
    case NODE(DROP_SUBSCRIPTION):
        return true;
    case NODE(INDEX):
        return node->index_stmt->concurrent;
    case NODE(DROP):
        return node->drop_stmt->concurrent;
    case NODE(REINDEX):
        return reindex_refuses(node->reindex_stmt);
    case NODE(VACUUM):
        return node->vacuum_stmt->is_vacuumcmd;
    case NODE(CLUSTER):
        return node->cluster_stmt->relation == NULL;
    case NODE(DISCARD):
        return node->discard_stmt->target == PG_QUERY__DISCARD_MODE__DISCARD_ALL;
    case NODE(ALTER_TABLE):
        return detaches_concurrently(node->alter_table_stmt);
    case NODE(ALTER_DATABASE):
        return find_option(node->alter_database_stmt->options,
                           node->alter_database_stmt->n_options, "tablespace") != NULL;
    case NODE(CREATE_SUBSCRIPTION):
        return create_subscription_refuses(node->create_subscription_stmt);
    case NODE(ALTER_SUBSCRIPTION):
        return alter_subscription_refuses(node->alter_subscription_stmt);
    default:
        return false;
    }
}

static enum rt_stmt_class transaction_class(const PgQuery__TransactionStmt *tx)
{
    switch (tx->kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START:
        return tx->n_options == 0 ? RT_CLASS_BEGIN : RT_CLASS_TX;
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
        return tx->chain ? RT_CLASS_TX : RT_CLASS_COMMIT;
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
        return RT_CLASS_PLAIN;
    default:
        return RT_CLASS_TX;
    }
}

/* psql follows this setting when it cuts what comes later; we take it to be on. */
static bool changes_strings(const PgQuery__VariableSetStmt *set)
{
    const PgQuery__AConst *value;

    if (set->kind != PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE ||
        strcasecmp(set->name, "standard_conforming_strings") != 0)
        return false;
    if (set->n_args != 1 || set->args[0]->node_case != PG_QUERY__NODE__NODE_A_CONST)
        return true;
    value = set->args[0]->a_const;
    return value->val_case != PG_QUERY__A__CONST__VAL_SVAL ||
           (strcasecmp(value->sval->sval, "on") != 0 &&
            strcasecmp(value->sval->sval, "true") != 0);
}

static enum rt_stmt_class setting_class(const PgQuery__VariableSetStmt *set)
{
    if (set->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_MULTI &&
        strncmp(set->name, "TRANSACTION", 11) == 0)
        return RT_CLASS_TX;
    if (set->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL)
        return RT_CLASS_RESET_ALL;
    return changes_strings(set) ? RT_CLASS_STRINGS : RT_CLASS_PLAIN;
}

static enum rt_stmt_class class_of(const PgQuery__Node *node)
{
    if (node->node_case == NODE(TRANSACTION))
        return transaction_class(node->transaction_stmt);
    if (node->node_case == NODE(VARIABLE_SET))
        return setting_class(node->variable_set_stmt);
    if (node->node_case == NODE(COPY) && !node->copy_stmt->is_from &&
        node->copy_stmt->filename[0] == '\0')
        return RT_CLASS_COPY_OUT;
    return refuses_transaction(node) ? RT_CLASS_NO_TX : RT_CLASS_PLAIN;
}

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

static void inspect_parsed(struct rt_stmt *stmt, const PgQueryProtobuf *tree)
{
    ProtobufCAllocator allocator = {.alloc = alloc_while_shallow,
                                    .free = free_one,
                                    .allocator_data = __builtin_frame_address(0)};
    PgQuery__ParseResult *result = pg_query__parse_result__unpack(
        &allocator, tree->len, (const uint8_t *)tree->data);

    if (result != NULL && result->n_stmts > 0) {
        stmt->stmt_class =
            result->n_stmts > 1 ? RT_CLASS_SEVERAL : class_of(result->stmts[0]->stmt);
        stmt->tag = rt_stmt_tag(result->stmts[0]->stmt);
    }
    pg_query__parse_result__free_unpacked(result, &allocator);
}

/* A statement that was not parsed, or too large for it: its first word may tell enough.
 */
static void inspect_first_word(struct rt_stmt *stmt, const char *text)
{
    static const struct {
        const char *word, *tag;
    } data[] = {
        {"insert", "INSERT"},
        {"update", "UPDATE"},
        {"delete", "DELETE"},
        {"select", "SELECT"},
    };
    static const struct {
        const char *word, *next, *tag; /* next: the second word, NULL for any */
    } control[] = {
        {"begin", NULL, "BEGIN that the parser cannot read"},
        {"start", NULL, "START TRANSACTION that the parser cannot read"},
        {"commit", NULL, "COMMIT that the parser cannot read"},
        {"end", NULL, "END that the parser cannot read"},
        {"rollback", NULL, "ROLLBACK that the parser cannot read"},
        {"abort", NULL, "ABORT that the parser cannot read"},
        {"prepare", "transaction", "PREPARE TRANSACTION that the parser cannot read"},
    };
    struct rt_scan scan = {.text = text, .len = stmt->len}, next;

    if (rt_scan_next(&scan) != RT_TOKEN_WORD)
        return;
    next = scan;
    while (rt_scan_next(&next) == RT_TOKEN_COMMENT)
        ;
    for (size_t i = 0; i < RT_COUNT(control); i++) {
        if (rt_scan_is(&scan, control[i].word) &&
            (control[i].next == NULL || rt_scan_is(&next, control[i].next))) {
            stmt->stmt_class = RT_CLASS_TX;
            stmt->tag = control[i].tag;
        }
    }
    for (size_t i = 0; i < RT_COUNT(data) && stmt->len > RT_INSPECT_MAX; i++) {
        if (rt_scan_is(&scan, data[i].word)) {
            stmt->stmt_class = RT_CLASS_PLAIN;
            stmt->tag = data[i].tag;
        }
    }
}

void rt_script_inspect(struct rt_script *script)
{
    struct rt_str text = {0};

    for (size_t i = 0; i < script->count; i++) {
        struct rt_stmt *stmt = &script->stmts[i];
        PgQueryProtobufParseResult parsed;

        stmt->stmt_class = RT_CLASS_UNPARSED;
        stmt->tag = "SQL";
        if (stmt->kind == RT_STMT_COPY_DATA) {
            stmt->stmt_class = RT_CLASS_PLAIN;
            stmt->tag = "COPY data";
        } else if (stmt->len <= RT_INSPECT_MAX) {
            rt_str_reset(&text);
            rt_str_addn(&text, script->text + stmt->start, stmt->len);
            parsed = pg_query_parse_protobuf(text.data);
            if (parsed.error == NULL)
                inspect_parsed(stmt, &parsed.parse_tree);
            pg_query_free_protobuf_parse_result(parsed);
        }
        if (stmt->stmt_class == RT_CLASS_UNPARSED)
            inspect_first_word(stmt, script->text + stmt->start);
    }
    rt_str_clear(&text);
}
