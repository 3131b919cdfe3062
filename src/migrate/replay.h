/*
 * Replay: the migrations that production's ledger has and the twin's copy of it has not
 * are run on the twin, with the engine of apply, so that both have one schema again.
 *
 * The twin gets production's own rows of the ledger, hashes and signatures included, each
 * in the transaction of its file. So its ledger always is a beginning of production's,
 * and a replay that was broken off is gone on with by the next one.
 *
 * Rows of other kinds than applied run nothing. Statements about what a twin has not
 * (RT_REACH_AROUND) are left out; a file that might reach elsewhere is not run at all,
 * nor is any where the twin has foreign servers or dblink: nothing of a replay may touch
 * production.
 */
#ifndef RT_MIGRATE_REPLAY_H
#define RT_MIGRATE_REPLAY_H

#include "git/repo.h"
#include "pg/conn.h"

struct rt_replay {
    struct rt_repo *repo;  /* NULL: there is none */
    struct rt_oid tip;     /* where else texts may be, or empty */
    unsigned lock_seconds; /* for a lock on the twin, and for another replay */
    /* results; texts are in the arena: */
    size_t missing; /* rows that the twin's ledger lacked */
    size_t done;    /* how many it got */
    size_t files;   /* of these, files that were run */
    const char
        *problem; /* why the rest was not run, in one line; NULL: nothing is left */
};

/*
 * prod and twin are only read here; the twin is written to over a connection of its own.
 * That the twin cannot be brought forward is no error: what is done is done, and whoever
 * compares the schemas will see. Errors: -RT_EINT, -RT_ETERM.
 */
int rt_replay(struct rt_replay *job, struct rt_arena *arena, struct rt_conn *prod,
              struct rt_conn *twin, struct rt_err *err) RT_CHECKED;

#endif
