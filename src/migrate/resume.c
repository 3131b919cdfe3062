#include "migrate/resume.h"

#include "base/hash.h"
#include "sql/locate.h"

size_t *rt_resume_places(struct rt_arena *arena, const struct rt_source *source)
{
    const struct rt_mode *mode = &source->mode;
    size_t *places = rt_arena_alloc(arena, mode->statements * sizeof(*places)), n = 0;

    for (size_t i = mode->first; i < mode->first + mode->count; i++) {
        if (source->script.stmts[i].kind != RT_STMT_COPY_DATA)
            places[n++] = i;
    }
    return places;
}

struct rt_digest rt_resume_checksum(const struct rt_source *source, size_t place)
{
    const struct rt_stmt *stmt = &source->script.stmts[place];
    struct rt_hash hash;

    rt_hash_init(&hash);
    rt_hash_add(&hash, source->script.text + stmt->start, stmt->len);
    if (stmt->kind == RT_STMT_COPY)
        rt_hash_add(&hash, source->script.text + stmt[1].start, stmt[1].len);
    return rt_hash_end(&hash);
}

/* What has become of a statement that is done and not at its place any more. */
static const char *fate(struct rt_arena *arena, const struct rt_step *step,
                        const struct rt_source *source, const size_t *places)
{
    for (size_t i = 0; i < source->mode.statements; i++) {
        if (strcmp(rt_resume_checksum(source, places[i]).hex, step->checksum) == 0)
            return rt_arena_format(arena, "was moved: it is statement %zu now", i + 1);
    }
    return step->number <= source->mode.statements ? "was changed" : "was removed";
}

static int refuse(struct rt_arena *arena, const struct rt_step *step,
                  const struct rt_source *source, const size_t *places, const char *path,
                  struct rt_err *err)
{
    const struct rt_script *script = &source->script;

    rt_err_set(err, RT_EREFUSED,
               "%s has stopped half-way, and statement %zu, which is done, %s", path,
               step->number, fate(arena, step, source, places));
    if (step->number <= source->mode.statements)
        rt_err_place(err, script->text, script->len,
                     rt_locate(script->text, script->len,
                               script->stmts[places[step->number - 1]].start));
    rt_err_detail(err, "It was done at %s%s%s of the file as it was then.",
                  step->finished_at, step->line[0] ? ", at line " : "", step->line);
    rt_err_hint(err,
                "Restore what is done, and change only what comes after it, or put the "
                "change into a migration of its own. %s",
                rt_stopped_ways_out(arena, path));
    return rt_err_at(err, path, err->line, err->column);
}

static int refuse_transaction(struct rt_arena *arena, const char *path,
                              struct rt_err *err)
{
    rt_err_set(err, RT_EREFUSED,
               "%s has stopped half-way without a transaction, and would run in one now",
               path);
    rt_err_hint(err,
                "Let it start with the line \"-- revtwin: no-transaction\", so that it "
                "goes on where it stopped. %s",
                rt_stopped_ways_out(arena, path));
    return rt_err_at(err, path, 0, 0);
}

int rt_resume_check(struct rt_arena *arena, const struct rt_stopped *file,
                    const struct rt_source *source, const char *path, struct rt_err *err)
{
    size_t *places = rt_resume_places(arena, source);

    for (size_t i = 0; i < file->done; i++) {
        const struct rt_step *step = &file->steps[i];

        if (i >= source->mode.statements ||
            strcmp(rt_resume_checksum(source, places[i]).hex, step->checksum) != 0)
            return refuse(arena, step, source, places, path, err);
    }
    if (!source->mode.no_transaction)
        return refuse_transaction(arena, path, err);
    return 0;
}
