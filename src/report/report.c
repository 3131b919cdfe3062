#include "report/report.h"

#include <stdarg.h>

#include "base/mem.h"
#include "base/str.h"
#include "report/workflow.h"

void rt_report_open(struct rt_report *report, const char *command, bool json, bool quiet)
{
    report->quiet = quiet;
    report->json = json;
    report->doc = json || rt_workflow_listens() ? json_object() : NULL;
    if (report->doc) {
        rt_json_put(report->doc, "revtwin", RT_VERSION);
        rt_json_put(report->doc, "command", command);
    }
}

json_t *rt_report_json(const struct rt_report *report)
{
    return report->doc;
}

bool rt_report_text(const struct rt_report *report)
{
    return !report->json && !report->quiet;
}

/* Whether these bytes, at the start of a line or not, make the runner take a command. */
static bool is_command(const char *text, bool line_start)
{
    if (line_start)
        return strncmp(text + strspn(text, " \t"), "::", 2) == 0;
    return strncmp(text, "##[", 3) == 0;
}

/* Escape control characters; with an indent, newlines stay and are followed by it. */
static void add_escaped(struct rt_str *out, const char *text, const char *indent)
{
    bool workflow = rt_workflow_runs();
    bool line_start = indent != NULL;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (workflow && line_start && is_command(text, true)) {
            size_t blank = strspn(text, " \t");

            rt_str_addn(out, text, blank);
            rt_str_add(out, "\\x3a");
            text += blank;
        } else if (workflow && is_command(text, false)) {
            rt_str_add(out, "##\\x5b");
            text += 2;
        } else if (c == '\n' && indent) {
            rt_str_addf(out, "\n%s", indent);
        } else if (c == '\t' && indent) {
            rt_str_add(out, "\t");
        } else if (c == '\n') {
            rt_str_add(out, "\\n");
        } else if (c < 0x20 || c == 0x7f) {
            rt_str_addf(out, "\\x%02x", c);
        } else if (c == 0xc2 && (unsigned char)(text[1] - 0x80) < 0x20) { /* C1 control */
            rt_str_addf(out, "\\u%04x", (unsigned char)*++text);
        } else {
            rt_str_addn(out, text, 1);
        }
        line_start = c == '\n' && indent;
    }
}

void rt_report_line(const struct rt_report *report, const char *fmt, ...)
{
    struct rt_str out = {0};
    va_list ap;
    char *text;

    if (!rt_report_text(report))
        return;
    va_start(ap, fmt);
    text = rt_vformat(fmt, ap);
    va_end(ap);
    add_escaped(&out, text, "");
    puts(rt_str_text(&out));
    rt_str_clear(&out);
    free(text);
}

char *rt_printable(const char *text)
{
    struct rt_str out = {0};

    add_escaped(&out, text, NULL);
    return rt_str_take(&out);
}

static void add_field(struct rt_str *out, const char *label, const char *text)
{
    if (text == NULL)
        return;
    rt_str_addf(out, "  %s", label);
    add_escaped(out, text, *label ? "    " : "  ");
    rt_str_add(out, "\n");
}

void rt_report_problem(const char *level, const struct rt_err *err)
{
    struct rt_str out = {0};

    rt_str_addf(&out, "revtwin: %s: ", level);
    if (err->path && err->line) {
        add_escaped(&out, err->path, NULL);
        rt_str_addf(&out, ":%lu:%lu: ", err->line, err->column);
    } else if (err->path && strstr(err->message, err->path) == NULL) {
        add_escaped(&out, err->path, NULL);
        rt_str_add(&out, ": ");
    }
    add_escaped(&out, err->message ? err->message : "", "    ");
    rt_str_add(&out, "\n");
    if (err->excerpt) {
        rt_str_add(&out, "    ");
        add_escaped(&out, err->excerpt, "    ");
        rt_str_add(&out, "\n");
    }
    add_field(&out, "detail: ", err->detail);
    add_field(&out, "context: ", err->context);
    add_field(&out, "hint: ", err->hint);
    if (err->sqlstate[0])
        rt_str_addf(&out, "  SQLSTATE %s\n", err->sqlstate);
    add_field(&out, "", err->advice);
    fflush(stdout); /* the results before it come first where both go to one place */
    fputs(out.data, stderr);
    rt_str_clear(&out);
}

json_t *rt_report_problem_json(const char *level, const struct rt_err *err)
{
    json_t *object = json_object();

    rt_json_put(object, "level", level);
    rt_json_put(object, "message", err->message);
    rt_json_put(object, "path", err->path);
    if (err->line) {
        json_object_set_new(object, "line", json_integer((json_int_t)err->line));
        json_object_set_new(object, "column", json_integer((json_int_t)err->column));
    }
    rt_json_put(object, "excerpt", err->excerpt);
    rt_json_put(object, "detail", err->detail);
    rt_json_put(object, "context", err->context);
    rt_json_put(object, "hint", err->hint);
    rt_json_put(object, "sqlstate", err->sqlstate[0] ? err->sqlstate : NULL);
    rt_json_put(object, "advice", err->advice);
    return object;
}

/* In a string, where alone it can be, "[" may be written so. */
static void print_json(const json_t *doc)
{
    char *text = json_dumps(doc, JSON_INDENT(2) | JSON_ENSURE_ASCII), *at = text, *hit;

    if (text == NULL)
        rt_out_of_memory();
    while ((hit = strstr(at, "##[")) != NULL) {
        printf("%.*s##\\u005b", (int)(hit - at), at);
        at = hit + 3;
    }
    puts(at);
    free(text);
}

void rt_report_close(struct rt_report *report, const struct rt_err *err)
{
    if (err->message)
        rt_report_problem("error", err);
    if (report->doc == NULL)
        return;
    json_object_set_new(report->doc, "exit_status", json_integer(err->status));
    if (err->message)
        json_object_set_new(report->doc, "error", rt_report_problem_json("error", err));
    if (report->json)
        print_json(report->doc);
    rt_workflow_tell(report->doc);
    json_decref(report->doc);
    report->doc = NULL;
}
