#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define PREFIX "revtwin-schema."
#define SUFFIX "XXXXXX" /* of mkdtemp */

static const char *parent(void)
{
    const char *tmp = getenv("TMPDIR");

    return tmp && *tmp ? tmp : "/tmp";
}

/* Open a folder of this user and lock it: a descriptor, or -1 with errno set. */
static int take(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat info;
    int why;

    if (fd < 0)
        return -1;
    if (fstat(fd, &info) == 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        if (info.st_uid == geteuid() && (info.st_mode & 0777) == 0700)
            return fd;
        errno = EPERM;
    }
    why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* Whether the path still leads to the open folder. */
static bool is_there(const char *path, int fd)
{
    struct stat by_path, by_fd;

    return lstat(path, &by_path) == 0 && fstat(fd, &by_fd) == 0 &&
           by_path.st_ino == by_fd.st_ino && by_path.st_dev == by_fd.st_dev;
}

static void empty_and_remove(const char *path, int fd)
{
    int again = dup(fd); /* closedir closes it */
    DIR *dir = again < 0 ? NULL : fdopendir(again);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL)
        unlinkat(fd, entry->d_name, 0); /* of "." and ".." it is refused */
    if (dir)
        closedir(dir);
    else if (again >= 0)
        close(again);
    rmdir(path);
}

static bool is_ours(const char *name)
{
    return strncmp(name, PREFIX, strlen(PREFIX)) == 0 &&
           strlen(name) == strlen(PREFIX SUFFIX);
}

/* Folders that nobody holds any more. */
static void remove_dead(void)
{
    DIR *dir = opendir(parent());
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        char *path;
        int fd;

        if (!is_ours(entry->d_name))
            continue;
        path = rt_format("%s/%s", parent(), entry->d_name);
        fd = take(path);
        if (fd >= 0) {
            rt_log_verbose("removing %s, left by a run that was killed", path);
            empty_and_remove(path, fd);
            close(fd);
        }
        free(path);
    }
    if (dir)
        closedir(dir);
}

int rt_folder_make(struct rt_folder *out, struct rt_err *err)
{
    *out = (struct rt_folder){0};
    remove_dead();
    for (;;) {
        char *path = rt_format("%s/" PREFIX SUFFIX, parent());
        int fd;

        if (mkdtemp(path) == NULL) {
            rt_err_set(err, RT_EINTERNAL, "cannot make folder %s: %s", path,
                       strerror(errno));
            free(path);
            return -RT_EINTERNAL;
        }
        fd = take(path);
        if (fd >= 0 && is_there(path, fd)) {
            *out = (struct rt_folder){path, fd};
            return 0;
        }
        if (fd < 0 && errno != EWOULDBLOCK && errno != ENOENT) {
            rt_err_set(err, RT_EINTERNAL, "cannot lock folder %s: %s", path,
                       strerror(errno));
            rmdir(path);
            free(path);
            return rt_err_hint(err, "Let TMPDIR name a local folder.");
        }
        /* Another process took it for a dead one, between the two calls. */
        if (fd >= 0)
            close(fd);
        free(path);
    }
}

void rt_folder_remove(struct rt_folder *folder)
{
    if (folder->path == NULL)
        return;
    empty_and_remove(folder->path, folder->lock);
    close(folder->lock);
    free(folder->path);
    *folder = (struct rt_folder){0};
}
