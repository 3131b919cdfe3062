/*
 * Keys where people keep them: in files, or in an environment variable, because that is
 * how a workflow run gets its secrets. Messages never quote what may be a key.
 */
#ifndef RT_BASE_KEYFILE_H
#define RT_BASE_KEYFILE_H

#include <sys/types.h>

#include "base/sign.h"

/*
 * Read keys: value is the path of a file, or the keys themselves, when it has a key's
 * prefix in it. source ("REVTWIN_SIGNING_KEY") names it in messages. Errors, all
 * -RT_EUSAGE: what rt_signing_key_parse says, a file that cannot be read, is no regular
 * one or larger than RT_KEYFILE_MAX, and a secret one that group or others have rights
 * to.
 */
enum { RT_KEYFILE_MAX = 4096 };

int rt_signing_key_read(struct rt_signing_key **out, const char *value,
                        const char *source, struct rt_err *err) RT_CHECKED;
int rt_public_keys_read(struct rt_public_keys *out, struct rt_arena *arena,
                        const char *value, const char *source,
                        struct rt_err *err) RT_CHECKED;

/*
 * Make a file with the text and a line end, and have it on the disk when it returns 0.
 * Errors, after which there is no such file: -RT_EUSAGE when it cannot be made, or is
 * there already (it then stays as it is), -RT_EINTERNAL when it cannot be written.
 */
int rt_keyfile_create(const char *path, const char *text, mode_t mode,
                      struct rt_err *err) RT_CHECKED;

#endif
