#include "twin/guard.h"

#include <errno.h>
#include <sys/random.h>

#include "base/mem.h"
#include "pg/later.h"
#include "queries.h"
#include "twin/mark.h"
#include "twin/origin.h"

#define POOLER "-pooler"

static const char *source_of(const struct rt_conn *conn)
{
    return rt_conn_server(conn)->source;
}

int rt_guard_host(const struct rt_conn *conn, struct rt_err *err)
{
    const char *host = rt_conn_host(conn);
    size_t label = strcspn(host, "."), len = strlen(POOLER);

    if (host[0] == '/' || label <= len || strncmp(host + label - len, POOLER, len) != 0)
        return 0;
    rt_err_set(err, RT_EUSAGE, "%s (%s) is a connection pooler: %s",
               rt_conn_server(conn)->role, source_of(conn), host);
    return rt_err_hint(err, "Use the direct host %.*s%s in %s.", (int)(label - len), host,
                       host + label, source_of(conn));
}

/* ------------------------------------------------------------------ transactions */

/* A transaction of our own where none is open: through a pooler in between it can neither
 * lose nor leave anything. Returns whether it was begun. */
static bool enter(struct rt_conn *conn)
{
    if (rt_conn_in_transaction(conn))
        return false;
    rt_later_begin(conn, "BEGIN READ ONLY");
    rt_later_own_names(conn);
    return true;
}

static int leave(bool begun, struct rt_conn *conn, int rc, struct rt_err *err)
{
    if (begun && rc == 0)
        return rt_exec(NULL, conn, "ROLLBACK", err);
    if (begun)
        rt_later_rollback(conn);
    return rc;
}

/* ------------------------------------------------------------------ direction */

/* Advisory locks belong to one database: a lock that is held on production and can be
 * had on the twin proves that they differ. On the way production is asked what else
 * there is to know. */
static int check_different(struct rt_read *told, struct rt_conn *prod,
                           struct rt_conn *twin, struct rt_err *err)
{
    struct rt_result *got = NULL;
    char key[24];
    const char *params[] = {key};
    int64_t number;
    int rc = 0;

    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        return rt_err_set(err, RT_EINTERNAL, "getrandom: %s", strerror(errno));
    snprintf(key, sizeof(key), "%lld", (long long)number);
    rt_later_read(prod, told);
    if (rc == 0)
        rc = rt_query(NULL, prod, "SELECT pg_advisory_xact_lock($1::text::bigint)", 1,
                      params, err);
    if (rc == 0)
        rc = rt_query(&got, twin, "SELECT pg_try_advisory_xact_lock($1::text::bigint)", 1,
                      params, err);
    if (rc == 0 && !rt_result_true(got, 0, 0)) {
        rc = rt_err_set(err, RT_EREFUSED,
                        "production (%s) and the twin (%s) are the same database: %s",
                        source_of(prod), source_of(twin), rt_conn_database(prod));
        rt_err_hint(err, "Let %s name the development database.", source_of(twin));
    }
    rt_result_free(got);
    return rc;
}

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* A standby and its primary are one database, too, with locks of their own. Their
 * timelines tell nothing: a standby takes note of a new one only after a while. */
static int check_not_primary(struct rt_conn *prod, struct rt_conn *twin,
                             struct rt_err *err)
{
    struct rt_arena arena = {0};
    struct rt_origin here, there = {0};
    int rc = rt_origin_read(&here, &arena, prod, err);

    if (rc == 0)
        rc = rt_origin_read(&there, &arena, twin, err);
    if (rc == 0 && same(here.system, there.system) &&
        same(here.database, there.database)) {
        rc = rt_err_set(err, RT_EREFUSED,
                        "production (%s) is a standby of the twin's (%s) server, and the "
                        "two are the same database: %s",
                        source_of(prod), source_of(twin), rt_conn_database(prod));
        rt_err_hint(err,
                    "Let %s name the development database. If it is one, on a copy of "
                    "production's files, drop and create it anew.",
                    source_of(twin));
    }
    rt_arena_clear(&arena);
    return rc;
}

static int is_marked(bool *out, struct rt_conn *conn, struct rt_err *err)
{
    struct rt_arena arena = {0};
    struct rt_twin_mark mark;
    int rc = rt_mark_read(&mark, &arena, conn, err);

    *out = mark.present;
    rt_arena_clear(&arena);
    return rc;
}

