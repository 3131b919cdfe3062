#include "migrate/foreign.h"

#include "pg/query.h"
#include "queries.h"

/* Of tools whose files have both directions, one after the other. */
#define BOTH_DIRECTIONS                                                 \
    "revtwin runs a file whole. A pending file whose down section has " \
    "statements is refused; put them into NAME.down.sql, which is never applied."

const struct rt_foreign_tool rt_foreign_tools[] = {
    {.name = "prisma",
     .table = "_prisma_migrations",
     .columns = " checksum finished_at migration_name rolled_back_at started_at ",
     .query = rt_sql_foreign_prisma,
     .naming = RT_NAMING_FOLDER,
     .check_sum = rt_prisma_sum},
    {.name = "flyway",
     .table = "flyway_schema_history",
     .columns = " installed_rank version description type script checksum success ",
     .query = rt_sql_foreign_flyway,
     .naming = RT_NAMING_FLYWAY,
     .check_sum = rt_flyway_sum,
     .caution = "revtwin runs every file once, R__ files too, and replaces no "
                "${placeholders}: what is to change goes into a new file."},
    {.name = "dbmate",
     .table = "schema_migrations",
     .columns = " version ",
     .exact = true,
     .query = rt_sql_foreign_dbmate,
     .naming = RT_NAMING_DIGITS,
     .caution = BOTH_DIRECTIONS},
    {.name = "golang-migrate",
     .table = "schema_migrations",
     .columns = " version dirty ",
     .query = rt_sql_foreign_golang_migrate,
     .naming = RT_NAMING_NUMBER_UP,
     .caution = "golang-migrate keeps one version, and every file up to it counts as "
                "applied. A file that was merged late, with a number below the version "
                "of its day, it has never run: look for such files."},
    {.name = "goose",
     .table = "goose_db_version",
     .columns = " id version_id is_applied ",
     .query = rt_sql_foreign_goose,
     .naming = RT_NAMING_NUMBER,
     .caution = BOTH_DIRECTIONS},
    {.name = "sqlx",
     .table = "_sqlx_migrations",
     .columns = " version description success checksum ",
     .query = rt_sql_foreign_sqlx,
     .naming = RT_NAMING_NUMBER,
     .check_sum = rt_sqlx_sum},
    {.name = "node-pg-migrate",
     .table = "pgmigrations",
     .columns = " id name run_on ",
     .query = rt_sql_foreign_node_pg_migrate,
     .naming = RT_NAMING_STEM,
     .caution = BOTH_DIRECTIONS},
    {.name = "graphile-migrate",
     .table = "migrations",
     .schema = "graphile_migrate",
     .columns = " hash filename ",
     .query = rt_sql_foreign_graphile_migrate,
     .naming = RT_NAMING_DIGITS,
     .check_sum = rt_graphile_sum},
};
const size_t rt_foreign_tool_count = RT_COUNT(rt_foreign_tools);

int rt_foreign_tool(const struct rt_foreign_tool **out, const char *name,
                    struct rt_err *err)
{
    struct rt_guess guess = {.word = name, .limit = 3};
    struct rt_str names = {0};

    for (size_t i = 0; i < rt_foreign_tool_count; i++) {
        *out = &rt_foreign_tools[i];
        if (strcmp((*out)->name, name) == 0) {
            rt_str_clear(&names);
            return 0;
        }
        rt_guess_try(&guess, (*out)->name);
        rt_str_addf(&names, "%s%s", i ? ", " : "", (*out)->name);
    }
    rt_err_set(err, RT_EUSAGE, "unknown migration tool \"%s\"", name);
    rt_err_hint(err, "%s%s%sHistories of these can be read: %s.",
                guess.best ? "Did you mean " : "", guess.best ? guess.best : "",
                guess.best ? "? " : "", rt_str_text(&names));
    rt_str_clear(&names);
    return -RT_EUSAGE;
}

/* ------------------------------------------------------------------ the table */

static int refuse_several(const struct rt_foreign_tool *tool,
                          const struct rt_result *tables, struct rt_err *err)
{
    struct rt_str names = {0};

    for (size_t i = 0; i < rt_result_rows(tables); i++)
        rt_str_addf(&names, "%s%s", i ? "\n" : "", rt_result_get(tables, i, 0));
    rt_err_set(err, RT_EREFUSED, "several schemas have a table of %s", tool->name);
    rt_err_detail(err, "%s", rt_str_text(&names));
    rt_str_clear(&names);
    return rt_err_hint(err, "Nothing was changed. Name the one with --table.");
}

