#include "report/status.h"

#include "base/mem.h"

enum { ROWS_SHOWN = 5 };

static const struct rt_attempt *attempt_at(const struct rt_attempt *attempts,
                                           size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(attempts[i].path, path) == 0)
            return &attempts[i];
    }
    return NULL;
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

static void production_json(json_t *doc, const struct rt_ledger *ledger,
                            const struct rt_plan *pending,
                            const struct rt_attempt *attempts, size_t attempt_count)
{
    json_t *rows = json_array(), *files = json_array();

    for (size_t i = 0; i < ledger->count; i++)
        json_array_append_new(rows, row_json(&ledger->rows[i]));
    for (size_t i = 0; i < pending->count; i++) {
        const char *path = pending->actions[i].path;
        const struct rt_attempt *attempt = attempt_at(attempts, attempt_count, path);
        json_t *file;

        if (pending->actions[i].kind != RT_ACTION_APPLY)
            continue;
        file = json_object();
        rt_json_put(file, "path", path);
        if (attempt)
            json_object_set_new(file, "failed_attempt", attempt_json(attempt));
        json_array_append_new(files, file);
    }
    rt_json_put(doc, "database", ledger->database);
    rt_json_put(doc, "ledger_head", rt_ledger_head(ledger));
    json_object_set_new(doc, "ledger", rows);
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
    char *name = rt_printable(path), *message;

    printf("    %s\n", name);
    free(name);
    if (attempt == NULL)
        return;
    message = rt_printable(attempt->message);
    printf("      failed %s%s%s: %s%s%s\n", attempt->failed_at,
           attempt->line[0] ? " at line " : "", attempt->line, message,
           attempt->sqlstate[0] ? ", SQLSTATE " : "", attempt->sqlstate);
    free(message);
}

void rt_report_production(const struct rt_report *report, const struct rt_ledger *ledger,
                          const struct rt_plan *pending,
                          const struct rt_attempt *attempts, size_t attempt_count)
{
    size_t first = ledger->count > ROWS_SHOWN ? ledger->count - ROWS_SHOWN : 0;
    size_t files = pending->count - pending->records;

    if (rt_report_json(report))
        production_json(rt_report_json(report), ledger, pending, attempts, attempt_count);
    if (!rt_report_text(report))
        return;
    if (!ledger->exists)
        printf("production (database \"%s\") has no ledger yet\n", ledger->database);
    else
        printf("production (database \"%s\") has %zu row%s in its ledger%s\n",
               ledger->database, ledger->count, ledger->count == 1 ? "" : "s",
               ledger->count > ROWS_SHOWN ? ", the newest:" : "");
    for (size_t i = first; i < ledger->count; i++)
        print_row(&ledger->rows[i]);
    printf("  %zu pending\n", files);
    for (size_t i = 0; i < pending->count; i++) {
        const char *path = pending->actions[i].path;

        if (pending->actions[i].kind == RT_ACTION_APPLY)
            print_pending(path, attempt_at(attempts, attempt_count, path));
    }
    printf("  ledger head: %s\n", rt_ledger_head(ledger));
}
