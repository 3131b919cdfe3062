#include "migrate/leftover.h"

#include "base/str.h"
#include "pg/query.h"
#include "queries.h"

bool rt_leftover_question(struct rt_question *out, const struct rt_concurrent *what)
{
    bool create = what->kind == RT_CONCURRENT_CREATE_INDEX;

    if (what->kind == RT_CONCURRENT_DETACH)
        *out = (struct rt_question){
            rt_sql_step_partition,
            {what->table_schema, what->table, what->partition_schema, what->partition}};
    else if (what->index && what->kind != RT_CONCURRENT_REINDEX)
        *out = (struct rt_question){rt_sql_step_index,
                                    {what->schema, what->index,
                                     create ? what->table_schema : NULL,
                                     create ? what->table : NULL}};
    else
        return false;
    return true;
}

struct rt_object rt_leftover_answer(struct rt_arena *arena,
                                    const struct rt_concurrent *what, const char *answer)
{
    bool detach = what->kind == RT_CONCURRENT_DETACH;
    const char *space = strchr(answer, ' ');

    return (struct rt_object){.name = rt_arena_strdup(arena, space ? space + 1 : ""),
                              .there = answer[0] == 't',
                              .valid = !detach && answer[1] == 't',
                              .pending = detach && answer[1] == 't',
                              .on_table = !detach && answer[2] == 't',
                              .unique = !detach && answer[2] && answer[3] == 't'};
}

const char *rt_quote_name(struct rt_arena *arena, const char *schema, const char *name)
{
    struct rt_str text = {0};
    const char *copy;

    if (schema) {
        rt_quote_ident(&text, schema);
        rt_str_add(&text, ".");
    }
    rt_quote_ident(&text, name);
    copy = rt_arena_strdup(arena, rt_str_text(&text));
    rt_str_clear(&text);
    return copy;
}

static enum rt_verdict decide_create(const struct rt_concurrent *what,
                                     const struct rt_object *object,
                                     const struct rt_step *step, bool same_text)
{
    bool ours = step && !step->found && step->object && object->name &&
                strcmp(step->object, object->name) == 0;

    if (what->index == NULL)
        return step && step->state == RT_STEP_STARTED && same_text ? RT_VERDICT_UNTOLD
                                                                   : RT_VERDICT_RUN;
    if (!object->there || !object->on_table)
        return RT_VERDICT_RUN;
    if (ours && !object->valid)
        return RT_VERDICT_CLEAN;
    /* The server has finished it, or somebody has repaired it or built it by hand. */
    if (ours && same_text && object->unique == what->unique)
        return RT_VERDICT_DONE;
    return what->if_not_exists && !object->valid ? RT_VERDICT_REFUSE : RT_VERDICT_RUN;
}

enum rt_verdict rt_leftover_decide(const struct rt_concurrent *what,
                                   const struct rt_object *object,
                                   const struct rt_step *step, bool same_text)
{
    bool again = step && same_text;

    switch (what->kind) {
    case RT_CONCURRENT_CREATE_INDEX:
        return decide_create(what, object, step, same_text);
    case RT_CONCURRENT_DROP_INDEX:
        return again && step->found && !object->there ? RT_VERDICT_DONE : RT_VERDICT_RUN;
    case RT_CONCURRENT_DETACH:
        if (again && object->pending)
            return RT_VERDICT_FINISH;
        return again && step->found && !object->there ? RT_VERDICT_DONE : RT_VERDICT_RUN;
    case RT_CONCURRENT_CODE:
        return again && step->state == RT_STEP_STARTED ? RT_VERDICT_UNTOLD
                                                       : RT_VERDICT_RUN;
    case RT_CONCURRENT_REINDEX:
    case RT_CONCURRENT_NONE:
        break;
    }
    return RT_VERDICT_RUN;
}
