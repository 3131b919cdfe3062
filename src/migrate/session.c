#include "migrate/session.h"

/* A file may SET ROLE or client_encoding for itself. */
const char *const rt_session_restore[RT_SESSION_RESTORE] = {
    "RESET SESSION AUTHORIZATION",
    "RESET ROLE",
    "RESET client_encoding",
};

/*
 * DISCARD ALL without what would drop the lock of the one runner, and without what only
 * costs time (cached plans). In a transaction of its own: in a pipeline it would else
 * share that of the next file, which would then begin under this file's
 * default_transaction_read_only and the like.
 */
const char *const rt_session_cleanup[RT_SESSION_CLEANUP] = {
    "BEGIN",      "RESET ALL",         "DEALLOCATE ALL", "CLOSE ALL",
    "UNLISTEN *", "DISCARD SEQUENCES", "DISCARD TEMP",   "COMMIT",
};
