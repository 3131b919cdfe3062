#include "report/workflow.h"

#include <errno.h>

#include "base/log.h"
#include "base/str.h"
#include "report/markdown.h"

/* A variable of the environment that is set, or NULL. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

bool rt_workflow_runs(void)
{
    return variable("GITHUB_ACTIONS") != NULL;
}

bool rt_workflow_listens(void)
{
    return rt_workflow_runs() || variable("GITHUB_STEP_SUMMARY") ||
           variable("GITHUB_OUTPUT");
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* ------------------------------------------------------------------ annotations */

/* The data of a command; a property also needs its separators escaped. */
static void add_data(struct rt_str *out, const char *text, bool property)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '%' || c < 0x20 || c == 0x7f || (property && (c == ':' || c == ',')))
            rt_str_addf(out, "%%%02X", c);
        else if (strncmp(text, "##[", 3) == 0) /* the old form of a command */
            rt_str_add(out, "\\x23");
        else
            rt_str_addn(out, text, 1);
    }
}

static void add_property(struct rt_str *out, const char *name, const char *value)
{
    rt_str_addf(out, "%s=", name);
    add_data(out, value, true);
    rt_str_add(out, ",");
}

static void annotate(const json_t *problem, const char *command)
{
    static const char *const parts[] = {"detail", "hint", "advice"};
    const char *level = text_of(problem, "level"), *path = text_of(problem, "path");
    const char *message = text_of(problem, "message");
    json_int_t line = json_integer_value(json_object_get(problem, "line"));
    json_int_t column = json_integer_value(json_object_get(problem, "column"));
    struct rt_str out = {0};

    if (level == NULL || strcmp(level, "note") == 0)
        return;
    rt_str_addf(&out, "::%s ", strcmp(level, "warning") == 0 ? "warning" : "error");
    if (path)
        add_property(&out, "file", path);
    if (path && line)
        rt_str_addf(&out, "line=%" JSON_INTEGER_FORMAT ",col=%" JSON_INTEGER_FORMAT ",",
                    line, column);
    rt_str_addf(&out, "title=revtwin %s::", command);
    add_data(&out, message ? message : "", false);
    for (size_t i = 0; i < RT_COUNT(parts); i++) {
        if (text_of(problem, parts[i])) {
            rt_str_add(&out, "%0A");
            add_data(&out, text_of(problem, parts[i]), false);
        }
    }
    fprintf(stderr, "%s\n", rt_str_text(&out));
    rt_str_clear(&out);
}

static void annotate_all(const json_t *doc)
{
    const char *command = text_of(doc, "command");
    const json_t *findings = json_object_get(doc, "findings"),
                 *error = json_object_get(doc, "error");

    fflush(stdout);
    for (size_t i = 0; i < json_array_size(findings); i++)
        annotate(json_array_get(findings, i), command);
    if (error)
        annotate(error, command);
}

/* ------------------------------------------------------------------ outputs */

static void add_output(struct rt_str *out, const char *name, const char *value)
{
    /* A line of its own would be another output. */
    if (value && value[strcspn(value, "\r\n")] == '\0')
        rt_str_addf(out, "%s=%s\n", name, value);
}

static void add_counts(struct rt_str *out, const json_t *doc)
{
    const json_t *list = json_object_get(doc, "migrations"),
                 *pending = json_object_get(doc, "pending");
    const char *command = text_of(doc, "command");
    bool is_apply = strcmp(command, "apply") == 0;
    size_t applied = 0, files = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *migration = json_array_get(list, i);
        const char *action = text_of(migration, "action"),
                   *state = text_of(migration, "state");
        bool is_file = action && strcmp(action, "apply") == 0;

        files += is_file;
        applied += is_file && state && strcmp(state, "applied") == 0;
    }
    if (is_apply)
        rt_str_addf(out, "applied=%zu\n", applied);
    if (list && (is_apply || strcmp(command, "plan") == 0))
        rt_str_addf(out, "pending=%zu\n", files - applied);
    else if (json_is_array(pending))
        rt_str_addf(out, "pending=%zu\n", json_array_size(pending));
}

static void collect_outputs(struct rt_str *out, const json_t *doc)
{
    rt_str_addf(out, "status=%" JSON_INTEGER_FORMAT "\n",
                json_integer_value(json_object_get(doc, "exit_status")));
    add_counts(out, doc);
    add_output(out, "head", text_of(doc, "ledger_head"));
    add_output(out, "twin_snapshot",
               text_of(json_object_get(doc, "twin"), "snapshot_at"));
}

/* ------------------------------------------------------------------ telling */

static void append(const char *name, const struct rt_str *text)
{
    const char *path = variable(name);
    FILE *file;
    bool written;

    if (path == NULL)
        return;
    file = fopen(path, "ae");
    written = file && fputs(rt_str_text(text), file) >= 0;
    if (file && fclose(file) != 0)
        written = false;
    if (!written)
        rt_log("warning: cannot write to %s, which %s names: %s", path, name,
               strerror(errno));
}

/* help, version and the like have nothing to tell. */
static bool has_news(const json_t *doc)
{
    static const char *const news[] = {"error", "findings",    "migrations",
                                       "twin",  "ledger_head", "nothing_to_do"};

    for (size_t i = 0; i < RT_COUNT(news); i++) {
        if (json_object_get(doc, news[i]))
            return true;
    }
    return false;
}

void rt_workflow_tell(const json_t *doc)
{
    struct rt_str summary = {0}, outputs = {0};

    if (!rt_workflow_listens() || !has_news(doc))
        return;
    if (rt_workflow_runs())
        annotate_all(doc);
    rt_markdown_summary(&summary, doc);
    collect_outputs(&outputs, doc);
    append("GITHUB_STEP_SUMMARY", &summary);
    append("GITHUB_OUTPUT", &outputs);
    rt_str_clear(&summary);
    rt_str_clear(&outputs);
}
