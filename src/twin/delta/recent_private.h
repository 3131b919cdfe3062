/* What the files of recent share: what is known of each pair. */
#ifndef RT_TWIN_DELTA_RECENT_PRIVATE_H
#define RT_TWIN_DELTA_RECENT_PRIVATE_H

#include "twin/delta/recent.h"
#include "twin/delta/scan.h"

struct rt_recent_entry {
    struct rt_recent_table table;
    struct rt_scanned scanned;
    bool unable; /* to list the rows that may have changed */
};

struct rt_recent {
    struct rt_recent_setup setup;
    struct rt_since prod, twin;
    struct rt_recent_entry *entries; /* one a pair */
};

#endif
