/*
 * Visitors: sessions of others on the databases that a swap renames, which cannot be
 * renamed while somebody is connected.
 */
#ifndef RT_TWIN_REBUILD_VISITOR_H
#define RT_TWIN_REBUILD_VISITOR_H

#include "pg/query.h"
#include "twin/rebuild/site.h"

struct rt_visitors {
    struct rt_result *rows;
    size_t staying; /* those that nobody has ended */
};

int rt_visitors_read(struct rt_visitors *out, struct rt_site *site,
                     struct rt_err *err) RT_CHECKED;
void rt_visitors_clear(struct rt_visitors *visitors);

/* End those that the role may end: its own, and with pg_signal_backend those of others,
 * but no superuser's. */
int rt_visitors_end(struct rt_visitors *visitors, struct rt_site *site,
                    struct rt_err *err) RT_CHECKED;

/* -RT_EINTERNAL after how->wait_seconds; what keeps the database busy beside sessions is
 * the detail that err has. */
int rt_visitors_refuse(const struct rt_visitors *visitors, struct rt_site *site,
                       const struct rt_swap *how, struct rt_err *err);

#endif
