#include "sql/tag.h"

#include "base/attr.h"

#define NODE(name) PG_QUERY__NODE__NODE_##name##_STMT
#define OBJECT(name, words)                                                    \
    {                                                                          \
        PG_QUERY__OBJECT_TYPE__OBJECT_##name, "CREATE " words, "ALTER " words, \
            "DROP " words                                                      \
    }

static const struct {
    PgQuery__Node__NodeCase node;
    const char *tag;
} by_node[] = {
    {NODE(INSERT), "INSERT"},
    {NODE(UPDATE), "UPDATE"},
    {NODE(DELETE), "DELETE"},
    {NODE(MERGE), "MERGE"},
    {NODE(SELECT), "SELECT"},
    {NODE(COPY), "COPY"},
    {NODE(TRUNCATE), "TRUNCATE TABLE"},
    {NODE(CREATE), "CREATE TABLE"},
    {NODE(CREATE_FOREIGN_TABLE), "CREATE FOREIGN TABLE"},
    {NODE(VIEW), "CREATE VIEW"},
    {NODE(CREATE_SEQ), "CREATE SEQUENCE"},
    {NODE(ALTER_SEQ), "ALTER SEQUENCE"},
    {NODE(CREATE_SCHEMA), "CREATE SCHEMA"},
    {NODE(CREATE_TRIG), "CREATE TRIGGER"},
    {NODE(CREATE_EVENT_TRIG), "CREATE EVENT TRIGGER"},
    {NODE(RULE), "CREATE RULE"},
    {NODE(CREATE_POLICY), "CREATE POLICY"},
    {NODE(ALTER_POLICY), "ALTER POLICY"},
    {NODE(CREATE_DOMAIN), "CREATE DOMAIN"},
    {NODE(ALTER_DOMAIN), "ALTER DOMAIN"},
    {NODE(CREATE_ENUM), "CREATE TYPE"},
    {NODE(CREATE_RANGE), "CREATE TYPE"},
    {NODE(COMPOSITE_TYPE), "CREATE TYPE"},
    {NODE(ALTER_ENUM), "ALTER TYPE"},
    {NODE(ALTER_TYPE), "ALTER TYPE"},
    {NODE(CREATE_CAST), "CREATE CAST"},
    {NODE(CREATE_STATS), "CREATE STATISTICS"},
    {NODE(CREATE_EXTENSION), "CREATE EXTENSION"},
    {NODE(ALTER_EXTENSION), "ALTER EXTENSION"},
    {NODE(CREATE_ROLE), "CREATE ROLE"},
    {NODE(ALTER_ROLE), "ALTER ROLE"},
    {NODE(ALTER_ROLE_SET), "ALTER ROLE"},
    {NODE(DROP_ROLE), "DROP ROLE"},
    {NODE(ALTER_DEFAULT_PRIVILEGES), "ALTER DEFAULT PRIVILEGES"},
    {NODE(REASSIGN_OWNED), "REASSIGN OWNED"},
    {NODE(DROP_OWNED), "DROP OWNED"},
    {NODE(CREATE_PUBLICATION), "CREATE PUBLICATION"},
    {NODE(ALTER_PUBLICATION), "ALTER PUBLICATION"},
    {NODE(CREATE_SUBSCRIPTION), "CREATE SUBSCRIPTION"},
    {NODE(ALTER_SUBSCRIPTION), "ALTER SUBSCRIPTION"},
    {NODE(DROP_SUBSCRIPTION), "DROP SUBSCRIPTION"},
    {NODE(CREATEDB), "CREATE DATABASE"},
    {NODE(ALTER_DATABASE), "ALTER DATABASE"},
    {NODE(ALTER_DATABASE_SET), "ALTER DATABASE"},
    {NODE(DROPDB), "DROP DATABASE"},
    {NODE(CREATE_TABLE_SPACE), "CREATE TABLESPACE"},
    {NODE(DROP_TABLE_SPACE), "DROP TABLESPACE"},
    {NODE(ALTER_SYSTEM), "ALTER SYSTEM"},
    {NODE(COMMENT), "COMMENT"},
    {NODE(SEC_LABEL), "SECURITY LABEL"},
    {NODE(REFRESH_MAT_VIEW), "REFRESH MATERIALIZED VIEW"},
    {NODE(CLUSTER), "CLUSTER"},
    {NODE(REINDEX), "REINDEX"},
    {NODE(LOCK), "LOCK TABLE"},
    {NODE(DO), "DO"},
    {NODE(CALL), "CALL"},
    {NODE(VARIABLE_SHOW), "SHOW"},
    {NODE(CONSTRAINTS_SET), "SET CONSTRAINTS"},
    {NODE(NOTIFY), "NOTIFY"},
    {NODE(EXPLAIN), "EXPLAIN"},
    {NODE(PREPARE), "PREPARE"},
    {NODE(CHECK_POINT), "CHECKPOINT"},
};

