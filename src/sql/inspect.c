#include "sql/inspect.h"

#include <strings.h>

#include "sql/parse.h"
#include "sql/scan.h"
#include "sql/tag.h"

#define NODE(name) PG_QUERY__NODE__NODE_##name##_STMT

/* Of a partitioned table or index the server refuses it, too; the text does not tell. */
static bool reindex_refuses(const PgQuery__ReindexStmt *reindex)
{
    return rt_parse_reindexes_concurrently(reindex) ||
           (reindex->kind != PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX &&
            reindex->kind != PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE);
}

static bool create_subscription_refuses(const PgQuery__CreateSubscriptionStmt *create)
{
    return !rt_parse_is_false(
               rt_parse_option(create->options, create->n_options, "create_slot")) &&
           !rt_parse_is_false(
               rt_parse_option(create->options, create->n_options, "connect"));
}

static bool alter_subscription_refuses(const PgQuery__AlterSubscriptionStmt *alter)
{
    PgQuery__Node **options = alter->options;
    size_t count = alter->n_options;

    return alter->kind == PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_REFRESH ||
           (alter->n_publication > 0 &&
            !rt_parse_is_false(rt_parse_option(options, count, "refresh"))) ||
           rt_parse_option(options, count, "failover") != NULL || /* 17 */
           rt_parse_option(options, count, "two_phase") != NULL;  /* 18 */
}

/*
 * The callers of PreventInTransactionBlock in the server. DROP SUBSCRIPTION refuses only
 * where the subscription has a slot, which the text does not tell: it counts as refusing,
 * because by itself it then runs either way.
 */
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
    case NODE(ALTER_TABLE):
        return rt_parse_concurrent_detach(node->alter_table_stmt) != NULL;
    case NODE(ALTER_DATABASE):
        return rt_parse_option(node->alter_database_stmt->options,
                               node->alter_database_stmt->n_options,
                               "tablespace") != NULL;
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
        return RT_CLASS_IN_TX;
    default:
        return RT_CLASS_TX;
    }
}

static bool is_on(const char *value)
{
    return strcasecmp(value, "on") == 0 || strcasecmp(value, "true") == 0;
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
    return value->val_case != PG_QUERY__A__CONST__VAL_SVAL || !is_on(value->sval->sval);
}

static enum rt_stmt_class setting_class(const PgQuery__VariableSetStmt *set)
{
    if (set->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_MULTI &&
        strncmp(set->name, "TRANSACTION", 11) == 0)
        return RT_CLASS_TX;
    if (set->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL)
        return RT_CLASS_RESET_ALL;
    if (changes_strings(set))
        return RT_CLASS_STRINGS;
    return set->is_local ? RT_CLASS_IN_TX : RT_CLASS_SETTING;
}

static const char *string_const(const PgQuery__Node *node)
{
    const PgQuery__AConst *value =
        node->node_case == PG_QUERY__NODE__NODE_A_CONST ? node->a_const : NULL;

    return value && !value->isnull && value->val_case == PG_QUERY__A__CONST__VAL_SVAL
               ? value->sval->sval
               : NULL;
}

static bool is_bool_const(const PgQuery__Node *node)
{
    return node->node_case == PG_QUERY__NODE__NODE_A_CONST && !node->a_const->isnull &&
           node->a_const->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL;
}

static bool names_set_config(const PgQuery__FuncCall *call)
{
    PgQuery__Node **name = call->funcname;
    size_t n = call->n_funcname;

    return n > 0 && n <= 2 && strcmp(name[n - 1]->string->sval, "set_config") == 0 &&
           (n == 1 || strcmp(name[0]->string->sval, "pg_catalog") == 0);
}

/* [pg_catalog.]set_config('name', 'value', local): another way to write SET. */
static enum rt_stmt_class set_config_class(const PgQuery__Node *target)
{
    const PgQuery__Node *value = target->res_target->val;
    const PgQuery__FuncCall *call =
        value->node_case == PG_QUERY__NODE__NODE_FUNC_CALL ? value->func_call : NULL;
    const char *name, *text;

