#include "twin/rebuild/site.h"

#include <poll.h>

#include "base/cancel.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/str.h"
#include "base/utf8.h"
#include "pg/later.h"
#include "queries.h"
#include "twin/guard.h"
#include "twin/snapshot.h"

enum {
    NAME_MAX_BYTES = 63,     /* longer ones are cut by the server */
    LOCK_PATIENCE_MS = 3000, /* a killed run's session ends a moment after it */
    LOCK_POLL_MS = 200,
};

int rt_site_pause(const struct rt_site *site, int ms, struct rt_err *err)
{
    struct pollfd wake = {.fd = site->deaf ? -1 : rt_cancel_fd(), .events = POLLIN};

    poll(&wake, 1, ms);
    return site->deaf ? 0 : rt_cancel_check(err);
}

void rt_site_shield(struct rt_site *site)
{
    site->deaf = true;
    if (site->conn)
        rt_conn_shield(site->conn);
}

/* base + suffix; a long base is cut and told apart by its hash. */
static const char *name_beside(struct rt_arena *arena, const char *base,
                               const char *suffix)
{
    size_t len = strlen(base), room = NAME_MAX_BYTES - strlen(suffix);
    struct rt_digest digest;

    if (len <= room)
        return rt_arena_format(arena, "%s%s", base, suffix);
    digest = rt_hash_of(base, len);
    len = rt_utf8_valid(base, room - 9); /* not through the middle of a character */
    return rt_arena_format(arena, "%.*s_%.8s%s", (int)len, base, digest.hex, suffix);
}

static void name_all(struct rt_site *out, struct rt_arena *arena,
                     const struct rt_place *place)
{
    *out = (struct rt_site){
        .place = *place,
        .twin = place->twin,
        .next = name_beside(arena, place->twin, "_revtwin_next"),
        .previous = name_beside(arena, place->twin, "_revtwin_previous"),
        .old = name_beside(arena, place->twin, "_revtwin_old"),
    };
}

/* ------------------------------------------------------------------ connection */

int rt_site_locate(struct rt_place *place, struct rt_arena *arena, struct rt_conn *twin,
                   struct rt_err *err)
{
    struct rt_result *found;
    int rc = rt_query(&found, twin,
                      "SELECT oid, (SELECT min(datname::text)"
                      "             FROM pg_catalog.pg_database"
                      "             WHERE datname IN ('postgres', 'template1')"
                      "               AND datname <> current_database()"
                      "               AND datallowconn"
                      "               AND has_database_privilege(oid, 'CONNECT')) "
                      "FROM pg_catalog.pg_database WHERE datname = current_database()",
                      0, NULL, err);

    if (rc < 0)
        return rc;
    place->twin = rt_arena_strdup(arena, rt_conn_database(twin));
    place->oid = rt_arena_strdup(arena, rt_result_get(found, 0, 0));
    place->maintenance = NULL;
    if (rt_result_get(found, 0, 1))
        place->maintenance = rt_arena_strdup(arena, rt_result_get(found, 0, 1));
    rt_result_free(found);
    return 0;
}

static int open_connection(struct rt_site *site, struct rt_err *err)
{
    int rc = site->conn
                 ? rt_conn_reopen(site->conn, 0, err) /* a shield stays */
                 : rt_conn_open_database(&site->conn, site->server,
                                         site->place.maintenance, RT_READ_WRITE, err);

    if (rc < 0)
        return rc;
    rt_session_without_timeouts(site->conn);
    rt_later_own_names(site->conn);
    return rt_later_run(site->conn, err);
}

static int refuse_locked(struct rt_site *site, struct rt_err *err)
{
    struct rt_result *holder;
    int rc = rt_query(&holder, site->conn, rt_sql_twin_lock_holder, 1, &site->twin, err);

    if (rc < 0)
        return rc;
    rc = rt_err_set(err, RT_ELOCKED, "another resync of database %s is running",
                    site->twin);
    if (rt_result_rows(holder) > 0)
        rt_err_detail(err, "It holds the lock: %s.", rt_result_get(holder, 0, 0));
    rt_err_hint(err, "Wait for it to end, and try again.");
    rt_result_free(holder);
    return rc;
}

static int take_lock(struct rt_site *site, struct rt_err *err)
{
    for (int waited = 0;; waited += LOCK_POLL_MS) {
        struct rt_result *got;
        bool locked;
        int rc = rt_query(&got, site->conn,
                          "SELECT pg_try_advisory_lock(hashtextextended("
                          "'revtwin resync ' || $1, 0))",
                          1, &site->twin, err);

        if (rc < 0)
            return rc;
        locked = rt_result_true(got, 0, 0);
        rt_result_free(got);
        if (locked)
            return 0;
        if (waited >= LOCK_PATIENCE_MS)
            return refuse_locked(site, err);
        rc = rt_site_pause(site, LOCK_POLL_MS, err);
        if (rc < 0)
            return rc;
    }
}

int rt_site_reopen(struct rt_site *site, struct rt_err *err)
{
    int rc = open_connection(site, err);

    if (rc == 0)
        rc = take_lock(site, err);
    return rc;
}

