/* The swap: the one moment in which the twin changes. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pg/later.h"
#include "twin/guard.h"
#include "twin/rebuild/site.h"
#include "twin/rebuild/visitor.h"

enum { SWAP_POLL_MS = 100, RETURN_MS = 15000, RETURN_POLL_MS = 500 };
#define IN_USE "55006" /* object_in_use: somebody is connected */

static void add_rename(struct rt_str *sql, const char *from, const char *to)
{
    rt_str_add(sql, "ALTER DATABASE ");
    rt_quote_ident(sql, from);
    rt_str_add(sql, " RENAME TO ");
    rt_quote_ident(sql, to);
    rt_str_add(sql, "; ");
}

static void add_comment(struct rt_str *sql, const char *database, const char *text)
{
    rt_str_add(sql, "COMMENT ON DATABASE ");
    rt_quote_ident(sql, database);
    rt_str_add(sql, " IS ");
    if (text)
        rt_quote_literal(sql, text);
    else
        rt_str_add(sql, "NULL");
    rt_str_add(sql, "; ");
}

static int read_comment(char **out, struct rt_site *site, struct rt_err *err)
{
    struct rt_result *comment;
    int rc = rt_query(&comment, site->conn,
                      "SELECT shobj_description(oid, 'pg_database') "
                      "FROM pg_catalog.pg_database WHERE datname = $1",
                      1, &site->twin, err);

    *out = NULL;
    if (rc < 0)
        return rc;
    if (rt_result_get(comment, 0, 0))
        *out = rt_strdup(rt_result_get(comment, 0, 0));
    rt_result_free(comment);
    return 0;
}

/* Everything of a swap but its COMMIT: newcomer becomes the twin, the twin the previous
 * one, and a previous one that there is, the old one (*aside). The twin keeps its
 * comment. */
static int swap_statements(struct rt_str *sql, bool *aside, struct rt_site *site,
                           const char *newcomer, bool keep, struct rt_err *err)
{
    char *comment;
    int rc = read_comment(&comment, site, err);

    if (rc == 0)
        rc = rt_site_has_kept(aside, site, err);
    if (rc < 0)
        goto done;
    rt_str_add(sql, "BEGIN; ");
    if (*aside)
        add_rename(sql, site->previous, site->old);
    add_rename(sql, site->twin, site->previous);
    add_rename(sql, newcomer, site->twin);
    add_comment(sql, site->previous,
                keep ? RT_SITE_KEPT "the twin before its last rebuild or undo"
                     : RT_SITE_COMMENT "replaced by a resync");
    add_comment(sql, site->twin, comment);
    if (*aside && newcomer != site->old)
        add_comment(sql, site->old, RT_SITE_COMMENT "replaced by a resync");
done:
    free(comment);
    return rc;
}

/* Undo what a failed attempt has done, so that the session idles outside of it. */
static void roll_back(struct rt_site *site)
{
    struct rt_err ignored = {0};

    if (!rt_conn_lost(site->conn) && rt_exec(NULL, site->conn, "ROLLBACK", &ignored) < 0)
        rt_err_clear(&ignored);
}

/* Connect again. What broke the connection, a restart say, may still be going on. */
static int come_back(struct rt_site *site, struct rt_err *err)
{
    int64_t end = rt_clock_ms() + RETURN_MS;
    int rc = rt_site_reopen(site, err);

    while (rc < 0 && rt_clock_ms() < end) {
        rc = rt_site_pause(site, RETURN_POLL_MS, err); /* shielded: it only sleeps */
        if (rc == 0)
            rc = rt_site_reopen(site, err);
    }
    return rc;
}

/*
 * The connection was lost during COMMIT. With the lock in hand the old session is gone,
 * and what the names say is final. Returns 0 when the swap was made, -RT_EUNKNOWN when
 * nobody can be asked.
 */
static int settle(struct rt_site *site, struct rt_err *err)
{
    struct rt_err lost = {0};
    struct rt_result *found;
    bool swapped;
    int rc;

    rt_err_move(&lost, err);
    rc = come_back(site, err);
    if (rc == 0)
        rc = rt_query(&found, site->conn,
                      "SELECT oid <> $2::text::oid FROM pg_catalog.pg_database "
                      "WHERE datname = $1",
                      2, (const char *const[]){site->twin, site->place.oid}, err);
    if (rc == 0) {
        swapped = rt_result_true(found, 0, 0);
        rt_result_free(found);
        if (swapped)
            rt_err_clear(&lost);
        else
            rt_err_move(err, &lost);
        return swapped ? 0 : -(int)err->status;
    }
    rt_err_set(err, RT_EUNKNOWN,
               "the connection was lost during the swap: the twin is the old one or the "
               "new one, whole (%s)",
               lost.message);
    rt_err_clear(&lost);
    return rt_err_hint(err, "Ask revtwin status which one it is.");
}

