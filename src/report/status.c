#include "report/status.h"

#include "base/mem.h"

enum { ROWS_SHOWN = 5 };

static const struct rt_attempt *attempt_at(const struct rt_trouble *trouble,
                                           const char *path)
{
    for (size_t i = 0; i < trouble->attempt_count; i++) {
        if (strcmp(trouble->attempts[i].path, path) == 0)
            return &trouble->attempts[i];
    }
    return NULL;
}

/* What stopped half-way is told as such. */
static bool is_pending(const struct rt_trouble *trouble, const struct rt_action *action)
{
    return action->kind == RT_ACTION_APPLY &&
           rt_stopped_find(trouble->stopped, trouble->stopped_count, action->path) ==
               NULL;
}

/* ------------------------------------------------------------------ JSON */

static json_t *attempt_json(const struct rt_attempt *attempt)
{
    json_t *object = json_object();

    rt_json_put(object, "failed_at", attempt->failed_at);
    rt_json_put(object, "line", attempt->line);
    rt_json_put(object, "sqlstate", attempt->sqlstate);
    rt_json_put(object, "message", attempt->message);
    rt_json_put(object, "client", attempt->client);
    return object;
}

static json_t *row_json(const struct rt_ledger_row *row)
{
    static const char *const names[] = {
        [RT_COL_FORMAT] = "format",
        [RT_COL_SEQ] = "seq",
        [RT_COL_KIND] = "kind",
        [RT_COL_PATH] = "path",
        [RT_COL_ALGORITHM] = "algorithm",
        [RT_COL_CHECKSUM] = "checksum",
        [RT_COL_STATEMENTS] = "statements",
        [RT_COL_COMMIT] = "commit",
        [RT_COL_PULL_REQUEST] = "pull_request",
        [RT_COL_APPLIED_AT] = "applied_at",
        [RT_COL_APPLIED_BY] = "applied_by",
        [RT_COL_CLIENT] = "client",
        [RT_COL_VERSION] = "revtwin_version",
        [RT_COL_REASON] = "reason",
        [RT_COL_PREV_HASH] = "prev_hash",
        [RT_COL_ENTRY_HASH] = "entry_hash",
        [RT_COL_SIGNATURE] = "signature",
    };
    json_t *object = json_object();

    for (size_t c = 0; c < RT_COUNT(names); c++)
        rt_json_put(object, names[c], row->column[c]);
    rt_json_put(object, "milliseconds", row->milliseconds);
    return object;
}

static json_t *stopped_json(struct rt_arena *arena, const struct rt_stopped *file)
{
    const struct rt_step *step = rt_stopped_step(file, file->done + 1);
    json_t *object = json_object();

    rt_json_put(object, "path", file->path);
    json_object_set_new(object, "statement", json_integer((json_int_t)file->done + 1));
    json_object_set_new(object, "statements", json_integer((json_int_t)file->statements));
    if (step) {
        rt_json_put(object, "since",
                    step->finished_at ? step->finished_at : step->started_at);
        rt_json_put(object, "line", step->line);
        rt_json_put(object, "sqlstate", step->sqlstate);
        rt_json_put(object, "message", step->message);
        rt_json_put(object, "client", step->client);
        rt_json_put(object, "started_by", step->started_by);
        json_object_set_new(object, "running", json_boolean(step->running));
    }
    rt_json_put(object, "ways_out", rt_stopped_ways_out(arena, file->path));
    return object;
}

static void production_json(json_t *doc, const struct rt_ledger *ledger,
                            struct rt_arena *arena, const struct rt_plan *pending,
                            const struct rt_trouble *trouble)
{
    json_t *rows = json_array(), *files = json_array(), *stopped = json_array();

    for (size_t i = 0; i < ledger->count; i++)
        json_array_append_new(rows, row_json(&ledger->rows[i]));
    for (size_t i = 0; i < pending->count; i++) {
        const char *path = pending->actions[i].path;
        const struct rt_attempt *attempt = attempt_at(trouble, path);
        json_t *file;

        if (!is_pending(trouble, &pending->actions[i]))
            continue;
        file = json_object();
        rt_json_put(file, "path", path);
        if (attempt)
            json_object_set_new(file, "failed_attempt", attempt_json(attempt));
        json_array_append_new(files, file);
    }
    for (size_t i = 0; i < trouble->stopped_count; i++)
        json_array_append_new(stopped, stopped_json(arena, &trouble->stopped[i]));
    rt_json_put(doc, "database", ledger->database);
    rt_json_put(doc, "ledger_head", rt_ledger_head(ledger));
    json_object_set_new(doc, "ledger", rows);
    json_object_set_new(doc, "stopped", stopped);
    json_object_set_new(doc, "pending", files);
}

