/* revtwin verify --twin: every row of the twin against production's */
#include "base/str.h"
#include "cmd/resync.h"
#include "report/progress.h"
#include "report/twin.h"
#include "twin/crew.h"

static int run(struct rt_verify *verify, struct rt_context *context, struct rt_err *err)
{
    struct rt_progress progress = {.phase = NULL};
    struct rt_display *display = NULL;
    int rc;

    verify->progress = &progress;
    if (!context->options.quiet)
        display = rt_display_open(&progress);
    rc = rt_verify(verify, &context->arena, err);
    rt_display_close(display);
    return rc;
}

static int complain(const struct rt_verify *verify, bool verbose, struct rt_err *err)
{
    size_t sequences = verify->sequence_count;
    bool one = verify->differing + sequences == 1 && verify->views == NULL;
    struct rt_str what = {0};

    if (verify->differing > 0)
        rt_str_addf(&what, "%zu of %zu tables", verify->differing, verify->count);
    if (sequences > 0)
        rt_str_addf(&what, "%s%zu sequence%s", what.len ? ", " : "", sequences,
                    sequences == 1 ? "" : "s");
    if (verify->views)
        rt_str_addf(&what, "%smaterialized views", what.len ? ", " : "");
    rt_err_set(err, RT_EDIFFERS, "the twin is not production as of %s: %s %s",
               verify->taken_at, what.data, one ? "differs" : "differ");
    rt_str_clear(&what);
    rt_err_detail(
        err, "What production has written since the last resync differs, too.%s",
        verbose || verify->differing == 0 ? "" : " With -v the first rows are named.");
    return rt_err_advice(err, "Nothing was changed. To make the twin equal, run: revtwin "
                              "resync");
}

int rt_cmd_verify_twin(struct rt_context *context, struct rt_err *err)
{
    const struct rt_options *options = &context->options;
    struct rt_verify verify = {
        .prod = &context->prod,
        .twin = &context->twin,
        .name_rows = options->verbose,
    };
    int rc;

    if (context->operand_count > 0 || options->head || options->public_key)
        return rt_err_set(err, RT_EUSAGE,
                          "--twin compares rows, and goes without COMMIT, --head and "
                          "--public-key");
    rc = rt_resync_settings(context, err);
    if (rc < 0)
        return rc;
    verify.workers =
        rt_crew_size((unsigned)rt_setting_number(&options->settings, RT_SET_JOBS));
    rc = run(&verify, context, err);
    if (rc < 0)
        return rc;
    rt_report_verify(&context->report, &verify);
    return verify.differing + verify.sequence_count > 0 || verify.views
               ? complain(&verify, options->verbose, err)
               : 0;
}