static int check_columns(const struct rt_foreign_tool *tool, const char *table,
                         const char *columns, struct rt_err *err)
{
    bool fits = !tool->exact || strcmp(columns, tool->columns) == 0;

    for (const char *at = tool->columns; fits && at[1]; at = strchr(at + 1, ' ')) {
        size_t len = strcspn(at + 1, " ") + 2;

        fits = memmem(columns, strlen(columns), at, len) != NULL;
    }
    if (fits)
        return 0;
    rt_err_set(err, RT_EREFUSED, "%s is not a table of %s", table, tool->name);
    rt_err_detail(err, "It has the columns%s, and %s's has%s%s.", columns, tool->name,
                  tool->columns, tool->exact ? "only" : "at least");
    return rt_err_hint(err, "Nothing was changed. Is it another tool's?");
}

static int find_table(struct rt_foreign *out, struct rt_arena *arena,
                      struct rt_conn *conn, const char *table, struct rt_err *err)
{
    const struct rt_foreign_tool *tool = out->tool;
    const char *params[] = {tool->table, tool->schema, table};
    struct rt_result *tables = NULL;
    int rc = rt_query(&tables, conn, rt_sql_foreign_table, RT_COUNT(params), params, err);

    if (rc < 0)
        return table ? rt_err_wrap(err, "cannot look for %s", table) : rc;
    if (rt_result_rows(tables) == 0 && table) {
        rc = rt_err_set(err, RT_EUSAGE, "production has no table %s", table);
    } else if (rt_result_rows(tables) > 1 && !rt_result_true(tables, 0, 2)) {
        rc = refuse_several(tool, tables, err);
    } else if (rt_result_rows(tables) > 0) {
        out->table = rt_arena_strdup(arena, rt_result_get(tables, 0, 0));
        rc = check_columns(tool, out->table, rt_result_get(tables, 0, 1), err);
    }
    rt_result_free(tables);
    return rc;
}

/* ------------------------------------------------------------------ the rows */

static enum rt_foreign_state state_of(const char *name)
{
    if (strcmp(name, "applied") == 0)
        return RT_FOREIGN_APPLIED;
    return strcmp(name, "below") == 0 ? RT_FOREIGN_BELOW : RT_FOREIGN_FAILED;
}

static void keep_rows(struct rt_foreign *out, struct rt_arena *arena,
                      const struct rt_result *rows)
{
    out->count = rt_result_rows(rows);
    out->rows = rt_arena_alloc(arena, out->count * sizeof(*out->rows));
    for (size_t i = 0; i < out->count; i++) {
        const char *name = rt_result_get(rows, i, 0), *sum = rt_result_get(rows, i, 2);
        const char *label = rt_result_get(rows, i, 3);

        name = rt_arena_strdup(arena, name ? name : "");
        out->rows[i] = (struct rt_foreign_row){
            .key = rt_foreign_row_key(arena, out->tool->naming, name),
            .label = label ? rt_arena_strdup(arena, label) : name,
            .checksum = sum ? rt_arena_strdup(arena, sum) : NULL,
            .state = state_of(rt_result_get(rows, i, 1))};
    }
}

int rt_foreign_read(struct rt_foreign *out, struct rt_arena *arena, struct rt_conn *conn,
                    const struct rt_foreign_tool *tool, const char *table,
                    struct rt_err *err)
{
    struct rt_result *rows = NULL;
    const char *sql;
    int rc;

    *out = (struct rt_foreign){.tool = tool};
    rc = find_table(out, arena, conn, table, err);
    if (rc < 0 || out->table == NULL)
        return rc;
    sql = rt_arena_format(arena, "WITH t AS (SELECT * FROM %s)\n%s", out->table,
                          tool->query);
    rc = rt_query(&rows, conn, sql, 0, NULL, err);
    if (rc < 0)
        return rt_err_wrap(err, "cannot read %s's history in %s", tool->name, out->table);
    keep_rows(out, arena, rows);
    rt_result_free(rows);
    return 0;
}
