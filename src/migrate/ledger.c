#include "migrate/ledger.h"

#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "migrate/chain.h"
#include "migrate/lock.h"
#include "pg/query.h"
#include "queries.h"

/* ------------------------------------------------------------------ reading */

/* Ask for the session, and again until the lock is ours or the time is up. */
static int read_session(struct rt_result **out, struct rt_conn *conn, int lock_wait,
                        struct rt_err *err)
{
    static const struct rt_lock lock = {"8243124935563243008", "another revtwin", 5};
    char pid[16];
    const char *params[] = {lock_wait >= 0 ? "true" : "false", pid};

    snprintf(pid, sizeof(pid), "%d", rt_conn_pid(conn));
    return rt_lock_query(out, conn, &lock, lock_wait, rt_sql_session, RT_COUNT(params),
                         params, err);
}

static int compare_by_path(const void *a, const void *b)
{
    const struct rt_ledger_row *x = *(const struct rt_ledger_row *const *)a;
    const struct rt_ledger_row *y = *(const struct rt_ledger_row *const *)b;
    int order = strcmp(x->column[RT_COL_PATH], y->column[RT_COL_PATH]);

    return order ? order : (x > y) - (x < y);
}

void rt_ledger_index(struct rt_ledger *ledger, struct rt_arena *arena)
{
    ledger->by_path = rt_arena_alloc(arena, ledger->count * sizeof(*ledger->by_path));
    for (size_t i = 0; i < ledger->count; i++)
        ledger->by_path[i] = &ledger->rows[i];
    if (ledger->count > 0)
        qsort(ledger->by_path, ledger->count, sizeof(*ledger->by_path), compare_by_path);
}

static bool may_be_null(enum rt_ledger_column column)
{
    return column == RT_COL_PULL_REQUEST || column == RT_COL_REASON ||
           column == RT_COL_SIGNATURE;
}

static void keep_rows(struct rt_ledger *out, struct rt_arena *arena,
                      const struct rt_result *rows)
{
    out->count = rt_result_rows(rows);
    out->rows = rt_arena_alloc(arena, out->count * sizeof(*out->rows));
    for (size_t i = 0; i < out->count; i++) {
        const char *value;

        for (enum rt_ledger_column c = 0; c < RT_LEDGER_COLUMNS; c++) {
            value = rt_result_get(rows, i, c);
            /* Where another one is NULL, its row's hash will not fit. */
            if (value == NULL && !may_be_null(c))
                value = "";
            out->rows[i].column[c] = value ? rt_arena_strdup(arena, value) : NULL;
        }
        value = rt_result_get(rows, i, RT_LEDGER_COLUMNS);
        out->rows[i].milliseconds = value ? rt_arena_strdup(arena, value) : NULL;
    }
    rt_ledger_index(out, arena);
}

static int check_format(const struct rt_ledger *ledger, struct rt_err *err)
{
    long ours = strtol(RT_LEDGER_FORMAT, NULL, 10);

    for (size_t i = 0; i < ledger->count; i++) {
        const char *const *column = ledger->rows[i].column;

        if (strtol(column[RT_COL_FORMAT], NULL, 10) <= ours)
            continue;
        rt_err_set(err, RT_EREFUSED,
                   "production's ledger was written by revtwin %s (format %s), which "
                   "this revtwin %s (format %s) cannot read",
                   column[RT_COL_VERSION], column[RT_COL_FORMAT], RT_VERSION,
                   RT_LEDGER_FORMAT);
        return rt_err_hint(err, "Nothing was changed. Install revtwin %s or later.",
                           column[RT_COL_VERSION]);
    }
    return 0;
}

