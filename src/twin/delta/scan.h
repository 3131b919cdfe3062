/*
 * Counting the rows of many tables on both sides, and finding those that a transaction
 * since some moment has written: one plain scan a table, cut into ranges of blocks, many
 * of them under way at once on either side of each worker.
 */
#ifndef RT_TWIN_DELTA_SCAN_H
#define RT_TWIN_DELTA_SCAN_H

#include "twin/compare/compare.h"
#include "twin/progress.h"

/* A row's address in 64 bits, in the order of the table. */
typedef uint64_t rt_ctid;

/* Of a text like "(12,3)". */
rt_ctid rt_ctid_parse(const char *text);

/* Append as an array literal: {"(0,1)","(0,2)"}. */
struct rt_str;
void rt_ctid_literal(struct rt_str *out, const rt_ctid *ctids, size_t count);

/* What the numbers of transactions are compared with, each as text, modulo 2^32. */
struct rt_since {
    char xid[12]; /* rows at or after it are recent, */
    char own[12]; /* but not those of this one; "" for none */
};

struct rt_scan_side {
    unsigned long long rows, recent;
};

struct rt_scanned {
    struct rt_scan_side prod, twin;
    rt_ctid *ctids; /* production's recent rows, ascending, for the caller to free; */
    size_t count;
    bool dropped; /* or they were too many to keep: rt_scan_again tells them */
};

struct rt_scan {
    const struct rt_pair *pairs;
    size_t count;
    const bool *skip; /* pairs that are not to be looked at */
    struct rt_since prod, twin;
    int prod_version, twin_version; /* of the servers, as rt_conn_version */
    size_t keep;                    /* addresses in memory at once, of all tables */
    struct rt_crew *crew;
    struct rt_progress *progress;
};

/* out has an element for each pair, all zero. After an error ctids must be freed too. */
int rt_scan(struct rt_scanned *out, const struct rt_scan *scan,
            struct rt_err *err) RT_CHECKED;

/*
 * The recent rows of one table of production once more, range by range. *unable is set
 * when there are too many for a server that cannot read ranges (before 14).
 */
int rt_scan_again(bool *unable, struct rt_worker *worker, const struct rt_table *table,
                  const struct rt_since *since,
                  int (*found)(void *context, const rt_ctid *ctids, size_t count,
                               struct rt_err *err),
                  void *context, struct rt_err *err) RT_CHECKED;

#endif
