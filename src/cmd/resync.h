/* The resync as apply and `revtwin resync` both run it. */
#ifndef RT_CMD_RESYNC_H
#define RT_CMD_RESYNC_H

#include "cmd/command.h"

/*
 * Before production is changed: refuse when twin and production are the same database
 * or the wrong way round (-RT_EREFUSED), or one of them is a pooled host (-RT_EUSAGE). A
 * twin that cannot be reached is only logged: it does not stop a release, and the resync
 * will say so.
 */
int rt_resync_precheck(struct rt_context *context, struct rt_conn *prod,
                       struct rt_err *err) RT_CHECKED;

/* Settle the settings by HEAD's revtwin.conf, if there is one: neither a resync nor
 * verify --twin needs a repository. */
int rt_resync_settings(struct rt_context *context, struct rt_err *err) RT_CHECKED;

/* Resync once the migrations are in: a failure is -RT_ERESYNC and says how to run the
 * resync again, unless it was cancelled or its outcome is unknown. */
int rt_resync_after_apply(struct rt_context *context, struct rt_err *err) RT_CHECKED;

#endif
