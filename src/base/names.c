#include "base/names.h"

void rt_names_add(struct rt_names *names, const char *name)
{
    if (names->limit == 0 || names->count < names->limit)
        rt_str_addf(&names->text, "%s%s", names->count ? "\n" : "", name);
    names->count++;
}

void rt_names_give(struct rt_names *names, struct rt_err *err)
{
    if (names->limit > 0 && names->count > names->limit)
        rt_str_addf(&names->text, "\n... and %zu more", names->count - names->limit);
    rt_err_detail(err, "%s", rt_str_text(&names->text));
    rt_str_clear(&names->text);
    *names = (struct rt_names){.limit = names->limit};
}
