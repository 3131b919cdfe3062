/*
 * Making a session of production ours again after the statements of a file. Between two
 * connections nothing has to be reset; between a file and what revtwin writes, and
 * between two files of one connection, it has.
 */
#ifndef RT_MIGRATE_SESSION_H
#define RT_MIGRATE_SESSION_H

/* Role and encoding as they were, for rows that are written as who we are. */
enum { RT_SESSION_RESTORE = 3 };
extern const char *const rt_session_restore[RT_SESSION_RESTORE];

/* As after connecting, but for the role and for the lock of the one runner. */
enum { RT_SESSION_CLEANUP = 8 };
extern const char *const rt_session_cleanup[RT_SESSION_CLEANUP];

#endif