/* Rows in the ledger; 0 without one. */
static int ledger_length(long *out, struct rt_conn *conn, struct rt_err *err)
{
    struct rt_result *found = NULL;
    int rc = rt_query(&found, conn, "SELECT to_regclass('revtwin.ledger') IS NOT NULL", 0,
                      NULL, err);

    *out = 0;
    if (rc == 0 && rt_result_true(found, 0, 0)) {
        rt_result_free(found);
        rc = rt_query(&found, conn, "SELECT count(*) FROM revtwin.ledger", 0, NULL, err);
        if (rc == 0)
            *out = strtol(rt_result_get(found, 0, 0), NULL, 10);
    }
    rt_result_free(found);
    return rc;
}

static int swapped(const struct rt_conn *prod, const struct rt_conn *twin,
                   struct rt_err *err)
{
    return rt_err_set(err, RT_EREFUSED,
                      "production (%s) and the twin (%s) seem to be swapped",
                      source_of(prod), source_of(twin));
}

static int check_not_swapped(bool prod_marked, struct rt_conn *prod, struct rt_conn *twin,
                             struct rt_err *err)
{
    long prod_length = 0, twin_length = 0;
    bool twin_marked = true;
    int rc;

    if (prod_marked) {
        swapped(prod, twin, err);
        rt_err_detail(err, "The database %s of %s is marked as a twin (revtwin.twin).",
                      rt_conn_database(prod), source_of(prod));
        return rt_err_hint(err,
                           "If it really is production, remove the mark there with DROP "
                           "TABLE revtwin.twin, and try again.");
    }
    rc = is_marked(&twin_marked, twin, err);
    if (rc == 0 && !twin_marked)
        rc = ledger_length(&prod_length, prod, err);
    if (rc == 0 && !twin_marked)
        rc = ledger_length(&twin_length, twin, err);
    if (rc < 0 || twin_marked || twin_length <= prod_length)
        return rc;
    swapped(prod, twin, err);
    rt_err_detail(err,
                  "The ledger of %s has %ld migrations, that of %s has %ld, and %s is "
                  "not marked as a twin.",
                  source_of(twin), twin_length, source_of(prod), prod_length,
                  source_of(twin));
    return rt_err_hint(
        err,
        "If %s really is the twin, make it empty, or drop its revtwin.ledger "
        "there, and try again.",
        source_of(twin));
}

static int check_direction(struct rt_conn *prod, struct rt_conn *twin, struct rt_err *err)
{
    struct rt_read told = {.sql = RT_MARK_EXISTS ", pg_catalog.pg_is_in_recovery()"};
    int rc = check_different(&told, prod, twin, err);

    if (rc == 0)
        rc = check_not_swapped(rt_result_true(told.rows, 0, 0), prod, twin, err);
    if (rc == 0 && rt_result_true(told.rows, 0, 1))
        rc = check_not_primary(prod, twin, err);
    rt_result_free(told.rows);
    return rc;
}

int rt_guard_direction(struct rt_conn *prod, struct rt_conn *twin, struct rt_err *err)
{
    int prod_major = rt_conn_version(prod) / 10000;
    int twin_major = rt_conn_version(twin) / 10000;
    bool begun = enter(prod);
    int rc = leave(begun, prod, check_direction(prod, twin, err), err);

    if (rc < 0 || twin_major >= prod_major)
        return rc;
    rt_err_set(err, RT_EREFUSED,
               "the twin's server (PostgreSQL %d) is older than production's (%d)",
               twin_major, prod_major);
    return rt_err_hint(err, "Let %s name a server of version %d or newer.",
                       source_of(twin), prod_major);
}

/* ------------------------------------------------------------------ needs */

static int check_extensions(struct rt_conn *prod, struct rt_conn *twin,
                            struct rt_err *err)
{
    struct rt_result *used, *missing = NULL;
    const char *names;
    int rc =
        rt_query(&used, prod, "SELECT array_agg(extname) FROM pg_catalog.pg_extension", 0,
                 NULL, err);

    if (rc < 0)
        return rc;
    names = rt_result_get(used, 0, 0);
    rc = rt_query(&missing, twin,
                  "SELECT string_agg(quote_ident(name), ', ' ORDER BY name) "
                  "FROM unnest($1::text[]) AS used (name) "
                  "WHERE name NOT IN (SELECT name FROM pg_available_extensions)",
                  1, &names, err);
    if (rc == 0 && rt_result_get(missing, 0, 0)) {
        rc = rt_err_set(err, RT_EINTERNAL,
                        "the twin's server does not offer what production has: "
                        "extension %s",
                        rt_result_get(missing, 0, 0));
        rt_err_hint(err, "Install it on the twin's server, or drop it in production.");
    }
    rt_result_free(missing);
    rt_result_free(used);
    return rc;
}

