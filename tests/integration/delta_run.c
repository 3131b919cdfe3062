/* A program that is one delta from PROD_DATABASE_URL to DEV_DATABASE_URL, as one method
 * of a resync by itself. "incremental" lets it trust receipts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cancel.h"
#include "pg/query.h"
#include "twin/delta.h"

int main(int argc, char **argv)
{
    struct rt_server prod_server = {.role = "production", .source = "PROD_DATABASE_URL"};
    struct rt_server twin_server = {.role = "the twin", .source = "DEV_DATABASE_URL"};
    struct rt_progress progress = {0};
    struct rt_arena arena = {0};
    struct rt_err err = {0};
    struct rt_delta job = {.prod_server = &prod_server,
                           .twin_server = &twin_server,
                           .full_compare =
                               argc < 2 || strcmp(argv[1], "incremental") != 0,
                           .workers = 2,
                           .wait_seconds = 5,
                           .source = "shop",
                           .progress = &progress};
    int rc;

    rt_cancel_install();
    rt_secret_set(&prod_server.conninfo, getenv("PROD_DATABASE_URL"));
    rt_secret_set(&twin_server.conninfo, getenv("DEV_DATABASE_URL"));
    rc = rt_conn_open(&job.prod, &prod_server, RT_READ_ONLY, &err);
    if (rc == 0)
        rc = rt_session_without_timeouts(job.prod, &err);
    if (rc == 0)
        rc = rt_exec(NULL, job.prod, "ROLLBACK", &err);
    if (rc == 0)
        rc = rt_delta(&job, &arena, &err);
    if (rc < 0)
        fprintf(stderr, "error: %s\n", err.message);
    if (rc == 0 && job.unfit) {
        fprintf(stderr, "unfit: %s\n", job.unfit);
        rc = -RT_EREFUSED;
    }
    rt_conn_close(job.prod);
    rt_secret_clear(&prod_server.conninfo);
    rt_secret_clear(&twin_server.conninfo);
    rt_err_clear(&err);
    rt_arena_clear(&arena);
    return -rc;
}