/* What CREATE DATABASE and ALTER DATABASE ... RENAME ask for, hours before they do. */
static int check_rights(struct rt_site *site, struct rt_err *err)
{
    struct rt_result *found;
    int rc = rt_query(&found, site->conn,
                      "SELECT quote_ident(current_user), quote_ident(o.rolname),"
                      "       r.rolcreatedb OR r.rolsuper, pg_has_role(o.oid, 'USAGE') "
                      "FROM pg_catalog.pg_database d "
                      "JOIN pg_catalog.pg_roles o ON o.oid = d.datdba "
                      "JOIN pg_catalog.pg_roles r ON r.rolname = current_user "
                      "WHERE d.datname = $1",
                      1, &site->twin, err);
    const char *role, *owner;

    if (rc < 0)
        return rc;
    role = rt_result_get(found, 0, 0);
    owner = rt_result_get(found, 0, 1);
    if (!rt_result_true(found, 0, 2)) {
        rc = rt_err_set(err, RT_EINTERNAL,
                        "role %s may not create databases on the twin's server", role);
        rt_err_hint(err,
                    "Let an administrator run: ALTER ROLE %s CREATEDB; or rebuild the "
                    "twin in one transaction, for which nobody can read it: revtwin "
                    "resync --in-place",
                    role);
    } else if (!rt_result_true(found, 0, 3)) {
        rc = rt_err_set(err, RT_EINTERNAL,
                        "role %s does not own database %s and could not replace it", role,
                        site->twin);
        rt_err_hint(err, "Let an administrator run: GRANT %s TO %s;", owner, role);
    }
    rt_result_free(found);
    return rc;
}

int rt_site_open(struct rt_site *out, struct rt_arena *arena,
                 const struct rt_server *server, const struct rt_place *place,
                 struct rt_err *err)
{
    int rc;

    name_all(out, arena, place);
    out->server = server;
    if (place->maintenance == NULL) {
        rt_err_set(err, RT_EINTERNAL,
                   "neither database postgres nor template1 of the twin's server can be "
                   "connected to");
        return rt_err_hint(err,
                           "Let an administrator run there: GRANT CONNECT ON DATABASE "
                           "postgres TO PUBLIC; or rebuild the twin in one "
                           "transaction, for which nobody can read it: revtwin "
                           "resync --in-place");
    }
    rc = rt_site_reopen(out, err);
    if (rc == 0)
        rc = check_rights(out, err);
    if (rc < 0)
        rt_site_close(out);
    return rc;
}

void rt_site_close(struct rt_site *site)
{
    rt_conn_close(site->conn);
    site->conn = NULL;
}

/* ------------------------------------------------------------------ databases */

int rt_site_drop(struct rt_site *site, const char *database, struct rt_err *err)
{
    struct rt_str sql = {0};
    int rc;

    rt_str_add(&sql, "DROP DATABASE IF EXISTS ");
    rt_quote_ident(&sql, database);
    if (rt_conn_version(site->conn) >= 130000)
        rt_str_add(&sql, " WITH (FORCE)");
    rc = rt_exec(NULL, site->conn, sql.data, err);
    rt_str_clear(&sql);
    return rc;
}

/* A database that was made and not yet commented holds nothing. */
static int is_unborn(bool *out, struct rt_site *site, const char *database,
                     struct rt_err *err)
{
    struct rt_conn *conn = NULL;
    char *contents = NULL;
    int rc = rt_conn_open_database(&conn, site->server, database, RT_READ_ONLY, err);

    if (rc == 0)
        rt_later_own_names(conn);
    if (rc == 0)
        rc = rt_database_contents(&contents, conn, err);
    *out = rc == 0 && contents == NULL;
    free(contents);
    rt_conn_close(conn);
    return rc;
}

static int clean_one(struct rt_site *site, const char *database, struct rt_err *err)
{
    struct rt_result *found;
    bool ours = true;
    int rc = rt_query(&found, site->conn,
                      "SELECT starts_with(c.text, '" RT_SITE_COMMENT "'), c.text IS NULL,"
                      "       starts_with(c.text, '" RT_SITE_KEPT "') "
                      "FROM pg_catalog.pg_database d "
                      "CROSS JOIN shobj_description(d.oid, 'pg_database') AS c (text) "
                      "WHERE d.datname = $1",
                      1, &database, err);

    if (rc < 0 || rt_result_rows(found) == 0)
        goto done;
    if (database == site->previous && rt_result_true(found, 0, 2))
        goto done;
    ours = rt_result_true(found, 0, 0);
    if (database == site->next && rt_result_true(found, 0, 1))
        rc = is_unborn(&ours, site, database, err);
    if (rc < 0)
        goto done;
    if (ours) {
        rt_log("dropping database %s, left by an earlier resync", database);
        rc = rt_site_drop(site, database, err);
        goto done;
    }
    rc = rt_err_set(err, RT_EREFUSED,
                    "database %s on the twin's server is in the way and was not made by "
                    "revtwin",
                    database);
    rt_err_hint(err, "Rename or drop it, and try again.");
done:
    rt_result_free(found);
    return rc;
}

