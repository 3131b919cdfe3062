#include "report/markdown.h"

#include <ctype.h>

enum { ROWS_SHOWN = 200 }; /* GitHub takes at most a megabyte */

/* ------------------------------------------------------------------ text */

static void add_references(struct rt_str *out, const char *text, bool lines)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '\n' && lines)
            rt_str_add(out, "\n");
        else if (c < 0x20 || c == 0x7f)
            rt_str_add(out, " ");
        else if (c >= 0x80 || isalnum(c) || c == ' ')
            rt_str_addn(out, text, 1);
        else
            rt_str_addf(out, "&#%u;", c);
    }
}

static void add_code(struct rt_str *out, const char *text)
{
    rt_str_add(out, "<code>");
    add_references(out, text, false);
    rt_str_add(out, "</code>");
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static long long number_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* ------------------------------------------------------------------ migrations */

static void add_migration(struct rt_str *out, const json_t *migration)
{
    const char *state = text_of(migration, "state"), *commit, *subject;

    if (state == NULL)
        state = text_of(migration, "action");
    commit = text_of(migration, "commit");
    subject = text_of(migration, "subject");
    rt_str_addf(out, "| %s | ", state ? state : "");
    add_code(out, text_of(migration, "path") ? text_of(migration, "path") : "");
    rt_str_add(out, " | ");
    if (json_object_get(migration, "statements"))
        rt_str_addf(out, "%lld", number_of(migration, "statements"));
    rt_str_add(out, " | ");
    if (json_object_get(migration, "milliseconds"))
        rt_str_addf(out, "%lld ms", number_of(migration, "milliseconds"));
    rt_str_add(out, " | ");
    if (commit)
        rt_str_addf(out, "%.12s ", commit);
    if (subject)
        add_code(out, subject);
    rt_str_add(out, " |\n");
}

static void add_migrations(struct rt_str *out, const json_t *list)
{
    size_t count = json_array_size(list);

    if (count == 0)
        return;
    rt_str_add(out, "\n| | migration | statements | time | commit |\n"
                    "|---|---|--:|--:|---|\n");
    for (size_t i = 0; i < count && i < ROWS_SHOWN; i++)
        add_migration(out, json_array_get(list, i));
    if (count > ROWS_SHOWN)
        rt_str_addf(out, "\n... and %zu more\n", count - ROWS_SHOWN);
}

/* ------------------------------------------------------------------ problems */

static void add_field(struct rt_str *out, const json_t *problem, const char *key,
                      const char *label)
{
    const char *text = text_of(problem, key);

    if (text == NULL)
        return;
    rt_str_addf(out, "\n%s", label);
    add_references(out, text, true);
}

static void add_problem(struct rt_str *out, const json_t *problem)
{
    const char *message = text_of(problem, "message"), *path = text_of(problem, "path");
    const char *level = text_of(problem, "level");

    rt_str_addf(out, "\n**%s**\n\n<pre>", level ? level : "error");
    if (path && number_of(problem, "line")) {
        add_references(out, path, false);
        rt_str_addf(out, ":%lld:%lld ", number_of(problem, "line"),
                    number_of(problem, "column"));
    }
    add_references(out, message ? message : "", true);
    add_field(out, problem, "excerpt", "");
    add_field(out, problem, "detail", "detail: ");
    add_field(out, problem, "context", "context: ");
    add_field(out, problem, "hint", "hint: ");
    add_field(out, problem, "sqlstate", "SQLSTATE ");
    add_field(out, problem, "advice", "");
    rt_str_add(out, "</pre>\n");
}

/* What verify finds in the ledger itself. */
static void add_faults(struct rt_str *out, const json_t *list)
{
    size_t count = json_array_size(list);

    for (size_t i = 0; i < count && i < ROWS_SHOWN; i++) {
        rt_str_add(out, "\n- ");
        add_code(out, json_string_value(json_array_get(list, i)));
    }
    if (count > ROWS_SHOWN)
        rt_str_addf(out, "\n\n... and %zu more", count - ROWS_SHOWN);
    rt_str_add(out, count ? "\n" : "");
}

static void add_problems(struct rt_str *out, const json_t *doc)
{
    const json_t *findings = json_object_get(doc, "findings");
    size_t count = json_array_size(findings);

    for (size_t i = 0; i < count && i < ROWS_SHOWN; i++)
        add_problem(out, json_array_get(findings, i));
    if (count > ROWS_SHOWN)
        rt_str_addf(out, "\n... and %zu more\n", count - ROWS_SHOWN);
    if (json_object_get(doc, "error"))
        add_problem(out, json_object_get(doc, "error"));
}

/* ------------------------------------------------------------------ the summary */

static void add_line(struct rt_str *out, const char *label, const char *text)
{
    if (text == NULL)
        return;
    rt_str_addf(out, "\n%s ", label);
    add_code(out, text);
    rt_str_add(out, "\n");
}

static void add_twin(struct rt_str *out, const json_t *twin)
{
    const json_t *left_out = json_object_get(twin, "left_out");
    const char *why = text_of(twin, "why");

    add_line(out, "The twin is production as of", text_of(twin, "snapshot_at"));
    if (why == NULL)
        return;
    rt_str_addf(out, "\nBy %s, because: ", text_of(twin, "method"));
    add_references(out, why, false);
    rt_str_addf(out, ". %lld of %lld tables changed, %lld rows written, in %.1f s\n",
                number_of(twin, "tables_changed"), number_of(twin, "tables"),
                number_of(twin, "rows_written"),
                json_real_value(json_object_get(twin, "seconds")));
    for (size_t i = 0; i < json_array_size(left_out) && i < ROWS_SHOWN; i++)
        add_line(out, "Not copied:", json_string_value(json_array_get(left_out, i)));
}

void rt_markdown_summary(struct rt_str *out, const json_t *doc)
{
    const char *command = text_of(doc, "command");
    long long status = number_of(doc, "exit_status");

    rt_str_addf(out, "### revtwin %s: ", command ? command : "");
    if (status == 0)
        rt_str_add(out, "done\n");
    else
        rt_str_addf(out, "failed, with exit status %lld\n", status);
    add_line(out, "Nothing to do:", text_of(doc, "nothing_to_do"));
    add_migrations(out, json_object_get(doc, "migrations"));
    add_faults(out, json_object_get(doc, "faults"));
    add_problems(out, doc);
    add_twin(out, json_object_get(doc, "twin"));
    add_line(out, "The twin was left as it is:", text_of(doc, "no_resync"));
    add_line(out, "Ledger head:", text_of(doc, "ledger_head"));
    rt_str_add(out, "\n");
}
