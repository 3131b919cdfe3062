#include "dataset.h"

#include <string.h>

#include "tables.h"

enum { FULL_SIZE = 2000 }; /* megabytes */

/* ------------------------------------------------------------------ statements */

static PGresult *expect(PGconn *conn, PGresult *result, const char *sql)
{
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        check_fail("%s%s", PQerrorMessage(conn), sql);
    return result;
}

__attribute__((format(printf, 2, 3))) static void run_sql(PGconn *conn, const char *fmt,
                                                          ...)
{
    char *sql = NULL;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&sql, fmt, args) < 0)
        check_fail("out of memory");
    va_end(args);
    PQclear(expect(conn, PQexec(conn, sql), sql));
    free(sql);
}

/* The table's name, for the caller to free. copy: 1 to the number of copies. */
static char *name_of(const struct bench_table *t, int copy)
{
    return t->copies ? check_printf("%s_%02d", t->name, copy)
                     : check_printf("%s", t->name);
}

/* Work on every table that there is. */
static void each_table(struct dataset *set,
                       void (*work)(struct dataset *, int, const char *, void *),
                       void *with)
{
    for (int i = 0; i < DATASET_TABLES; i++) {
        for (int copy = 1; copy <= (bench_tables[i].copies ? bench_tables[i].copies : 1);
             copy++) {
            char *name = name_of(&bench_tables[i], copy);

            if (set->filled[i] > 0)
                work(set, i, name, with);
            free(name);
        }
    }
}

/* ------------------------------------------------------------------ the first rows */

static void insert_rows(PGconn *conn, const struct dataset *set, int i, const char *name,
                        long first, long last)
{
    const struct bench_table *t = &bench_tables[i];
    char *values[3] = {check_printf("%ld", first), check_printf("%ld", last),
                       check_printf("%ld", set->filled[t->parent])};
    char *sql = check_printf("WITH base AS (SELECT $3::bigint) INSERT INTO %s SELECT %s "
                             "FROM generate_series($1::bigint, $2::bigint) g",
                             name, t->values);

    PQclear(expect(
        conn,
        PQexecParams(conn, sql, 3, NULL, (const char *const *)values, NULL, NULL, 0),
        sql));
    free(sql);
    for (int v = 0; v < 3; v++)
        free(values[v]);
}

/* A partition a month, and one for what comes after the year. */
static void make_partitions(PGconn *conn, const char *name)
{
    for (int month = 1; month <= 12; month++)
        run_sql(conn,
                "CREATE TABLE %s_%02d PARTITION OF %s FOR VALUES FROM ('2026-%02d-01 "
                "00:00Z') TO ('%d-%02d-01 00:00Z')",
                name, month, name, month, month < 12 ? 2026 : 2027, month % 12 + 1);
    run_sql(conn, "CREATE TABLE %s_rest PARTITION OF %s DEFAULT", name, name);
}

static void fill_table(struct dataset *set, int i, const char *name, void *with)
{
    const struct bench_table *t = &bench_tables[i];
    bool partitioned = strcmp(name, "measurements") == 0;
    PGconn *conn = with;

    run_sql(conn, "CREATE TABLE %s (%s)%s", name, t->columns,
            partitioned ? " PARTITION BY RANGE (at)" : "");
    if (partitioned)
        make_partitions(conn, name);
    insert_rows(conn, set, i, name, 1, set->filled[i]);
    if (t->after)
        run_sql(conn, "%s", t->after);
    set->last[i] = set->filled[i];
}

void dataset_fill(struct dataset *set, int megabytes)
{
    PGconn *conn = cluster_connect(set->server, set->db);

    for (int i = 0; i < DATASET_TABLES; i++)
        set->filled[i] = bench_tables[i].fixed
                             ? bench_tables[i].rows
                             : bench_tables[i].rows * megabytes / FULL_SIZE;
    run_sql(conn, "%s", bench_tables_before);
    each_table(set, fill_table, conn);
    PQfinish(conn);
    dataset_settle(set->server, set->db);
}

void dataset_fill_narrow(struct dataset *set, long rows)
{
    PGconn *conn = cluster_connect(set->server, set->db);

    memset(set->filled, 0, sizeof set->filled);
    set->filled[BENCH_EVENTS] = rows;
    each_table(set, fill_table, conn);
    PQfinish(conn);
    dataset_settle(set->server, set->db);
}

/* ------------------------------------------------------------------ changes */

struct changing {
    const struct dataset_change *what;
    PGconn *conn, *other;
};

/* Collect keys of about count rows, of the third whose number leaves 2 or of the others.
 */
