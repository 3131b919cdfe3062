/* Running what pg_restore prints, on a connection: in its transaction, where pg_restore
 * would need one of its own. */
#ifndef RT_TWIN_REBUILD_RESTORE_H
#define RT_TWIN_REBUILD_RESTORE_H

#include "pg/conn.h"

/* Many statements travel at once. The settings that the script makes are the session's
 * from then on. Errors have the statement as detail. */
int rt_restore(struct rt_conn *conn, const char *text, struct rt_err *err) RT_CHECKED;

#endif
