#include "twin/rebuild/undo.h"

#include "base/log.h"
#include "pg/later.h"
#include "twin/guard.h"

static int look_at_twin(struct rt_undo *out, struct rt_place *place,
                        struct rt_arena *arena, const struct rt_server *server,
                        struct rt_err *err)
{
    struct rt_conn *twin;
    int rc = rt_conn_open(&twin, server, RT_READ_ONLY, err);

    if (rc < 0)
        return rc;
    rt_later_own_names(twin);
    rc = rt_guard_host(twin, err);
    if (rc == 0)
        rc = rt_mark_read(&out->kept_mark, arena, twin, err);
    if (rc == 0)
        rc = rt_site_locate(place, arena, twin, err);
    rt_conn_close(twin);
    return rc;
}

static int look_at_kept(struct rt_undo *out, struct rt_arena *arena, struct rt_site *site,
                        struct rt_err *err)
{
    struct rt_conn *previous = NULL;
    bool kept = false;
    int rc = rt_site_has_kept(&kept, site, err);

    if (rc == 0 && !kept) {
        rc = rt_err_set(err, RT_EREFUSED, "no previous twin of database %s is kept",
                        site->twin);
        rt_err_hint(err, "A rebuild keeps the twin that it replaces when it is told to: "
                         "revtwin resync --keep-previous");
    }
    if (rc == 0)
        rc = rt_conn_open_database(&previous, site->server, site->previous, RT_READ_ONLY,
                                   err);
    if (rc == 0) {
        rt_later_own_names(previous);
        rc = rt_mark_read(&out->mark, arena, previous, err);
    }
    rt_conn_close(previous);
    return rc;
}

int rt_undo(struct rt_undo *out, struct rt_arena *arena, const struct rt_server *twin,
            const struct rt_swap *how, struct rt_err *err)
{
    struct rt_place place = {0};
    struct rt_site site = {0};
    int rc;

    *out = (struct rt_undo){0};
    rc = look_at_twin(out, &place, arena, twin, err);
    if (rc == 0)
        rc = rt_site_open(&site, arena, twin, &place, err);
    if (rc < 0)
        return rc;
    rc = rt_site_clean(&site, err);
    if (rc == 0)
        rc = look_at_kept(out, arena, &site, err);
    if (rc == 0) {
        rt_log("putting the previous twin back in place");
        rc = rt_site_swap_back(&site, how, err);
    }
    if (rc < 0 && rc != -RT_EUNKNOWN)
        rt_err_wrap(err, "the twin is as it was");
    out->twin = site.twin;
    out->kept = site.previous;
    rt_site_close(&site);
    return rc;
}
