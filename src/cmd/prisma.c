#include "cmd/prisma.h"

#include "base/names.h"
#include "cmd/steps.h"

enum { NAMES_SHOWN = 20 };

/* ------------------------------------------------------------------ the layout */

static void refuse_provider(struct rt_work *work, struct rt_context *context)
{
    const char *path =
        rt_arena_format(&context->arena, "%s%s" RT_LAYOUT_LOCK, work->layout.folder,
                        *work->layout.folder ? "/" : "");
    struct rt_err *err;

    if (!work->layout.has_lock || strcmp(work->layout.provider, "postgresql") == 0)
        return;
    err = rt_plan_add_finding(&work->plan, RT_REFUSAL);
    if (*work->layout.provider)
        rt_err_set(err, RT_EREFUSED, "%s says that the migrations are for \"%s\"", path,
                   work->layout.provider);
    else
        rt_err_set(err, RT_EREFUSED, "%s does not say what the migrations are for", path);
    rt_err_at(err, path, 0, 0);
    rt_err_hint(err, "revtwin works on PostgreSQL: provider = \"postgresql\".");
}

static void refuse_bare(struct rt_work *work)
{
    struct rt_names names = {.limit = NAMES_SHOWN};
    struct rt_err *err;

    for (size_t i = 0; i < work->layout.bare_count; i++)
        rt_names_add(&names, work->layout.bare[i]);
    if (names.count == 0)
        return;
    err = rt_plan_add_finding(&work->plan, RT_REFUSAL);
    rt_err_set(err, RT_EREFUSED, "%zu folder%s of the migrations %s no migration.sql",
               names.count, names.count == 1 ? "" : "s",
               names.count == 1 ? "has" : "have");
    rt_names_give(&names, err);
    rt_err_hint(err,
                "Prisma refuses such a folder, too. Add the file, or move the folder "
                "elsewhere.");
}

void rt_prisma_mark(const struct rt_work *work, struct rt_set *set)
{
    for (size_t i = 0; work->in_prisma && i < set->count; i++) {
        if (!rt_layout_has(&work->layout, set->migrations[i].path))
            set->migrations[i].down = true;
    }
}

void rt_prisma_filter(const struct rt_work *work, struct rt_listing *files)
{
    size_t kept = 0;

    if (!work->in_prisma)
        return;
    for (size_t i = 0; i < files->count; i++) {
        if (rt_layout_has(&work->layout, files->entries[i].path))
            files->entries[kept++] = files->entries[i];
    }
    files->count = kept;
}

/* ------------------------------------------------------------------ the table */

static int read_table(struct rt_work *work, struct rt_context *context,
                      struct rt_err *err)
{
    int wait = work->intent == RT_INTENT_CHANGE
                   ? rt_setting_number(&context->options.settings, RT_SET_WAIT)
                   : -1;
    int rc = rt_prisma_read(&work->prisma, &context->arena, work->prod,
                            work->ledger.pooled, wait, err);

    work->prisma.lock_timeout = context->options.settings.value[RT_SET_LOCK_TIMEOUT];
    return rc < 0 ? rc
                  : rt_prisma_match(&work->prisma, &work->plan, &context->arena,
                                    work->prod, context->repo, &work->set, &work->ledger,
                                    work->layout.folder, err);
}

int rt_prisma_collect(struct rt_work *work, struct rt_context *context,
                      struct rt_err *err)
{
    const char *layout = context->options.settings.value[RT_SET_LAYOUT];
    const char *from = context->options.from;
    int rc;

    if (strcmp(layout, "plain") == 0)
        return 0;
    rc =
        rt_layout_read(&work->layout, &context->arena, context->repo, &work->tip,
                       context->options.settings.value[RT_SET_PATH], &work->listing, err);
    if (rc < 0)
        return rc;
    work->in_prisma = strcmp(layout, "prisma") == 0 ||
                      (work->layout.has_lock && work->layout.migrations > 0);
    if (!work->in_prisma)
        return 0;
    rt_prisma_mark(work, &work->set);
    refuse_provider(work, context);
    refuse_bare(work);
    if (work->prod == NULL || (from && strcmp(from, "prisma") == 0))
        return 0;
    return read_table(work, context, err);
}

const struct rt_elsewhere *rt_prisma_elsewhere(const struct rt_work *work)
{
    return work->prisma.exists ? &work->prisma.elsewhere : NULL;
}

int rt_prisma_finish(struct rt_work *work, struct rt_context *context, struct rt_err *err)
{
    int rc;

    if (!work->in_prisma)
        return 0;
    rt_prisma_sort(&work->plan, &context->arena);
    if (work->prisma.table == NULL)
        return 0;
    rc = rt_prisma_find_lacks(&work->prisma, &work->plan, &context->arena, context->repo,
                              &work->set, err);
    return rc < 0 ? rc
                  : rt_prisma_attach(&work->prisma, &work->plan, &context->arena,
                                     context->repo, &work->set, err);
}

/* ------------------------------------------------------------------ reporting */

void rt_prisma_report(const struct rt_work *work, const struct rt_context *context)
{
    json_t *doc = rt_report_json(&context->report), *object;
    const struct rt_prisma *prisma = &work->prisma;

    if (!work->in_prisma)
        return;
    if (prisma->table)
        rt_report_line(&context->report, "Prisma's layout, and Prisma's table %s%s",
                       prisma->table, prisma->exists ? "" : ", which is not there yet");
    else
        rt_report_line(&context->report, "Prisma's layout");
    if (doc == NULL)
        return;
    object = json_object();
    rt_json_put(object, "table", prisma->table);
    if (prisma->table) {
        json_object_set_new(object, "exists", json_boolean(prisma->exists));
        json_object_set_new(object, "rows",
                            json_integer((json_int_t)prisma->history.count));
        json_object_set_new(object, "lacks",
                            json_integer((json_int_t)prisma->lack_count));
    }
    json_object_set_new(doc, "prisma", object);
}
