/*
 * The event that started a workflow run: the payload of pull_request, in the file that
 * GITHUB_EVENT_PATH names
 * (https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request).
 */
#ifndef RT_CMD_EVENT_H
#define RT_CMD_EVENT_H

#include "base/arena.h"
#include "base/err.h"

struct rt_event {
    bool pull_request;        /* the event is about a pull request */
    bool closed;              /* this event closes it */
    bool closed_before;       /* it is closed, but not by this event */
    bool merged;              /* this event does */
    const char *action;       /* what the event is */
    const char *number;       /* decimal text */
    unsigned commits;         /* in the pull request; 0 when unknown */
    const char *merge_commit; /* when merged: hex */
    const char *base_ref;     /* the branch that it was merged into; NULL when unknown */
    const char *default_branch; /* of the repository; NULL when unknown */
};

/* Read the event; without GITHUB_EVENT_PATH all of it is unset, for another event all but
 * the default branch. Errors: -RT_EUSAGE for a file that cannot be read or is not such a
 * payload. */
int rt_event_read(struct rt_event *out, struct rt_arena *arena,
                  struct rt_err *err) RT_CHECKED;

#endif