static const struct object {
    PgQuery__ObjectType type;
    const char *create, *alter, *drop;
} by_object[] = {
    OBJECT(AGGREGATE, "AGGREGATE"),
    OBJECT(CAST, "CAST"),
    OBJECT(COLLATION, "COLLATION"),
    OBJECT(DATABASE, "DATABASE"),
    OBJECT(DOMAIN, "DOMAIN"),
    OBJECT(DOMCONSTRAINT, "DOMAIN"),
    OBJECT(EVENT_TRIGGER, "EVENT TRIGGER"),
    OBJECT(EXTENSION, "EXTENSION"),
    OBJECT(FDW, "FOREIGN DATA WRAPPER"),
    OBJECT(FOREIGN_SERVER, "SERVER"),
    OBJECT(FOREIGN_TABLE, "FOREIGN TABLE"),
    OBJECT(FUNCTION, "FUNCTION"),
    OBJECT(INDEX, "INDEX"),
    OBJECT(LANGUAGE, "LANGUAGE"),
    OBJECT(MATVIEW, "MATERIALIZED VIEW"),
    OBJECT(OPERATOR, "OPERATOR"),
    OBJECT(POLICY, "POLICY"),
    OBJECT(PROCEDURE, "PROCEDURE"),
    OBJECT(PUBLICATION, "PUBLICATION"),
    OBJECT(ROLE, "ROLE"),
    OBJECT(ROUTINE, "ROUTINE"),
    OBJECT(RULE, "RULE"),
    OBJECT(SCHEMA, "SCHEMA"),
    OBJECT(SEQUENCE, "SEQUENCE"),
    OBJECT(STATISTIC_EXT, "STATISTICS"),
    OBJECT(TABCONSTRAINT, "TABLE"),
    OBJECT(TABLE, "TABLE"),
    OBJECT(TRIGGER, "TRIGGER"),
    OBJECT(TSCONFIGURATION, "TEXT SEARCH CONFIGURATION"),
    OBJECT(TSDICTIONARY, "TEXT SEARCH DICTIONARY"),
    OBJECT(TYPE, "TYPE"),
    OBJECT(VIEW, "VIEW"),
};

static const struct object *object(PgQuery__ObjectType type)
{
    static const struct object unknown = {.create = "SQL", .alter = "SQL", .drop = "SQL"};

    for (size_t i = 0; i < RT_COUNT(by_object); i++) {
        if (by_object[i].type == type)
            return &by_object[i];
    }
    return &unknown;
}

static const char *rename_tag(const PgQuery__RenameStmt *rename)
{
    bool part = rename->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN ||
                rename->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_ATTRIBUTE;

    return object(part ? rename->relation_type : rename->rename_type)->alter;
}

static const char *set_tag(const PgQuery__VariableSetStmt *set)
{
    switch (set->kind) {
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_MULTI:
        return set->name[0] == 'T' ? "SET TRANSACTION" : "SET SESSION CHARACTERISTICS";
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL:
        return "RESET ALL";
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET:
        return "RESET";
    default:
        return set->is_local ? "SET LOCAL" : "SET";
    }
}

static const char *transaction_tag(const PgQuery__TransactionStmt *tx)
{
    switch (tx->kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
        return tx->n_options > 0 ? "BEGIN with a transaction mode" : "BEGIN";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START:
        return tx->n_options > 0 ? "START TRANSACTION with a transaction mode"
                                 : "START TRANSACTION";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
        return tx->chain ? "COMMIT AND CHAIN" : "COMMIT";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
        return tx->chain ? "ROLLBACK AND CHAIN" : "ROLLBACK";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT:
        return "SAVEPOINT";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE:
        return "RELEASE";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
        return "ROLLBACK TO SAVEPOINT";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE:
        return "PREPARE TRANSACTION";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED:
        return "COMMIT PREPARED";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED:
        return "ROLLBACK PREPARED";
    default:
        return "SQL";
    }
}

static const char *create_as_tag(const PgQuery__CreateTableAsStmt *create)
{
    if (create->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW)
        return "CREATE MATERIALIZED VIEW";
    return create->is_select_into ? "SELECT INTO" : "CREATE TABLE AS";
}

const char *rt_stmt_tag(const PgQuery__Node *node)
{
    switch (node->node_case) {
    case NODE(TRANSACTION):
        return transaction_tag(node->transaction_stmt);
    case NODE(ALTER_TABLE):
        return object(node->alter_table_stmt->objtype)->alter;
    case NODE(RENAME):
        return rename_tag(node->rename_stmt);
    case NODE(ALTER_OWNER):
        return object(node->alter_owner_stmt->object_type)->alter;
    case NODE(ALTER_OBJECT_SCHEMA):
        return object(node->alter_object_schema_stmt->object_type)->alter;
    case NODE(ALTER_FUNCTION):
        return object(node->alter_function_stmt->objtype)->alter;
    case NODE(DEFINE):
        return object(node->define_stmt->kind)->create;
    case NODE(DROP):
        return node->drop_stmt->concurrent ? "DROP INDEX CONCURRENTLY"
                                           : object(node->drop_stmt->remove_type)->drop;
    case NODE(INDEX):
        return node->index_stmt->concurrent ? "CREATE INDEX CONCURRENTLY"
                                            : "CREATE INDEX";
    case NODE(CREATE_FUNCTION):
        return node->create_function_stmt->is_procedure ? "CREATE PROCEDURE"
                                                        : "CREATE FUNCTION";
    case NODE(CREATE_TABLE_AS):
        return create_as_tag(node->create_table_as_stmt);
    case NODE(GRANT):
        return node->grant_stmt->is_grant ? "GRANT" : "REVOKE";
    case NODE(GRANT_ROLE):
        return node->grant_role_stmt->is_grant ? "GRANT ROLE" : "REVOKE ROLE";
    case NODE(VARIABLE_SET):
        return set_tag(node->variable_set_stmt);
    case NODE(DISCARD):
        return node->discard_stmt->target == PG_QUERY__DISCARD_MODE__DISCARD_ALL
                   ? "DISCARD ALL"
                   : "DISCARD";
    case NODE(VACUUM):
        return node->vacuum_stmt->is_vacuumcmd ? "VACUUM" : "ANALYZE";
    default:
        for (size_t i = 0; i < RT_COUNT(by_node); i++) {
            if (by_node[i].node == node->node_case)
                return by_node[i].tag;
        }
        return "SQL";
    }
}