int rt_site_clean(struct rt_site *site, struct rt_err *err)
{
    int rc = clean_one(site, site->next, err);

    if (rc == 0)
        rc = clean_one(site, site->previous, err);
    return rc < 0 ? rc : clean_one(site, site->old, err);
}

int rt_site_has_leftovers(bool *out, struct rt_arena *arena, const struct rt_place *place,
                          struct rt_conn *conn, struct rt_err *err)
{
    struct rt_result *found;
    struct rt_site site;
    int rc;

    name_all(&site, arena, place);
    rc = rt_query(&found, conn,
                  "SELECT EXISTS (SELECT FROM pg_catalog.pg_database d "
                  "CROSS JOIN shobj_description(d.oid, 'pg_database') AS c (text) "
                  "WHERE d.datname IN ($1, $2, $3) "
                  "  AND (c.text IS NULL AND d.datname = $1"
                  "       OR starts_with(c.text, '" RT_SITE_COMMENT "')"
                  "          AND NOT starts_with(c.text, '" RT_SITE_KEPT "')))",
                  3, (const char *const[]){site.next, site.previous, site.old}, err);
    if (rc < 0)
        return rc;
    *out = rt_result_true(found, 0, 0);
    rt_result_free(found);
    return 0;
}

int rt_site_has_kept(bool *out, struct rt_site *site, struct rt_err *err)
{
    struct rt_result *found;
    int rc = rt_query(&found, site->conn,
                      "SELECT EXISTS (SELECT FROM pg_catalog.pg_database "
                      "WHERE datname = $1 AND starts_with(shobj_description(oid,"
                      "      'pg_database'), '" RT_SITE_KEPT "'))",
                      1, &site->previous, err);

    if (rc < 0)
        return rc;
    *out = rt_result_true(found, 0, 0);
    rt_result_free(found);
    return 0;
}

#define EXISTS "42P04"        /* duplicate_database */
#define EXISTS_BY_NOW "23505" /* unique_violation, of its name */

int rt_site_create_next(struct rt_site *site, struct rt_err *err)
{
    const char *params[] = {site->twin, site->next};
    struct rt_result *create = NULL;
    struct rt_str comment = {0};
    int rc = rt_query(&create, site->conn, rt_sql_twin_create, 2, params, err);

    if (rc == 0) {
        rc = rt_exec(NULL, site->conn, rt_result_get(create, 0, 0), err);
        site->made = !rt_err_is(err, EXISTS) && !rt_err_is(err, EXISTS_BY_NOW);
    }
    if (rc == 0) {
        /* Nothing there has to survive a crash: the swap's COMMIT makes it all durable.
         */
        rt_str_add(&comment, "COMMENT ON DATABASE ");
        rt_quote_ident(&comment, site->next);
        rt_str_add(&comment,
                   " IS '" RT_SITE_COMMENT "being built by a resync'; ALTER DATABASE ");
        rt_quote_ident(&comment, site->next);
        rt_str_add(&comment, " SET synchronous_commit = off");
        rc = rt_exec(NULL, site->conn, comment.data, err);
    }
    rt_str_clear(&comment);
    rt_result_free(create);
    return rc < 0 ? rt_err_wrap(err, "cannot create database %s", site->next) : 0;
}

/* The value of a setting may be a secret of an application's; roles are never quoted so.
 */
static size_t len_without_value(const char *sql)
{
    const char *plain = strstr(sql, " TO '"), *escaped = strstr(sql, " TO E'");
    const char *value = plain ? plain : escaped;

    return value ? (size_t)(value - sql) : strlen(sql);
}

int rt_site_carry_over(struct rt_site *site, struct rt_err *err)
{
    const char *params[] = {site->twin, site->next};
    struct rt_result *statements;
    int rc = rt_query(&statements, site->conn, rt_sql_twin_carry, 2, params, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < rt_result_rows(statements); i++) {
        const char *sql = rt_result_get(statements, i, 0);

        rc = rt_exec(NULL, site->conn, sql, err);
        if (rc < 0 && err->sqlstate[0] != '\0') {
            rt_log("warning: not carried over to the new twin (%s): %.*s", err->message,
                   (int)len_without_value(sql), sql);
            rt_err_clear(err);
            rc = 0;
        }
    }
    rt_result_free(statements);
    return rc;
}

bool rt_site_discard_next(struct rt_site *site)
{
    struct rt_err err = {0};
    int rc;

    if (!site->made)
        return true;
    /* A fresh connection is outside of any transaction. Only under the lock: without it
     * the database of that name may be another run's. */
    rt_site_shield(site);
    rc = rt_site_reopen(site, &err);
    if (rc == 0)
        rc = rt_site_drop(site, site->next, &err);
    if (rc < 0)
        rt_log_verbose("cannot drop database %s: %s", site->next, err.message);
    rt_err_clear(&err);
    return rc == 0;
}
