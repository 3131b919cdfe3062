/*
 * What a command says: text on standard output, or with --json one document. Errors go to
 * standard error, and into the document.
 *
 * Everything that comes from outside (paths, servers' messages) is printed with its
 * control characters escaped: a file name must not be able to steer a terminal. Nor the
 * runner of a workflow, which takes commands from what is printed: "::" at the start of a
 * line, "##[" anywhere
 * (https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs).
 */
#ifndef RT_REPORT_REPORT_H
#define RT_REPORT_REPORT_H

#include "base/err.h"
#include "base/json.h"

struct rt_report {
    json_t *doc; /* NULL: nobody reads it */
    bool json;   /* it is what standard output gets */
    bool quiet;  /* no text but errors */
};

/* With --json, and in a workflow run (report/workflow.h), results are also collected in a
 * document. */
void rt_report_open(struct rt_report *report, const char *command, bool json, bool quiet);

/* The object of the document that the command's results go into, or NULL. */
json_t *rt_report_json(const struct rt_report *report);

/* Whether results are to be printed as text. */
bool rt_report_text(const struct rt_report *report);

/* One line of results, when they are text. */
void rt_report_line(const struct rt_report *report, const char *fmt, ...) RT_PRINTF(2, 3);

/* An error or a finding on standard error, with its place, excerpt and advice; level is
 * "error", "refused", "warning" or "note". */
void rt_report_problem(const char *level, const struct rt_err *err);
json_t *rt_report_problem_json(const char *level, const struct rt_err *err);

/* Print the error, if there is one (err->message), and the document; and tell the
 * workflow run. */
void rt_report_close(struct rt_report *report, const struct rt_err *err);

/* Text with control characters escaped (newlines too), for the caller to free. */
char *rt_printable(const char *text);

#endif
