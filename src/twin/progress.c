#include "twin/progress.h"

#include <stddef.h>

void rt_progress_phase(struct rt_progress *progress, const char *name,
                       unsigned long long tables_all, unsigned long long bytes_all)
{
    progress->tables = 0;
    progress->tables_all = tables_all;
    progress->bytes = 0;
    progress->bytes_all = bytes_all;
    progress->phase = name;
    rt_progress_show(progress);
}

void rt_progress_show(struct rt_progress *progress)
{
    if (progress->show)
        progress->show(progress->context, progress);
}
