/* What is to be done with the statement that a walk is at, and doing it. */
#include "base/clock.h"
#include "base/log.h"
#include "migrate/walk.h"
#include "pg/query.h"
#include "queries.h"

enum { POLL_MS = 500 };

/* ------------------------------------------------------------------ what is there */

/* What its row says of the object: an index is ours when it was not there at the start of
 * the run that made it, and what is to go has gone when it was there once. */
static void note_object(struct rt_walk *walk)
{
    const struct rt_step *step = walk->step;
    bool same = step && step->object && walk->object.name &&
                (walk->same_text || strcmp(step->object, walk->object.name) == 0);

    walk->object_name = walk->object.name;
    walk->found = walk->object.there;
    if (!same)
        return;
    if (walk->what.kind == RT_CONCURRENT_CREATE_INDEX) {
        walk->found = step->found && walk->object.there;
    } else {
        walk->found = step->found || walk->object.there;
        walk->object_name = step->object;
    }
}

/* The text that it had before may have left an index that this one does not name. */
static int tell_other_leftover(struct rt_walk *walk, struct rt_err *err)
{
    const struct rt_step *step = walk->step;
    bool invalid;
    int rc;

    if (step == NULL || walk->same_text || step->object == NULL || step->found ||
        (walk->object.name && strcmp(step->object, walk->object.name) == 0))
        return 0;
    rc = rt_index_invalid(&invalid, walk->conn, step->object, err);
    if (rc == 0 && invalid)
        rt_walk_note(walk,
                     "the INVALID index %s stays, which statement %zu left before it was "
                     "changed; to drop it: DROP INDEX CONCURRENTLY %s;",
                     step->object, walk->number, step->object);
    return rc;
}

/* Whether somebody works on the index's table, who may be just about to make it valid. */
static int index_in_use(struct rt_walk *walk, const char **who, struct rt_err *err)
{
    struct rt_result *rows = NULL;
    int rc = rt_query(&rows, walk->conn, rt_sql_index_users, 1, &walk->object.name, err);

    *who = NULL;
    if (rc == 0 && rt_result_rows(rows) > 0)
        *who = rt_arena_strdup(walk->arena, rt_result_get(rows, 0, 0));
    rt_result_free(rows);
    return rc;
}

/* Decide, and again as long as the index that is to be cleaned up is in somebody's hands.
 */
static int judge(struct rt_walk *walk, enum rt_verdict *verdict, struct rt_err *err)
{
    int64_t start = rt_clock_ms();
    bool told = false;

    for (;;) {
        const char *who;
        int rc = rt_walk_ask(walk, err);

        if (rc < 0)
            return rc;
        *verdict =
            rt_leftover_decide(&walk->what, &walk->object, walk->step, walk->same_text);
        if (*verdict != RT_VERDICT_CLEAN)
            return 0;
        rc = index_in_use(walk, &who, err);
        if (rc < 0 || who == NULL)
            return rc;
        if (rt_clock_ms() - start >= (int64_t)walk->run->wait * 1000) {
            rt_err_set(err, RT_ELOCKED,
                       "the INVALID index %s cannot be dropped: its table is in use",
                       walk->object.name);
            return rt_err_detail(err, "By %s.", who);
        }
        if (!told)
            rt_log("%s: waiting to drop the INVALID index %s: its table is in use by %s",
                   walk->action->path, walk->object.name, who);
        told = true;
        rc = rt_clock_pause(POLL_MS, err);
        if (rc < 0)
            return rc;
    }
}

/* ------------------------------------------------------------------ one statement */

static int refuse_invalid(const struct rt_walk *walk, struct rt_err *err)
{
    rt_err_set(
        err, RT_EMIGRATION,
        "IF NOT EXISTS would be satisfied by the INVALID index %s, which this file "
        "did not make",
        walk->object.name);
    return rt_err_hint(
        err,
        "PostgreSQL would report success over an index that no query uses. "
        "Drop it, unless somebody is building it just now: DROP INDEX "
        "CONCURRENTLY %s;",
        walk->object.name);
}