static void choose(const struct changing *c, const struct dataset *set, int i,
                   const char *name, const char *into, bool third, long count)
{
    const struct bench_table *t = &bench_tables[i];
    double share = (double)count * 100 / ((double)set->last[i] * (third ? 1 : 2) / 3);
    char *sample = c->what->scattered
                       ? check_printf("TABLESAMPLE BERNOULLI (%.6f)", share)
                       : check_printf("%s", "");
    char *newest = c->what->scattered
                       ? check_printf("%s", "")
                       : check_printf("ORDER BY %s DESC LIMIT %ld", t->number, count);

    run_sql(c->conn,
            "CREATE TEMP TABLE %s_%s AS SELECT %s FROM %s %s WHERE (%s) %% 3 %s 2 %s; "
            "ANALYZE %s_%s",
            into, name, t->key, name, sample, t->number, third ? "=" : "<>", newest, into,
            name);
    free(sample);
    free(newest);
}

static void change_table(struct dataset *set, int i, const char *name, void *with)
{
    const struct bench_table *t = &bench_tables[i];
    struct changing *c = with;
    long changes = (set->last[i] * c->what->permille + 999) / 1000;

    choose(c, set, i, name, "changed", false, (changes * 5 + 4) / 8);
    choose(c, set, i, name, "gone", true, (changes + 4) / 8);
    run_sql(c->conn, "UPDATE %s t SET %s WHERE (%s) IN (SELECT %s FROM changed_%s)", name,
            t->change, t->key, t->key, name);
    run_sql(c->conn, "DELETE FROM %s WHERE (%s) IN (SELECT %s FROM gone_%s)", name,
            t->key, t->key, name);
    insert_rows(c->conn, set, i, name, set->last[i] + 1, set->last[i] + changes * 2 / 8);
}

static void pipe_rows(PGconn *from, PGconn *to, const char *query, const char *table)
{
    char *out = check_printf("COPY (%s) TO STDOUT (FORMAT binary)", query),
         *in = check_printf("COPY %s FROM STDIN (FORMAT binary)", table), *data;
    int length;

    PQclear(PQexec(from, out));
    PQclear(PQexec(to, in));
    while ((length = PQgetCopyData(from, &data, 0)) > 0) {
        if (PQputCopyData(to, data, length) != 1)
            check_fail("%s", PQerrorMessage(to));
        PQfreemem(data);
    }
    PQputCopyEnd(to, NULL);
    for (PGconn *conn = from; conn; conn = conn == from ? to : NULL) {
        PGresult *result;

        while ((result = PQgetResult(conn)))
            PQclear(expect(conn, result, conn == from ? out : in));
    }
    free(out);
    free(in);
}

/* What changed, as temporary tables of the other database. */
static void carry_table(struct dataset *set, int i, const char *name, void *with)
{
    const struct bench_table *t = &bench_tables[i];
    struct changing *c = with;
    char *changed = check_printf("SELECT * FROM %s WHERE (%s) IN (SELECT %s FROM "
                                 "changed_%s)",
                                 name, t->key, t->key, name),
         *gone = check_printf("TABLE gone_%s", name),
         *added = check_printf("SELECT * FROM %s WHERE %s > %ld", name, t->number,
                               set->last[i]),
         *to[3] = {check_printf("changed_%s", name), check_printf("gone_%s", name),
                   check_printf("added_%s", name)};

    run_sql(c->other,
            "CREATE TEMP TABLE %s (LIKE %s); CREATE TEMP TABLE %s AS SELECT %s FROM %s "
            "LIMIT 0; CREATE TEMP TABLE %s (LIKE %s)",
            to[0], name, to[1], t->key, name, to[2], name);
    pipe_rows(c->conn, c->other, changed, to[0]);
    pipe_rows(c->conn, c->other, gone, to[1]);
    pipe_rows(c->conn, c->other, added, to[2]);
    for (int k = 0; k < 3; k++) {
        run_sql(c->other, "ANALYZE %s", to[k]);
        free(to[k]);
    }
    free(changed);
    free(gone);
    free(added);
}

/* "a = c.a, b = c.b" for the columns of a table, or "t.a = c.a AND ..." for its key. */
static char *pairs(PGconn *conn, const char *fmt, const char *sep, const char *name,
                   const char *columns)
{
    char *sql =
        check_printf("SELECT string_agg(format('%s', attname), '%s') FROM "
                     "pg_attribute WHERE attrelid = '%s'::regclass AND attnum > 0 "
                     "AND attname %s",
                     fmt, sep, name, columns);
    PGresult *result = expect(conn, PQexec(conn, sql), sql);
    char *text = check_printf("%s", PQgetvalue(result, 0, 0));

    PQclear(result);
    free(sql);
    return text;
}

