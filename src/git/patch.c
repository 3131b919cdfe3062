#include "git/patch.h"

#include <git2.h>

static int add_hunk(const git_diff_delta *delta, const git_diff_hunk *hunk, void *out)
{
    (void)delta;
    rt_str_addn(out, hunk->header, hunk->header_len);
    return 0;
}

static int add_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
                    const git_diff_line *line, void *out)
{
    (void)delta;
    (void)hunk;
    /* Others tell of a last line without an end. */
    if (strchr(" +-", line->origin))
        rt_str_addn(out, &line->origin, 1);
    rt_str_addn(out, line->content, line->content_len);
    return 0;
}

int rt_patch_add(struct rt_str *out, const char *before, const char *after,
                 struct rt_err *err)
{
    git_diff_options options;
    int rc = git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);

    options.flags = GIT_DIFF_FORCE_TEXT;
    options.max_size = -1;
    if (rc < 0 || git_libgit2_init() < 0)
        return rt_err_set(err, RT_EINTERNAL, "libgit2 cannot be initialised");
    rc = git_diff_buffers(before, strlen(before), NULL, after, strlen(after), NULL,
                          &options, NULL, NULL, add_hunk, add_line, out);
    git_libgit2_shutdown();
    return rc < 0 ? rt_err_set(err, RT_EINTERNAL, "libgit2 cannot compare two texts") : 0;
}