/* Returns whether revtwin.step may have rows. */
static bool keep_session(struct rt_ledger *out, struct rt_arena *arena,
                         const struct rt_result *session)
{
    out->database = rt_arena_strdup(arena, rt_result_get(session, 0, 0));
    out->session_user = rt_arena_strdup(arena, rt_result_get(session, 0, 1));
    out->exists = rt_result_true(session, 0, 2);
    out->is_twin = rt_result_true(session, 0, 3);
    out->pooled = rt_result_true(session, 0, 6);
    out->has_steps = rt_result_get(session, 0, 7) != NULL;
    out->in_recovery = rt_result_true(session, 0, 8);
    out->read_only = rt_result_true(session, 0, 9);
    out->server_clock = strtoll(rt_result_get(session, 0, 4), NULL, 10);
    out->local_clock = rt_clock_us();
    return rt_result_true(session, 0, 7);
}

int rt_ledger_read(struct rt_ledger *out, struct rt_arena *arena, struct rt_conn *conn,
                   int lock_wait, struct rt_err *err)
{
    const char *every_file = NULL;
    struct rt_read reads[] = {
        {.sql = rt_sql_ledger_read},
        {.sql = rt_sql_step_read, .nparams = 1, .params = &every_file},
    };
    struct rt_result *session = NULL;
    bool steps;
    int rc;

    *out = (struct rt_ledger){0};
    rc = read_session(&session, conn, lock_wait, err);
    if (rc < 0)
        return rc;
    steps = keep_session(out, arena, session);
    rt_result_free(session);
    if (!out->exists)
        return 0;
    rc = rt_query_many(reads, steps ? 2 : 1, conn, err);
    if (rc < 0)
        return rt_err_wrap(err, "cannot read the ledger of %s",
                           rt_conn_server(conn)->role);
    keep_rows(out, arena, reads[0].rows);
    rt_result_free(reads[0].rows);
    if (steps)
        rt_stopped_keep(&out->stopped, &out->stopped_count, arena, reads[1].rows);
    rt_result_free(reads[1].rows);
    return check_format(out, err);
}

/* ------------------------------------------------------------------ creating */

int rt_ledger_create(struct rt_ledger *ledger, struct rt_conn *conn, bool commit,
                     struct rt_err *err)
{
    struct rt_err ignored = {0};
    struct rt_str grant = {0};

    if (rt_exec(NULL, conn, rt_sql_ledger_create, err) == 0 &&
        (!commit || rt_exec(NULL, conn, "COMMIT", err) == 0)) {
        ledger->exists = ledger->has_steps = commit;
        return 0;
    }
    if (rt_exec(NULL, conn, "ROLLBACK", &ignored) < 0)
        rt_err_clear(&ignored);
    rt_err_wrap(err, "cannot create the ledger in %s", rt_conn_server(conn)->role);
    if (rt_err_is(err, "55P03")) /* lock_not_available */
        err->status = RT_ELOCKED;
    if (strcmp(err->sqlstate, "42501") == 0) { /* insufficient_privilege */
        rt_str_add(&grant, "CREATE SCHEMA IF NOT EXISTS revtwin; "
                           "GRANT USAGE, CREATE ON SCHEMA revtwin TO ");
        rt_quote_ident(&grant, ledger->session_user);
        rt_err_hint(err,
                    "Nothing was changed. Let an administrator of database \"%s\" run "
                    "this once, then try again:\n%s;",
                    ledger->database, rt_str_text(&grant));
        rt_str_clear(&grant);
    }
    return -(int)err->status;
}

/* ------------------------------------------------------------------ rows */

static const char *const kind_names[RT_ROW_KINDS] = {
    [RT_ROW_APPLIED] = "applied",     [RT_ROW_BASELINE] = "baseline",
    [RT_ROW_AMENDED] = "amended",     [RT_ROW_RESOLVED] = "resolved",
    [RT_ROW_FORGOTTEN] = "forgotten", [RT_ROW_SKIPPED] = "skipped",
};

const char *rt_row_kind_name(enum rt_row_kind kind)
{
    return kind_names[kind];
}

bool rt_row_is(const struct rt_ledger_row *row, enum rt_row_kind kind)
{
    return strcmp(row->column[RT_COL_KIND], kind_names[kind]) == 0;
}