static int refuse_untold(const struct rt_walk *walk, struct rt_err *err)
{
    rt_err_set(err, RT_EUNKNOWN,
               "the run before was broken off in it, and nothing in production tells "
               "whether it was done%s",
               rt_walk_may_be_partial(walk) ? ", or a part of it" : "");
    return rt_err_hint(
        err,
        "Look for what it does. If nothing of it is done, or it may run twice, change "
        "its "
        "text (a comment inside of it is enough): then apply runs it. If all of it is "
        "done, finish the rest of the file by hand, too, and record that: revtwin "
        "resolve "
        "%s --applied.",
        walk->action->path);
}

/* What is not there has no schema, unless the statement names one. */
static bool has_schema(const char *name)
{
    if (name[0] != '"')
        return strchr(name, '.') != NULL;
    for (name++; name[0] && (name[0] != '"' || name[1] == '"'); name++)
        name += name[0] == '"';
    return name[0] == '"' && name[1] == '.';
}

/* The object whose name the row has is not the one that the statement would be about:
 * what it left there would stay, and what is not to be touched may be here. */
static int check_same_object(const struct rt_walk *walk, struct rt_err *err)
{
    const char *was = walk->step ? walk->step->object : NULL, *is = walk->object.name;

    if (!walk->same_text || was == NULL || is == NULL || strcmp(was, is) == 0 ||
        !has_schema(was) || !has_schema(is))
        return 0;
    rt_err_set(err, RT_EMIGRATION,
               "it would be about %s, and was about %s when it was run before", is, was);
    return rt_err_hint(
        err,
        "The search_path leads elsewhere now, or one of them was made, moved or dropped "
        "since. Write the schema into the statement, whose text may be changed as long "
        "as "
        "it is not done; what it has left of %s is then yours to drop.",
        was);
}

static const char *finalize(struct rt_walk *walk)
{
    const struct rt_concurrent *what = &walk->what;

    return rt_arena_format(walk->arena, "ALTER TABLE %s DETACH PARTITION %s FINALIZE",
                           rt_quote_name(walk->arena, what->table_schema, what->table),
                           walk->object.name);
}

static int found_done(struct rt_walk *walk, struct rt_err *err)
{
    const char *state = walk->what.kind == RT_CONCURRENT_CREATE_INDEX
                            ? "is there and valid"
                        : walk->what.kind == RT_CONCURRENT_DROP_INDEX ? "is gone"
                                                                      : "is detached";

    rt_walk_note(walk, "statement %zu %s (%s %s): not run again", walk->number,
                 walk->step->state == RT_STEP_FAILED ? "failed, but is done by now"
                                                     : "is done already",
                 walk->object_name, state);
    return rt_walk_mark_done(walk, err);
}

static int clean_up(struct rt_walk *walk, struct rt_err *err)
{
    rt_walk_note(walk,
                 "dropping the INVALID index %s that statement %zu left when it was "
                 "broken off",
                 walk->object.name, walk->number);
    return rt_walk_send_text(walk,
                             rt_arena_format(walk->arena,
                                             "DROP INDEX CONCURRENTLY IF EXISTS %s",
                                             walk->object.name),
                             true, err);
}

int rt_walk_run(struct rt_walk *walk, struct rt_err *err)
{
    enum rt_verdict verdict;
    int rc = judge(walk, &verdict, err);

    if (rc == 0)
        rc = tell_other_leftover(walk, err);
    if (rc == 0)
        rc = check_same_object(walk, err);
    if (rc < 0)
        return rc;
    note_object(walk);
    if (walk->stmt->stmt_class == RT_CLASS_UNPARSED && walk->same_text &&
        walk->step->state == RT_STEP_STARTED)
        verdict = RT_VERDICT_UNTOLD;
    switch (verdict) {
    case RT_VERDICT_DONE:
        return found_done(walk, err);
    case RT_VERDICT_REFUSE:
        return refuse_invalid(walk, err);
    case RT_VERDICT_UNTOLD:
        return refuse_untold(walk, err);
    case RT_VERDICT_FINISH:
        rt_walk_note(walk,
                     "partition %s is half-way detached: finishing it with FINALIZE",
                     walk->object.name);
        return rt_walk_send_text(walk, finalize(walk), false, err);
    case RT_VERDICT_CLEAN:
        rc = clean_up(walk, err);
        break;
    case RT_VERDICT_RUN:
        break;
    }
    return rc < 0 ? rc
                  : rt_walk_send(walk, rt_walk_message(walk, walk->stmt), false, err);
}
