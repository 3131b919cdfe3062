/* revtwin verify --twin: every row of the twin against production's */
#include "cmd/command.h"
#include "report/twin.h"

int rt_cmd_verify_twin(struct rt_context *context, struct rt_err *err)
{
    struct rt_verify verify = {
        .prod = &context->prod,
        .twin = &context->twin,
        .workers = 2, /* each reads on both sides */
        .name_rows = context->options.verbose,
    };
    int rc;

    if (context->operand_count > 0 || context->options.head ||
        context->options.public_key)
        return rt_err_set(err, RT_EUSAGE,
                          "--twin compares rows, and goes without COMMIT, --head and "
                          "--public-key");
    rc = rt_verify(&verify, &context->arena, err);
    if (rc < 0)
        return rc;
    rt_report_verify(&context->report, &verify);
    if (verify.differing == 0)
        return 0;
    rt_err_set(err, RT_EDIFFERS,
               "the twin is not production as of %s: %zu of %zu tables %s",
               verify.taken_at, verify.differing, verify.count,
               verify.differing == 1 ? "differs" : "differ");
    rt_err_detail(err,
                  "What production has written since the last resync differs, too.%s",
                  context->options.verbose ? "" : " With -v the first rows are named.");
    return rt_err_advice(err, "Nothing was changed. To make the twin equal, run: revtwin "
                              "resync");
}
