#include "deltas.h"

int delta_open(void **state)
{
    struct deltas *f = rt_alloc(sizeof(*f));
    void *world;

    world_open(&world);
    f->world = world;
    f->wait_seconds = 10;
    f->settle_seconds = 30;
    cluster_exec(&twin_server, "dev", "create schema revtwin");
    *state = f;
    return 0;
}

int delta_close(void **state)
{
    struct deltas *f = *state;
    void *world = f->world;

    world_close(&world);
    free(f);
    return 0;
}

void delta_prod(const char *sql)
{
    cluster_exec(&prod_server, "shop", sql);
}

void delta_twin(const char *sql)
{
    cluster_exec(&twin_server, "dev", sql);
}

void delta_both(const char *sql)
{
    delta_prod(sql);
    delta_twin(sql);
}

int delta_run(struct deltas *f)
{
    struct world *w = f->world;
    struct rt_conn *prod;
    int rc;

    rt_err_clear(&w->err);
    f->job = (struct rt_delta){
        .prod_server = &w->prod,
        .twin_server = &w->twin,
        .full_compare = f->full_compare,
        .may_give_up = f->may_give_up,
        .workers = 2,
        .wait_seconds = f->wait_seconds,
        .settle_seconds = f->settle_seconds,
        .force = f->force,
        .source = "shop",
        .progress = &f->progress,
    };
    rc = rt_conn_open(&prod, &w->prod, RT_READ_ONLY, &w->err);
    if (rc == 0)
        rc = rt_exec(NULL, prod, "ROLLBACK", &w->err);
    f->job.prod = prod;
    if (rc == 0)
        rc = rt_delta(&f->job, &w->arena, &w->err);
    rt_conn_close(prod);
    return rc;
}

static void expect_done(struct deltas *f)
{
    const struct rt_err *err = &f->world->err;
    int rc = delta_run(f);

    if (rc != 0)
        check_fail("rt_delta: %d: %s\n%s\n%s", rc, err->message ? err->message : "",
                   err->detail ? err->detail : "", err->hint ? err->hint : "");
    if (f->job.unfit)
        check_fail("rt_delta: unfit: %s", f->job.unfit);
}

void delta_expect_equal(struct deltas *f)
{
    unsigned long changed;

    expect_done(f);
    world_expect_equal();
    changed = f->job.tables_changed;
    expect_done(f);
    assert_int_equal(f->job.tables_changed, 0);
    world_expect_equal();
    f->job.tables_changed = changed;
}

void delta_case(struct deltas *f, const char *both, const char *prod, const char *twin)
{
    delta_both(both);
    delta_prod(prod);
    delta_twin(twin);
    delta_expect_equal(f);
}
