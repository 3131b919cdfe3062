#include "migrate/source.h"

#include "sql/inspect.h"
#include "sql/section.h"

int rt_source_load(struct rt_source *out, struct rt_repo *repo, const char *path,
                   const struct rt_oid *oid, struct rt_err *err)
{
    size_t len;
    int rc;

    if (oid->hex[0])
        rc = rt_blob_open(&out->blob, repo, oid, err);
    else
        rc = rt_tree_read_checkout(&out->checkout, &len, repo, path, err);
    if (rc < 0)
        goto done;
    if (oid->hex[0])
        rc = rt_script_split(&out->script, out->blob.data, out->blob.len, err);
    else
        rc = rt_script_split(&out->script, out->checkout, len, err);
    if (rc == 0)
        rc = rt_script_check_sections(&out->script, err);
    if (rc < 0)
        goto done;
    rt_script_inspect(&out->script);
    rc = rt_script_mode(&out->mode, &out->script, err);
    /* What is not understood may be a COPY, too. */
    out->one_by_one = out->script.has_copy || out->mode.unparsed > 0;
done:
    if (rc < 0)
        rt_err_at(err, path, err->line, err->column);
    return rc;
}

void rt_source_clear(struct rt_source *source)
{
    rt_script_clear(&source->script);
    rt_blob_close(&source->blob);
    free(source->checkout);
    *source = (struct rt_source){0};
}