/* ------------------------------------------------------------------ text */

static void print_row(const struct rt_ledger_row *row)
{
    const char *request = row->column[RT_COL_PULL_REQUEST],
               *why = row->column[RT_COL_REASON];
    char *path = rt_printable(row->column[RT_COL_PATH]),
         *reason = rt_printable(why ? why : "");

    printf("  %5s  %.19sZ  %-9s  %s%s%s%s%s\n", row->column[RT_COL_SEQ],
           row->column[RT_COL_APPLIED_AT], row->column[RT_COL_KIND], path,
           request ? "  #" : "", request ? request : "", why ? "  because: " : "",
           reason);
    free(path);
    free(reason);
}

static void print_pending(const char *path, const struct rt_attempt *attempt)
{
    char *name = rt_printable(path), *message, *shown;

    printf("    %s\n", name);
    free(name);
    if (attempt == NULL)
        return;
    message =
        rt_format("%s%s%s: %s%s%s", attempt->failed_at,
                  attempt->line[0] ? " at line " : "", attempt->line, attempt->message,
                  attempt->sqlstate[0] ? ", SQLSTATE " : "", attempt->sqlstate);
    shown = rt_printable(message);
    printf("      failed %s\n", shown);
    free(message);
    free(shown);
}

static void print_stopped(struct rt_arena *arena, const struct rt_stopped *file)
{
    char *name = rt_printable(file->path),
         *where = rt_printable(rt_stopped_where(arena, file)),
         *ways_out = rt_printable(rt_stopped_ways_out(arena, file->path));

    printf("    %s\n      %s\n      %s\n", name, where, ways_out);
    free(name);
    free(where);
    free(ways_out);
}

static void print_files(struct rt_arena *arena, const struct rt_plan *pending,
                        const struct rt_trouble *trouble)
{
    size_t files = 0;

    if (trouble->stopped_count > 0)
        printf("  %zu stopped half-way\n", trouble->stopped_count);
    for (size_t i = 0; i < trouble->stopped_count; i++)
        print_stopped(arena, &trouble->stopped[i]);
    for (size_t i = 0; i < pending->count; i++)
        files += is_pending(trouble, &pending->actions[i]);
    printf("  %zu pending\n", files);
    for (size_t i = 0; i < pending->count; i++) {
        const char *path = pending->actions[i].path;

        if (is_pending(trouble, &pending->actions[i]))
            print_pending(path, attempt_at(trouble, path));
    }
}

void rt_report_production(const struct rt_report *report, const struct rt_ledger *ledger,
                          struct rt_arena *arena, const struct rt_plan *pending,
                          const struct rt_trouble *trouble)
{
    size_t first = ledger->count > ROWS_SHOWN ? ledger->count - ROWS_SHOWN : 0;

    if (rt_report_json(report))
        production_json(rt_report_json(report), ledger, arena, pending, trouble);
    if (!rt_report_text(report))
        return;
    if (!ledger->exists)
        rt_report_line(report, "production (database \"%s\") has no ledger yet",
                       ledger->database);
    else
        rt_report_line(report,
                       "production (database \"%s\") has %zu row%s in its ledger%s",
                       ledger->database, ledger->count, ledger->count == 1 ? "" : "s",
                       ledger->count > ROWS_SHOWN ? ", the newest:" : "");
    for (size_t i = first; i < ledger->count; i++)
        print_row(&ledger->rows[i]);
    print_files(arena, pending, trouble);
    printf("  ledger head: %s\n", rt_ledger_head(ledger));
}