/* A twin that nobody allowed to replace has no contents yet: as short before the swap as
 * a session of our own allows. */
static int check_contents(struct rt_site *site, struct rt_err *err)
{
    struct rt_conn *twin = NULL;
    int rc;

    if (!site->place.must_be_empty)
        return 0;
    rc = rt_conn_open_database(&twin, site->server, site->twin, RT_READ_ONLY, err);
    if (rc == 0) {
        rt_later_own_names(twin);
        rc = rt_guard_adopted(twin, false, err);
    }
    rt_conn_close(twin);
    return rc;
}

/* In the swap's transaction, which holds both names: was it the twin that the guards have
 * seen? */
static int check_identity(struct rt_site *site, struct rt_err *err)
{
    const char *params[] = {site->previous, site->place.oid};
    struct rt_result *same;
    int rc = rt_query(&same, site->conn,
                      "SELECT EXISTS (SELECT FROM pg_catalog.pg_database "
                      "WHERE datname = $1 AND oid = $2::text::oid)",
                      2, params, err);

    if (rc < 0)
        return rc;
    if (!rt_result_true(same, 0, 0)) {
        rc = rt_err_set(err, RT_EREFUSED,
                        "database %s was replaced by another one during the resync",
                        site->twin);
        rt_err_hint(err, "Run revtwin resync again.");
    }
    rt_result_free(same);
    return rc;
}

static int commit(struct rt_site *site, struct rt_err *err)
{
    int rc;

    rt_site_shield(site); /* point of no return */
    rc = rt_exec(NULL, site->conn, "COMMIT", err);
    return rc < 0 && rt_conn_lost(site->conn) ? settle(site, err) : rc;
}

/* Make the swap unless somebody is connected; *busy tells that. */
static int try_swap(bool *busy, struct rt_site *site, const char *statements,
                    struct rt_err *err)
{
    int rc = check_contents(site, err);

    if (rc < 0)
        return rc;
    rc = rt_exec(NULL, site->conn, statements, err);
    if (rc == 0)
        rc = check_identity(site, err);
    if (rc == 0)
        return commit(site, err);
    *busy = rt_err_is(err, IN_USE);
    roll_back(site);
    return rc;
}

static int swap(struct rt_site *site, const char *statements, const struct rt_swap *how,
                struct rt_err *err)
{
    int64_t end = rt_clock_ms() + (int64_t)how->wait_seconds * 1000;
    int rc;

    for (;;) {
        struct rt_visitors visitors;
        bool busy = false;

        rc = rt_visitors_read(&visitors, site, err);
        if (rc == 0 && how->force)
            rc = rt_visitors_end(&visitors, site, err);
        if (rc < 0)
            goto next;
        /* Those who were ended are gone within the seconds that the server gives them. */
        busy = visitors.staying > 0;
        if (!busy)
            rc = try_swap(&busy, site, statements, err);
        if (busy && rt_clock_ms() >= end) {
            rc = rt_visitors_refuse(&visitors, site, how, err);
        } else if (busy) {
            rt_err_clear(err);
            rc = rt_site_pause(site, SWAP_POLL_MS, err);
        }
    next:
        rt_visitors_clear(&visitors);
        if (rc < 0 || !busy)
            return rc;
    }
}

static void drop(struct rt_site *site, const char *database, const char *what)
{
    struct rt_err err = {0};
    int rc = rt_site_drop(site, database, &err);

    if (rc < 0 && rt_conn_lost(site->conn)) {
        rc = come_back(site, &err);
        if (rc == 0)
            rc = rt_site_drop(site, database, &err);
    }
    if (rc < 0)
        rt_log("warning: database %s, %s, could not be dropped (%s); the next resync "
               "will try again",
               database, what, err.message);
    rt_err_clear(&err);
}

int rt_site_swap(struct rt_site *site, const struct rt_swap *how, struct rt_err *err)
{
    struct rt_str statements = {0};
    bool aside;
    int rc = swap_statements(&statements, &aside, site, site->next, how->keep, err);

    if (rc == 0)
        rc = swap(site, statements.data, how, err);
    rt_str_clear(&statements);
    if (rc < 0)
        return rc;
    if (aside)
        drop(site, site->old, "an earlier twin");
    if (!how->keep)
        drop(site, site->previous, "the twin that was");
    return 0;
}

int rt_site_swap_back(struct rt_site *site, const struct rt_swap *how, struct rt_err *err)
{
    struct rt_str statements = {0};
    bool aside;
    int rc = swap_statements(&statements, &aside, site, site->old, true, err);

    if (rc == 0)
        rc = swap(site, statements.data, how, err);
    rt_str_clear(&statements);
    return rc;
}
