/*
 * Prisma's layout, as a command meets it: whether it is there, what Prisma has applied,
 * and what is to be written for Prisma. Nothing here does anything in another layout.
 */
#ifndef RT_CMD_PRISMA_H
#define RT_CMD_PRISMA_H

#include "cmd/collect.h"

/*
 * Settle whether the tip is in Prisma's layout, by migrations.layout: then work->set is
 * marked, and where production was asked, so is Prisma's table; RT_INTENT_CHANGE also
 * takes Prisma's lock. What speaks against it are findings of work->plan. baseline --from
 * prisma reads the table itself, and writes nothing to it.
 */
int rt_prisma_collect(struct rt_work *work, struct rt_context *context,
                      struct rt_err *err) RT_CHECKED;

/* Only NAME/migration.sql is a migration: of another set, and of files of the checkout.
 */
void rt_prisma_mark(const struct rt_work *work, struct rt_set *set);
void rt_prisma_filter(const struct rt_work *work, struct rt_listing *files);

/* For the plan's input; NULL where there is no table. */
const struct rt_elsewhere *rt_prisma_elsewhere(const struct rt_work *work);

/* Once the plan is decided: its order, and what its actions write for Prisma. */
int rt_prisma_finish(struct rt_work *work, struct rt_context *context,
                     struct rt_err *err) RT_CHECKED;

/* One line of text, and an object of the document. */
void rt_prisma_report(const struct rt_work *work, const struct rt_context *context);

#endif
