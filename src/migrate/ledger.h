/*
 * The ledger: revtwin.ledger on production, append-only, one row for each thing that
 * happened to a migration, each carrying the hash of the row before it.
 *
 * entry_hash is BLAKE2b-256 over the length-prefixed canonical texts of the columns from
 * format to prev_hash (rt_hash_field); duration and xid, which only the server knows
 * inside a pipeline, are not part of it. signature is of entry_hash (base/sign.h), and so
 * of everything up to its row. migrate/chain.h checks both.
 */
#ifndef RT_MIGRATE_LEDGER_H
#define RT_MIGRATE_LEDGER_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/sign.h"
#include "migrate/step.h"
#include "pg/conn.h"

/* How rows are made and hashed; a row of another format is for a newer revtwin to read.
 */
#define RT_LEDGER_FORMAT "1"

/* prev_hash of the first row. */
#define RT_LEDGER_START "0000000000000000000000000000000000000000000000000000000000000000"

/* What a row says of its path. The last row of a path is the one that counts. */
enum rt_row_kind {
    RT_ROW_APPLIED,   /* revtwin ran it */
    RT_ROW_BASELINE,  /* assumed applied */
    RT_ROW_AMENDED,   /* applied before; this checksum is accepted from here on */
    RT_ROW_RESOLVED,  /* it had stopped half-way, and was finished by hand */
    RT_ROW_FORGOTTEN, /* it had stopped half-way, and is to begin anew: not applied */
    RT_ROW_SKIPPED,   /* it has stopped half-way, and others went past: not applied */
    RT_ROW_KINDS,
};

/* The columns that are hashed, in this order, then the hash and what is not hashed. */
enum rt_ledger_column {
    RT_COL_FORMAT,
    RT_COL_SEQ,
    RT_COL_KIND, /* rt_row_kind_name */
    RT_COL_PATH,
    RT_COL_ALGORITHM,
    RT_COL_CHECKSUM, /* of the blob, hex */
    RT_COL_STATEMENTS,
    RT_COL_COMMIT,       /* the step that brought the file; for amended, the text */
    RT_COL_PULL_REQUEST, /* NULL when unknown */
    RT_COL_APPLIED_AT,   /* 2026-01-31T23:59:59.123456Z */
    RT_COL_APPLIED_BY,
    RT_COL_CLIENT,
    RT_COL_VERSION,
    RT_COL_REASON, /* NULL unless somebody gave one */
    RT_COL_PREV_HASH,
    RT_COL_ENTRY_HASH,
    RT_COL_SIGNATURE, /* of entry_hash; NULL when unsigned */
    RT_LEDGER_COLUMNS,
};

struct rt_ledger_row {
    const char *column[RT_LEDGER_COLUMNS]; /* canonical text, in the arena */
    const char *milliseconds;              /* of its transaction; NULL when unknown */
};

/* Production as one session sees it. */
struct rt_ledger {
    bool exists;
    bool is_twin;     /* the database carries revtwin.twin */
    bool has_steps;   /* revtwin.step is there: a ledger of an earlier version lacks it */
    bool in_recovery; /* a standby; and the default of its transactions: */
    bool read_only;
    bool pooled; /* a pooler stands between: session locks and settings mean nothing */
    const char *database, *session_user;
    int64_t server_clock; /* microseconds since 1970 when it was asked, */
    int64_t local_clock;  /* and this machine's monotonic clock then */
    struct rt_ledger_row *rows;
    size_t count;
    const struct rt_ledger_row *
        *by_path;               /* for rt_ledger_find: sorted by path, then seq */
    struct rt_stopped *stopped; /* files that have stopped half-way */
    size_t stopped_count;
};

/* Who writes: the same for every row of a run. */
struct rt_writer {
    const char *client;               /* host, or URL of the workflow run */
    const char *pull_request;         /* NULL when unknown */
    const struct rt_signing_key *key; /* NULL: rows are not signed */
};

/* What is to be written: borrowed by the row that is made of it. */
struct rt_new_row {
    enum rt_row_kind kind;
    const char *path, *checksum, *commit;
    size_t statements;
    const char *reason; /* or NULL */
};

const char *rt_row_kind_name(enum rt_row_kind kind);
bool rt_row_is(const struct rt_ledger_row *row, enum rt_row_kind kind);

/*
 * Read the session, the ledger and revtwin.step; an absent ledger is an empty one. With
 * lock_wait >= 0 first take the lock of the one runner, trying for that many seconds:
 * -RT_ELOCKED names the holder. -RT_EREFUSED when a newer revtwin wrote to it. The chain
 * is not checked here.
 */
int rt_ledger_read(struct rt_ledger *out, struct rt_arena *arena, struct rt_conn *conn,
                   int lock_wait, struct rt_err *err) RT_CHECKED;

/*
 * Create schema and tables, in a transaction that is left open with commit false: it is
 * the first rows' then, and the caller notes that the ledger exists once they are in.
 * Without the right to: -RT_EINTERNAL, the hint has the SQL for an administrator.
 */
int rt_ledger_create(struct rt_ledger *ledger, struct rt_conn *conn, bool commit,
                     struct rt_err *err) RT_CHECKED;

/* The hash of the last row, RT_LEDGER_START for an empty ledger. */
const char *rt_ledger_head(const struct rt_ledger *ledger);

/* The row that follows prev; NULL: the first of all. */
struct rt_ledger_row rt_ledger_next(struct rt_arena *arena,
                                    const struct rt_ledger *ledger,
                                    const struct rt_ledger_row *prev,
                                    const struct rt_new_row *entry,
                                    const struct rt_writer *writer);

/* Build by_path; rt_ledger_read does so itself. */
void rt_ledger_index(struct rt_ledger *ledger, struct rt_arena *arena);

/* Whether a path whose last row is this one counts as applied; NULL: no. */
bool rt_row_applied(const struct rt_ledger_row *row);

/* The last row that speaks of the path, or NULL. */
const struct rt_ledger_row *rt_ledger_find(const struct rt_ledger *ledger,
                                           const char *path);

/* Whether the path's last row is an amended one, and one that it replaces (so that a
 * commit from before the change has it) has this checksum. */
bool rt_ledger_had(const struct rt_ledger *ledger, const char *path,
                   const char *checksum);

#endif