bool rt_row_applied(const struct rt_ledger_row *row)
{
    return row != NULL && !rt_row_is(row, RT_ROW_FORGOTTEN) &&
           !rt_row_is(row, RT_ROW_SKIPPED);
}

/* ------------------------------------------------------------------ appending */

const char *rt_ledger_head(const struct rt_ledger *ledger)
{
    return ledger->count ? ledger->rows[ledger->count - 1].column[RT_COL_ENTRY_HASH]
                         : RT_LEDGER_START;
}

static const char *timestamp_now(struct rt_arena *arena, const struct rt_ledger *ledger)
{
    int64_t now = ledger->server_clock + (rt_clock_us() - ledger->local_clock);
    time_t seconds = (time_t)(now / 1000000);
    struct tm utc;
    char day[32];

    gmtime_r(&seconds, &utc);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc);
    return rt_arena_format(arena, "%s.%06dZ", day, (int)(now % 1000000));
}

struct rt_ledger_row rt_ledger_next(struct rt_arena *arena,
                                    const struct rt_ledger *ledger,
                                    const struct rt_ledger_row *prev,
                                    const struct rt_new_row *entry,
                                    const struct rt_writer *writer)
{
    long long seq = prev ? strtoll(prev->column[RT_COL_SEQ], NULL, 10) : 0;
    struct rt_ledger_row row = {
        .column = {
            [RT_COL_FORMAT] = RT_LEDGER_FORMAT,
            [RT_COL_SEQ] = rt_arena_format(arena, "%lld", seq + 1),
            [RT_COL_KIND] = kind_names[entry->kind],
            [RT_COL_PATH] = entry->path,
            [RT_COL_ALGORITHM] = RT_HASH_ALGORITHM,
            [RT_COL_CHECKSUM] = entry->checksum,
            [RT_COL_STATEMENTS] = rt_arena_format(arena, "%zu", entry->statements),
            [RT_COL_COMMIT] = entry->commit,
            [RT_COL_PULL_REQUEST] = writer->pull_request,
            [RT_COL_APPLIED_AT] = timestamp_now(arena, ledger),
            [RT_COL_APPLIED_BY] = ledger->session_user,
            [RT_COL_CLIENT] = writer->client,
            [RT_COL_VERSION] = RT_VERSION,
            [RT_COL_REASON] = entry->reason,
            [RT_COL_PREV_HASH] = prev ? prev->column[RT_COL_ENTRY_HASH] : RT_LEDGER_START,
        }};
    struct rt_digest own = rt_ledger_hash(&row);

    row.column[RT_COL_ENTRY_HASH] = rt_arena_strdup(arena, own.hex);
    if (writer->key)
        row.column[RT_COL_SIGNATURE] =
            rt_arena_strdup(arena, rt_sign(writer->key, own.hex).text);
    return row;
}

/* How many entries of by_path sort before the end of the path's rows. */
static size_t end_of_path(const struct rt_ledger *ledger, const char *path)
{
    size_t low = 0, high = ledger->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(ledger->by_path[middle]->column[RT_COL_PATH], path) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct rt_ledger_row *rt_ledger_find(const struct rt_ledger *ledger,
                                           const char *path)
{
    size_t end = end_of_path(ledger, path);

    if (end == 0 || strcmp(ledger->by_path[end - 1]->column[RT_COL_PATH], path) != 0)
        return NULL;
    return ledger->by_path[end - 1];
}

bool rt_ledger_had(const struct rt_ledger *ledger, const char *path, const char *checksum)
{
    for (size_t i = end_of_path(ledger, path); i > 1; i--) {
        const struct rt_ledger_row *row = ledger->by_path[i - 1],
                                   *replaced = ledger->by_path[i - 2];

        if (!rt_row_is(row, RT_ROW_AMENDED) ||
            strcmp(row->column[RT_COL_PATH], path) != 0 ||
            strcmp(replaced->column[RT_COL_PATH], path) != 0)
            return false;
        if (strcmp(replaced->column[RT_COL_CHECKSUM], checksum) == 0)
            return true;
    }
    return false;
}
