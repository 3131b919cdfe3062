/*
 * What somebody who runs a statement outside of a transaction has to know about it: the
 * CONCURRENTLY forms wait for every transaction that is older than they, so a
 * lock_timeout does not fit them, and one that fails leaves something behind. So may code
 * that commits inside itself.
 */
#ifndef RT_SQL_CONCURRENT_H
#define RT_SQL_CONCURRENT_H

#include "base/arena.h"

enum rt_concurrent_kind {
    RT_CONCURRENT_NONE, /* any other statement, also one that the parser cannot read */
    RT_CONCURRENT_CREATE_INDEX, /* a failure leaves an invalid index */
    RT_CONCURRENT_DROP_INDEX,   /* a failure may leave the index, then invalid */
    RT_CONCURRENT_REINDEX,      /* a failure may leave an invalid ..._ccnew, ..._ccold */
    RT_CONCURRENT_DETACH,       /* a failure may leave it pending: DETACH ... FINALIZE */
    RT_CONCURRENT_CODE, /* DO, CALL: may commit part of its work before it fails */
};

/*
 * Names are as the server looks them up: unquoted ones in lower case, quoted ones without
 * their quotes, both cut to 63 bytes. NULL where the statement does not give one.
 */
struct rt_concurrent {
    enum rt_concurrent_kind kind;
    /* Of CREATE (the table's schema; no index: the server picks a name), DROP, REINDEX */
    const char *schema, *index;
    const char *table_schema, *table; /* of CREATE, REINDEX; of DETACH the parent */
    const char *partition_schema, *partition; /* of DETACH */
    bool if_not_exists; /* of CREATE: an invalid index satisfies it, too */
    bool unique;        /* of CREATE */
};

/* Strings are in the arena. Only on the main thread, as rt_script_inspect. */
void rt_stmt_concurrent(struct rt_concurrent *out, struct rt_arena *arena,
                        const char *sql, size_t len);

#endif
