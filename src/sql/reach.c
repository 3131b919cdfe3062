#include "sql/reach.h"

#include <string.h>

#include "sql/parse.h"

#define NODE(name) PG_QUERY__NODE__NODE_##name##_STMT

static bool changes_owner_only(const PgQuery__AlterTableStmt *alter)
{
    for (size_t i = 0; i < alter->n_cmds; i++) {
        if (alter->cmds[i]->alter_table_cmd->subtype !=
            PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner)
            return false;
    }
    return true;
}

/* Whose rights the statements that follow have; a copy's belong to who made it. */
static bool sets_role(const PgQuery__VariableSetStmt *set)
{
    return set->name && (strcmp(set->name, "role") == 0 ||
                         strcmp(set->name, "session_authorization") == 0);
}

static enum rt_reach reach_of_drop(const PgQuery__DropStmt *drop)
{
    switch (drop->remove_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_PUBLICATION:
        return RT_REACH_AROUND;
    case PG_QUERY__OBJECT_TYPE__OBJECT_FDW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_SERVER:
        return RT_REACH_OUTSIDE;
    default:
        return RT_REACH_COPY;
    }
}

static enum rt_reach reach_of(const PgQuery__Node *node)
{
    switch (node->node_case) {
    case NODE(GRANT):
    case NODE(GRANT_ROLE):
    case NODE(ALTER_DEFAULT_PRIVILEGES):
    case NODE(ALTER_OWNER):
    case NODE(REASSIGN_OWNED):
    case NODE(CREATE_ROLE):
    case NODE(ALTER_ROLE):
    case NODE(ALTER_ROLE_SET):
    case NODE(DROP_ROLE):
    case NODE(SEC_LABEL):
    case NODE(CREATE_PUBLICATION):
    case NODE(ALTER_PUBLICATION):
    case NODE(CREATE_SUBSCRIPTION):
    case NODE(ALTER_SUBSCRIPTION):
    case NODE(DROP_SUBSCRIPTION):
    case NODE(CREATEDB):
    case NODE(ALTER_DATABASE):
    case NODE(ALTER_DATABASE_SET):
    case NODE(DROPDB):
    case NODE(CREATE_TABLE_SPACE):
    case NODE(ALTER_TABLE_SPACE_OPTIONS):
    case NODE(DROP_TABLE_SPACE):
    case NODE(ALTER_SYSTEM):
        return RT_REACH_AROUND;
    case NODE(ALTER_TABLE):
        return changes_owner_only(node->alter_table_stmt) ? RT_REACH_AROUND
                                                          : RT_REACH_COPY;
    case NODE(VARIABLE_SET):
        return sets_role(node->variable_set_stmt) ? RT_REACH_AROUND : RT_REACH_COPY;
    case NODE(DROP):
        return reach_of_drop(node->drop_stmt);
    case NODE(COPY):
        return node->copy_stmt->filename[0] ? RT_REACH_OUTSIDE : RT_REACH_COPY;
    case NODE(CREATE_EXTENSION):
        return strcmp(node->create_extension_stmt->extname, "dblink") == 0
                   ? RT_REACH_OUTSIDE
                   : RT_REACH_COPY;
    case NODE(DROP_OWNED):
    case NODE(LOAD):
    case NODE(CREATE_FDW):
    case NODE(ALTER_FDW):
    case NODE(CREATE_FOREIGN_SERVER):
    case NODE(ALTER_FOREIGN_SERVER):
    case NODE(CREATE_USER_MAPPING):
    case NODE(ALTER_USER_MAPPING):
    case NODE(DROP_USER_MAPPING):
    case NODE(CREATE_FOREIGN_TABLE):
    case NODE(IMPORT_FOREIGN_SCHEMA):
        return RT_REACH_OUTSIDE;
    default:
        return RT_REACH_COPY;
    }
}

enum rt_reach rt_stmt_reach(const char *sql, size_t len)
{
    PgQuery__ParseResult *tree = rt_parse(sql, len);
    enum rt_reach reach = RT_REACH_COPY;

    if (tree && tree->n_stmts == 1)
        reach = reach_of(tree->stmts[0]->stmt);
    rt_parse_free(tree);
    return reach;
}
