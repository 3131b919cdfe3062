/* revtwin diff: where the twin's schema is not production's */
#include "report/diff.h"
#include "cmd/command.h"
#include "pg/later.h"
#include "twin/guard.h"

static int report(struct rt_context *context, const struct rt_schema *prod,
                  const struct rt_schema *twin, struct rt_err *err)
{
    struct rt_schema_change *changes;
    size_t count = rt_schema_compare(&changes, &context->arena, prod, twin);
    bool mendable = false;
    int rc = rt_report_diff(&context->report, prod, twin, changes, count, err);

    if (rc < 0)
        return rc;
    if (count == 0) {
        rt_report_line(&context->report,
                       "the twin's schema is production's (objects: %zu)", prod->count);
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        mendable |= !changes[i].stays;
    rt_err_set(err, RT_EDIFFERS, "the twin's schema is not production's: %zu object%s",
               count, count == 1 ? " differs" : "s differ");
    rt_err_detail(err, "Lines with \"-\" are production's, lines with \"+\" the twin's.");
    return rt_err_advice(
        err, mendable ? "Nothing was changed. To make the twin equal, run: revtwin resync"
                      : "Nothing was changed. No resync would change it either: the "
                        "versions of extensions are those of the servers, and a foreign "
                        "key cannot be valid where production's own rows violate it.");
}

int rt_cmd_diff(struct rt_context *context, struct rt_err *err)
{
    struct rt_schema schemas[2];
    struct rt_conn *prod = NULL, *twin = NULL;
    int rc = rt_conn_open(&prod, &context->prod, RT_READ_ONLY, err);

    if (rc == 0)
        rc = rt_conn_open(&twin, &context->twin, RT_READ_ONLY, err);
    if (rc == 0) {
        rt_later_own_names(prod);
        rt_later_own_names(twin);
        rc = rt_guard_direction(prod, twin, err);
    }
    if (rc == 0)
        rc = rt_schema_read_both(&schemas[0], &schemas[1], &context->arena, prod, twin,
                                 err);
    if (rc == 0)
        rc = report(context, &schemas[0], &schemas[1], err);
    rt_conn_close(prod);
    rt_conn_close(twin);
    return rc;
}
