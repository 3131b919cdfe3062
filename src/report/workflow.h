/*
 * What a workflow run of GitHub Actions is told besides the log
 * (https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions):
 *
 *   GITHUB_ACTIONS       errors, refusals and warnings as annotations, on standard error
 *   GITHUB_STEP_SUMMARY  a Markdown summary, appended to that file
 *   GITHUB_OUTPUT        outputs of the step, appended to that file:
 *                          status         the exit status
 *                          applied        how many migrations this run has applied
 *                          pending        how many are still to be applied
 *                          head           the ledger's head
 *                          twin_snapshot  as of when the twin is production
 *                        each only from a command that knows it
 *
 * All of it is made from the document that --json prints.
 */
#ifndef RT_REPORT_WORKFLOW_H
#define RT_REPORT_WORKFLOW_H

#include "base/json.h"

/* Whether this is a workflow run, in which the runner reads what is printed. */
bool rt_workflow_runs(void);

/* Whether there is anything to be told to. */
bool rt_workflow_listens(void);

/* Tell it. What cannot be written is logged: it does not change what was done. */
void rt_workflow_tell(const json_t *doc);

#endif