static int check_roles(struct rt_conn *prod, struct rt_conn *twin, struct rt_err *err)
{
    struct rt_result *used, *missing = NULL;
    const char *names;
    int rc = rt_query(&used, prod,
                      "SELECT array_agg(rolname) FROM pg_catalog.pg_roles WHERE oid IN ("
                      "SELECT unnest(polroles) FROM pg_catalog.pg_policy "
                      "UNION SELECT umuser FROM pg_catalog.pg_user_mappings)",
                      0, NULL, err);

    if (rc < 0)
        return rc;
    names = rt_result_get(used, 0, 0);
    rc = rt_query(&missing, twin,
                  "SELECT string_agg(quote_ident(name), ', ' ORDER BY name),"
                  "       string_agg(format('CREATE ROLE %I;', name), ' ' ORDER BY name) "
                  "FROM unnest($1::text[]) AS used (name) "
                  "WHERE name NOT IN (SELECT rolname FROM pg_catalog.pg_roles)",
                  1, &names, err);
    if (rc == 0 && rt_result_get(missing, 0, 0)) {
        rc = rt_err_set(err, RT_EINTERNAL,
                        "the twin's server lacks what policies or user mappings of "
                        "production are for: role %s",
                        rt_result_get(missing, 0, 0));
        rt_err_hint(err, "Let an administrator run there: %s",
                    rt_result_get(missing, 0, 1));
    }
    rt_result_free(missing);
    rt_result_free(used);
    return rc;
}

/* As pg_dump finds them, which from version 16 on gives such rows to the whole table. */
static int check_partitions(struct rt_conn *prod, struct rt_err *err)
{
    struct rt_result *found = NULL;
    int rc = rt_query(&found, prod,
                      "SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', ') "
                      "FROM pg_catalog.pg_partitioned_table p "
                      "JOIN pg_catalog.pg_class c ON c.oid = p.partrelid "
                      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                      "JOIN pg_catalog.pg_opclass o ON o.oid = ANY (p.partclass) "
                      "WHERE p.partstrat = 'h' AND o.opcname = 'enum_ops'",
                      0, NULL, err);

    if (rc == 0 && rt_result_get(found, 0, 0)) {
        rc = rt_err_set(err, RT_EREFUSED,
                        "a twin cannot have what is partitioned by hash of an enum: "
                        "table %s",
                        rt_result_get(found, 0, 0));
        rt_err_detail(err, "An enum's values have other hashes in every database, so "
                           "that rows would belong into other partitions there.");
        rt_err_hint(err, "Partition it by list, or by hash of something else.");
    }
    rt_result_free(found);
    return rc;
}

int rt_guard_needs(struct rt_conn *prod, struct rt_conn *twin, struct rt_err *err)
{
    bool prod_begun = enter(prod), twin_begun = enter(twin);
    int rc = check_extensions(prod, twin, err);

    if (rc == 0)
        rc = check_roles(prod, twin, err);
    if (rc == 0)
        rc = check_partitions(prod, err);
    rc = leave(prod_begun, prod, rc, err);
    return leave(twin_begun, twin, rc, err);
}

/* ------------------------------------------------------------------ contents */

int rt_database_contents(char **out, struct rt_conn *conn, struct rt_err *err)
{
    struct rt_result *found;
    int rc = rt_query(&found, conn, rt_sql_twin_contents, 0, NULL, err);

    *out = NULL;
    if (rc < 0)
        return rc;
    if (rt_result_get(found, 0, 1)) {
        long count = strtol(rt_result_get(found, 0, 0), NULL, 10);

        *out = rt_format("%ld object%s: %s%s", count, count == 1 ? "" : "s",
                         rt_result_get(found, 0, 1), count > 3 ? ", ..." : "");
    }
    rt_result_free(found);
    return 0;
}

int rt_guard_adopted(struct rt_conn *twin, bool adopt, struct rt_err *err)
{
    char *contents = NULL;
    bool marked;
    int rc = adopt ? 0 : is_marked(&marked, twin, err);

    if (rc < 0 || adopt || marked)
        return rc;
    rc = rt_database_contents(&contents, twin, err);
    if (rc == 0 && contents) {
        rc = rt_err_set(err, RT_EREFUSED,
                        "the database %s of %s is not empty and not yet a twin",
                        rt_conn_database(twin), source_of(twin));
        rt_err_detail(err, "It holds %s.", contents);
        rt_err_hint(err,
                    "If it may be replaced by a copy of production, run once: revtwin "
                    "resync --adopt");
    }
    free(contents);
    return rc;
}