    if (call == NULL || !names_set_config(call) || call->n_args != 3 ||
        (name = string_const(call->args[0])) == NULL ||
        (text = string_const(call->args[1])) == NULL || !is_bool_const(call->args[2]))
        return RT_CLASS_PLAIN;
    if (strcasecmp(name, "standard_conforming_strings") == 0 && !is_on(text))
        return RT_CLASS_STRINGS;
    return call->args[2]->a_const->boolval->boolval ? RT_CLASS_IN_TX : RT_CLASS_SETTING;
}

/* SELECT of such calls, all of one kind, and of nothing else. */
static enum rt_stmt_class select_class(const PgQuery__SelectStmt *select)
{
    enum rt_stmt_class class = RT_CLASS_PLAIN;

    if (select->n_from_clause || select->where_clause || select->n_target_list == 0 ||
        select->n_group_clause || select->having_clause || select->limit_count ||
        select->limit_offset || select->with_clause || select->into_clause)
        return RT_CLASS_PLAIN;
    for (size_t i = 0; i < select->n_target_list; i++) {
        enum rt_stmt_class one = set_config_class(select->target_list[i]);

        if (i > 0 && one != class)
            return RT_CLASS_PLAIN;
        class = one;
    }
    return class;
}

static enum rt_stmt_class class_of(const PgQuery__Node *node)
{
    enum { CURSOR_WITH_HOLD = 0x20 };

    switch (node->node_case) {
    case NODE(TRANSACTION):
        return transaction_class(node->transaction_stmt);
    case NODE(VARIABLE_SET):
        return setting_class(node->variable_set_stmt);
    case NODE(SELECT):
        return select_class(node->select_stmt);
    case NODE(LOCK):
    case NODE(CONSTRAINTS_SET):
        return RT_CLASS_IN_TX;
    case NODE(DECLARE_CURSOR):
        return node->declare_cursor_stmt->options & CURSOR_WITH_HOLD ? RT_CLASS_PLAIN
                                                                     : RT_CLASS_IN_TX;
    case NODE(DISCARD):
        return node->discard_stmt->target == PG_QUERY__DISCARD_MODE__DISCARD_ALL
                   ? RT_CLASS_RESET_ALL
                   : RT_CLASS_PLAIN;
    case NODE(COPY):
        return node->copy_stmt->is_from || node->copy_stmt->filename[0] != '\0'
                   ? RT_CLASS_PLAIN
                   : RT_CLASS_COPY_OUT;
    default:
        return refuses_transaction(node) ? RT_CLASS_NO_TX : RT_CLASS_PLAIN;
    }
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

static void inspect_stmt(struct rt_stmt *stmt, const char *text)
{
    PgQuery__ParseResult *tree = rt_parse(text, stmt->len);

    stmt->stmt_class = RT_CLASS_UNPARSED;
    stmt->tag = "SQL";
    if (tree != NULL && tree->n_stmts > 0) {
        stmt->stmt_class =
            tree->n_stmts > 1 ? RT_CLASS_SEVERAL : class_of(tree->stmts[0]->stmt);
        stmt->tag = rt_stmt_tag(tree->stmts[0]->stmt);
    }
    rt_parse_free(tree);
    if (stmt->stmt_class == RT_CLASS_UNPARSED)
        inspect_first_word(stmt, text);
}

void rt_script_inspect(struct rt_script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        struct rt_stmt *stmt = &script->stmts[i];

        if (stmt->kind == RT_STMT_COPY_DATA) {
            stmt->stmt_class = RT_CLASS_PLAIN;
            stmt->tag = "COPY data";
        } else {
            inspect_stmt(stmt, script->text + stmt->start);
        }
    }
}