static void replay_table(struct dataset *set, int i, const char *name, void *with)
{
    const struct bench_table *t = &bench_tables[i];
    char *keys = check_printf("= ANY (string_to_array('%s', ', '))", t->key),
         *others = check_printf("<> ALL (string_to_array('%s', ', '))", t->key);
    struct changing *c = with;
    char *match = pairs(c->other, "t.%1$I = c.%1$I", " AND ", name, keys),
         *assign = pairs(c->other, "%1$I = c.%1$I", ", ", name, others);

    (void)set;
    run_sql(c->other, "DELETE FROM %s t USING gone_%s c WHERE %s", name, name, match);
    run_sql(c->other, "UPDATE %s t SET %s FROM changed_%s c WHERE %s", name, assign, name,
            match);
    run_sql(c->other, "INSERT INTO %s TABLE added_%s", name, name);
    free(keys);
    free(others);
    free(match);
    free(assign);
}

static void advance(struct dataset *set, int permille)
{
    for (int i = 0; i < DATASET_TABLES; i++)
        set->last[i] += (set->last[i] * permille + 999) / 1000 * 2 / 8;
}

static void change(struct dataset *set, struct changing *c)
{
    c->conn = cluster_connect(set->server, set->db);
    run_sql(c->conn, "SET synchronous_commit = off; BEGIN");
    each_table(set, change_table, c);
    run_sql(c->conn, "COMMIT");
}

void dataset_change(struct dataset *set, const struct dataset_change *what)
{
    struct changing c = {.what = what};

    if (what->permille == 0)
        return;
    change(set, &c);
    PQfinish(c.conn);
    advance(set, what->permille);
}

double dataset_change_both(struct dataset *set, const struct dataset_change *what,
                           const struct cluster *other, const char *db)
{
    struct changing c = {.what = what};
    double seconds;

    if (what->permille == 0)
        return 0;
    change(set, &c);
    c.other = cluster_connect(other, db);
    run_sql(c.other, "SET temp_buffers = '256MB'");
    each_table(set, carry_table, &c);
    run_sql(c.other, "CHECKPOINT");
    seconds = bench_seconds();
    run_sql(c.other, "BEGIN");
    each_table(set, replay_table, &c);
    run_sql(c.other, "COMMIT");
    seconds = bench_seconds() - seconds;
    PQfinish(c.other);
    PQfinish(c.conn);
    advance(set, what->permille);
    return seconds;
}

/* ------------------------------------------------------------------ afterwards */

static void add_sum(struct dataset *set, int i, const char *name, void *with)
{
    char **sql = with, *longer;

    (void)set;
    (void)i;
    longer = check_printf("%s%sSELECT '%s', count(*), sum(hashtextextended(t::text, 7)) "
                          "FROM %s t",
                          *sql ? *sql : "", *sql ? " UNION ALL " : "", name, name);
    free(*sql);
    *sql = longer;
}

static void expect_same(const PGresult *a, const PGresult *b)
{
    for (int cell = 0; cell < PQntuples(a) * 3; cell++) {
        const char *ours = PQgetvalue(a, cell / 3, cell % 3),
                   *theirs = PQgetvalue(b, cell / 3, cell % 3);

        if (strcmp(ours, theirs) != 0)
            check_fail("%s of %s: production has %s, the twin %s",
                       cell % 3 == 1 ? "rows" : "hash", PQgetvalue(a, cell / 3, 0), ours,
                       theirs);
    }
}

void dataset_expect_equal(const struct dataset *set, const struct cluster *twin,
                          const char *db)
{
    PGconn *conns[2] = {cluster_connect(set->server, set->db), cluster_connect(twin, db)};
    PGresult *results[2], *end;
    struct dataset copy = *set;
    char *sums = NULL, *sql;

    each_table(&copy, add_sum, &sums);
    sql = check_printf("%s ORDER BY 1", sums);
    free(sums);
    for (int i = 0; i < 2; i++) {
        run_sql(conns[i], "SET TimeZone = 'UTC'; SET extra_float_digits = 3");
        if (!PQsendQuery(conns[i], sql))
            check_fail("%s", PQerrorMessage(conns[i]));
    }
    for (int i = 0; i < 2; i++) {
        results[i] = expect(conns[i], PQgetResult(conns[i]), sql);
        while ((end = PQgetResult(conns[i])))
            PQclear(end);
    }
    expect_same(results[0], results[1]);
    for (int i = 0; i < 2; i++) {
        PQclear(results[i]);
        PQfinish(conns[i]);
    }
    free(sql);
}

void dataset_settle(const struct cluster *server, const char *db)
{
    cluster_exec(server, db, "VACUUM (ANALYZE)");
    cluster_exec(server, db, "CHECKPOINT");
}
