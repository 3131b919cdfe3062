/*
 * A temporary folder that only this user can look into. It is locked while its process
 * lives, so that whoever makes the next one can tell those of killed processes, and
 * removes them.
 */
#ifndef RT_BASE_FOLDER_H
#define RT_BASE_FOLDER_H

#include "base/err.h"

struct rt_folder {
    char *path; /* in TMPDIR, or /tmp; NULL: there is none */
    int lock;   /* a descriptor */
};

/* -RT_EINTERNAL when it cannot be made. */
int rt_folder_make(struct rt_folder *out, struct rt_err *err) RT_CHECKED;

/* Remove it with the files in it; fine on {0}. */
void rt_folder_remove(struct rt_folder *folder);

#endif
