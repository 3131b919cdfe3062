/*
 * The databases of the twin's server, seen from its maintenance database: the twin, the
 * next one that is built beside it, the previous one that a resync has replaced, and the
 * old one that the previous one replaces, for the moment between swap and drop. The
 * connection idles outside of transactions and holds the session lock that keeps two
 * resyncs of one twin apart.
 *
 * All but the twin carry a comment that starts with RT_SITE_COMMENT, so that what a
 * killed run leaves behind is recognised and dropped by the next one. A previous one that
 * is to stay (RT_SITE_KEPT) is replaced by the next swap only, in its transaction.
 */
#ifndef RT_TWIN_REBUILD_SITE_H
#define RT_TWIN_REBUILD_SITE_H

#include "base/arena.h"
#include "pg/conn.h"

#define RT_SITE_COMMENT "revtwin: "
#define RT_SITE_KEPT RT_SITE_COMMENT "kept: "

/* What the guards have looked at, as seen from within; in the arena. */
struct rt_place {
    const char *twin;        /* the database's name */
    const char *oid;         /* tells it from another one of that name */
    const char *maintenance; /* where every rebuild of this twin takes the lock; NULL:
                                there is none that this role may connect to */
    bool must_be_empty;      /* nobody has allowed to replace contents */
};

struct rt_site {
    struct rt_conn *conn;
    const struct rt_server *server;
    struct rt_place place;
    const char *twin, *next, *previous, *old; /* names, in the arena */
    bool made;                                /* the next one, by this run */
    bool deaf;                                /* signals are no longer heard */
};

struct rt_swap {
    int wait_seconds; /* for sessions to end */
    bool force;       /* end them, as far as the role may */
    bool keep;        /* the twin that was stays, as the previous database */
};

/* Fill place, but must_be_empty, over a connection to the twin. */
int rt_site_locate(struct rt_place *place, struct rt_arena *arena, struct rt_conn *twin,
                   struct rt_err *err) RT_CHECKED;

/*
 * Connect, take the lock, and check that the role may do what the swap needs. Errors:
 * -RT_ELOCKED with the holder, -RT_EINTERNAL with the statement that gives the right.
 */
int rt_site_open(struct rt_site *out, struct rt_arena *arena,
                 const struct rt_server *server, const struct rt_place *place,
                 struct rt_err *err) RT_CHECKED;
void rt_site_close(struct rt_site *site);

/* A new maintenance connection with the lock, after the old one was lost. */
int rt_site_reopen(struct rt_site *site, struct rt_err *err) RT_CHECKED;

/* Whether there is something for rt_site_clean, without its lock; over any connection to
 * the twin's server. */
int rt_site_has_leftovers(bool *out, struct rt_arena *arena, const struct rt_place *place,
                          struct rt_conn *conn, struct rt_err *err) RT_CHECKED;

/* Drop what an earlier run left; -RT_EREFUSED for a database that is not ours. */
int rt_site_clean(struct rt_site *site, struct rt_err *err) RT_CHECKED;

/* Make the next database, like the twin in encoding and locale. */
int rt_site_create_next(struct rt_site *site, struct rt_err *err) RT_CHECKED;

/* Give the next database the twin's settings, rights and owner; what the role may not
 * do is logged. */
int rt_site_carry_over(struct rt_site *site, struct rt_err *err) RT_CHECKED;

/*
 * Put the next database in the twin's place, in one transaction, and drop the twin that
 * was, or keep it. Sessions are waited for; when they stay, the error names them and
 * nothing has changed. -RT_EREFUSED when the twin is no longer what the guards have seen.
 * From its COMMIT on signals are no longer heard. -RT_EUNKNOWN when the connection was
 * lost there and nobody can be asked; any other error leaves the twin.
 */
int rt_site_swap(struct rt_site *site, const struct rt_swap *how,
                 struct rt_err *err) RT_CHECKED;

/* Let the twin and the previous database, which is there, change places in the same way;
 * how->keep makes no difference. */
int rt_site_swap_back(struct rt_site *site, const struct rt_swap *how,
                      struct rt_err *err) RT_CHECKED;

/* Whether there is a previous database that was kept. */
int rt_site_has_kept(bool *out, struct rt_site *site, struct rt_err *err) RT_CHECKED;

/* Drop the next database after a failure or a signal, on a connection of its own; not
 * one that somebody else has made meanwhile. False when it is still there. */
bool rt_site_discard_next(struct rt_site *site);

/* Drop a database of ours, with the sessions on it. */
int rt_site_drop(struct rt_site *site, const char *database,
                 struct rt_err *err) RT_CHECKED;

/* From here on signals are not heard: cleaning up, or past the point of no return. */
void rt_site_shield(struct rt_site *site);

/* Sleep, unless or until a signal comes: 0 or as rt_cancel_check. */
int rt_site_pause(const struct rt_site *site, int ms, struct rt_err *err) RT_CHECKED;

#endif
