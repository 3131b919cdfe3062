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

int rt_resume_load(struct rt_plan *plan, struct rt_arena *arena,
                   const struct rt_action *action, struct rt_err *err)
{
    const struct rt_stopped *file = action->stopped;
    struct rt_err *note;
    int rc = rt_resume_check(arena, file, &action->source, action->path, err);

    if (rc < 0 || strcmp(file->checksum, action->checksum) == 0)
        return rc;
    note = rt_plan_add_finding(plan, RT_NOTE);
    rt_err_set(
        note, RT_DONE,
        "%s was changed since it stopped: it goes on with what it has by now after "
        "the %zu statement%s that %s done",
        action->path, file->done, file->done == 1 ? "" : "s",
        file->done == 1 ? "is" : "are");
    return 0;
}

/* ------------------------------------------------------------------ planning */

/* Its file in the set, under its name or another one that came with its text. */
static const struct rt_migration *find_file(const struct rt_plan_input *in,
                                            const struct rt_stopped *file,
                                            const bool *settled)
{
    const struct rt_migration *m = rt_set_find(in->set, file->path);

    for (size_t i = 0; m == NULL && i < in->set->count; i++) {
        const struct rt_migration *other = &in->set->migrations[i];

        if (!settled[i] && !other->down &&
            strcmp(other->checksum.hex, file->checksum) == 0 &&
            rt_ledger_find(in->ledger, other->path) == NULL)
            m = other;
    }
    return m;
}

static void tell_ahead(struct rt_plan *plan, const struct rt_stopped *file)
{
    struct rt_err *note = rt_plan_add_finding(plan, RT_NOTE);

    rt_err_set(note, RT_DONE,
               "%s has stopped half-way; it came with commit %.12s, which this one does "
               "not have, and stays as it is",
               file->path, file->commit);
}

static void refuse_deleted(struct rt_plan *plan, struct rt_arena *arena,
                           const struct rt_stopped *file)
{
    struct rt_err *err = rt_plan_add_finding(plan, RT_REFUSAL);

    rt_err_set(err, RT_EREFUSED, "%s has stopped half-way and is no longer in the tree",
               file->path);
    rt_err_detail(err, "It stopped %s.", rt_stopped_where(arena, file));
    rt_err_hint(err, "Restore it, and %s", rt_stopped_ways_out(arena, file->path));
}

static void tell_rename(struct rt_plan *plan, const struct rt_stopped *file,
                        const struct rt_migration *m)
{
    struct rt_err *note = rt_plan_add_finding(plan, RT_NOTE);

    rt_err_set(note, RT_DONE,
               "%s was renamed from %s since it stopped: the content is the same",
               m->path, file->path);
}

static void plan_skip(struct rt_plan *plan, struct rt_arena *arena,
                      const struct rt_stopped *file, const struct rt_migration *m,
                      const char *commit)
{
    struct rt_action *action = rt_plan_add_record(plan, RT_ROW_SKIPPED, file->path);

    action->checksum = m ? m->checksum.hex : file->checksum;
    action->commit = commit;
    action->reason = rt_arena_format(arena, "stopped %s", rt_stopped_where(arena, file));
}

static void plan_one(struct rt_plan *plan, struct rt_arena *arena,
                     const struct rt_plan_input *in, bool *settled,
                     const struct rt_stopped *file)
{
    const struct rt_migration *m = find_file(in, file, settled);
    /* Where history was rewritten, there is no other that could be named. */
    const char *commit = file->ahead ? in->range->tip.hex : file->commit;
    struct rt_action *action;

    if (m == NULL && file->ahead) {
        tell_ahead(plan, file);
        return;
    }
    if (m)
        settled[m - in->set->migrations] = true;
    if (in->skip_stopped) {
        plan_skip(plan, arena, file, m, commit);
        return;
    }
    if (m == NULL) {
        refuse_deleted(plan, arena, file);
        return;
    }
    if (strcmp(m->path, file->path) != 0)
        tell_rename(plan, file, m);
    action = rt_plan_add_apply(plan, m->path);
    action->oid = m->oid;
    action->checksum = m->checksum.hex;
    action->commit = commit;
    action->stopped = file;
}

/* Whether another tool says that it is applied. */
static bool is_elsewhere(const struct rt_plan_input *in, const char *path)
{
    const struct rt_migration *m = rt_set_find(in->set, path);

    return in->elsewhere && m && in->elsewhere->applied[m - in->set->migrations];
}

void rt_resume_plan(struct rt_plan *plan, struct rt_arena *arena,
                    const struct rt_plan_input *in, bool *settled)
{
    for (size_t i = 0; i < in->stopped_count; i++) {
        /* What was recorded as applied by other means has an end. */
        if (!rt_row_applied(rt_ledger_find(in->ledger, in->stopped[i].path)) &&
            !is_elsewhere(in, in->stopped[i].path))
            plan_one(plan, arena, in, settled, &in->stopped[i]);
    }
}
