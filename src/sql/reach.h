/*
 * What a statement is about, as seen from a copy of the database that has its schema and
 * its data, and nothing else of it.
 */
#ifndef RT_SQL_REACH_H
#define RT_SQL_REACH_H

#include "base/attr.h"

enum rt_reach {
    RT_REACH_COPY,    /* what a copy has; or it is not understood */
    RT_REACH_AROUND,  /* only what a copy has not: owners, privileges, roles, security
                         labels, publications and subscriptions, settings of the database
                         or the server, other databases */
    RT_REACH_OUTSIDE, /* it may read or change what is elsewhere: files and programs,
                         other servers, whatever a role owns */
};

/* Only on the main thread. */
enum rt_reach rt_stmt_reach(const char *sql, size_t len);

#endif
