/*
 * Files of tools that keep both directions in one: everything after the line that begins
 * the down section undoes what stands before it. A runner that sends the file whole would
 * do and undo it in one go.
 *
 * The lines are "-- migrate:down" (dbmate), "-- +goose Down" and "-- Down Migration"
 * (node-pg-migrate, as its template has it), found as these tools find them: by line,
 * whatever the SQL around it.
 */
#ifndef RT_SQL_SECTION_H
#define RT_SQL_SECTION_H

#include "sql/split.h"

/*
 * -RT_EREFUSED with line, column and excerpt but no path when a statement follows a line
 * that begins a down section. Rows of COPY data are no such lines.
 */
int rt_script_check_sections(const struct rt_script *script,
                             struct rt_err *err) RT_CHECKED;

#endif
