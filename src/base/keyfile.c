#include "base/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/mem.h"

/* ------------------------------------------------------------------ reading */

static int cannot_read(const char *source, int error, struct rt_err *err)
{
    return rt_err_set(err, RT_EUSAGE, "cannot read the file that %s names: %s", source,
                      strerror(error));
}

/* The path of what was opened is a path, and no mistaken key: it can be quoted. */
static int check_kind(mode_t mode, const char *path, const char *source,
                      struct rt_err *err)
{
    if (S_ISDIR(mode))
        return rt_err_set(err, RT_EUSAGE, "%s names a folder: \"%s\"", source, path);
    if (!S_ISREG(mode))
        return rt_err_set(err, RT_EUSAGE, "%s names no regular file: \"%s\"", source,
                          path);
    return 0;
}

static int check_private(mode_t mode, const char *path, const char *source,
                         struct rt_err *err)
{
    if ((mode & 077) == 0)
        return 0;
    rt_err_set(err, RT_EUSAGE,
               "the secret key that %s names is open to other users of this machine "
               "(mode %04o)",
               source, (unsigned)mode & 07777);
    return rt_err_hint(err, "If nobody has read it yet: chmod 600 '%s'", path);
}

/* The whole file as text into RT_KEYFILE_MAX + 1 bytes. */
static int read_text(char *text, int fd, const char *path, const char *source,
                     struct rt_err *err)
{
    size_t len = 0;
    ssize_t got;

    do {
        got = read(fd, text + len, RT_KEYFILE_MAX + 1 - len);
        if (got > 0)
            len += (size_t)got;
    } while (len <= RT_KEYFILE_MAX && (got > 0 || (got < 0 && errno == EINTR)));
    if (got < 0)
        return cannot_read(source, errno, err);
    if (len > RT_KEYFILE_MAX || memchr(text, '\0', len))
        return rt_err_set(err, RT_EUSAGE, "%s names a file that is not a key: \"%s\"",
                          source, path);
    text[len] = '\0';
    return 0;
}

static int read_file(char *text, mode_t *mode, const char *path, const char *source,
                     const char *prefix, struct rt_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), rc;
    struct stat st;

    if (fd < 0) {
        rc = cannot_read(source, errno, err);
        rt_err_hint(err,
                    "%s is the path of a key file, or the key itself, which begins with "
                    "%s.",
                    source, prefix);
        return rc;
    }
    if (fstat(fd, &st) != 0)
        rc = cannot_read(source, errno, err);
    else
        rc = check_kind(st.st_mode, path, source, err);
    if (rc == 0)
        rc = read_text(text, fd, path, source, err);
    if (rc == 0)
        *mode = st.st_mode;
    close(fd);
    return rc;
}

/* The text of the file (and its mode), or the value itself (0), for the caller to
 * sodium_free, also after an error. */
static int read_value(char **text, mode_t *mode, const char *value, const char *source,
                      const char *prefix, struct rt_err *err)
{
    bool is_path = strstr(value, RT_SECRET_KEY_PREFIX) == NULL &&
                   strstr(value, RT_PUBLIC_KEY_PREFIX) == NULL;
    size_t size = is_path ? RT_KEYFILE_MAX + 1 : strlen(value) + 1;

    *mode = 0;
    *text = sodium_init() < 0 ? NULL : sodium_malloc(size);
    if (*text == NULL)
        rt_out_of_memory();
    if (is_path)
        return read_file(*text, mode, value, source, prefix, err);
    memcpy(*text, value, size);
    return 0;
}

int rt_signing_key_read(struct rt_signing_key **out, const char *value,
                        const char *source, struct rt_err *err)
{
    char *text;
    mode_t mode;
    int rc = read_value(&text, &mode, value, source, RT_SECRET_KEY_PREFIX, err);

    *out = NULL;
    if (rc == 0)
        rc = rt_signing_key_parse(out, text, source, err);
    if (rc == 0) /* last: what is no secret key may be open to everybody */
        rc = check_private(mode, value, source, err);
    if (rc < 0) {
        rt_signing_key_free(*out);
        *out = NULL;
    }
    sodium_free(text);
    return rc;
}

int rt_public_keys_read(struct rt_public_keys *out, struct rt_arena *arena,
                        const char *value, const char *source, struct rt_err *err)
{
    char *text;
    mode_t mode;
    int rc = read_value(&text, &mode, value, source, RT_PUBLIC_KEY_PREFIX, err);

    *out = (struct rt_public_keys){0};
    if (rc == 0)
        rc = rt_public_keys_parse(out, arena, text, source, err);
    sodium_free(text);
    return rc;
}

/* ------------------------------------------------------------------ making */

static int write_all(int fd, const char *text)
{
    size_t len = strlen(text), done = 0;

    while (done < len) {
        ssize_t n = write(fd, text + done, len - done);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            done += (size_t)n;
    }
    return 0;
}

/* Without it a crash may lose the name although the content is safe. Not every file
 * system can. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? rt_strndup(path, (size_t)(slash - path) + 1) : rt_strdup(".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    free(folder);
    if (fd < 0)
        return;
    (void)!fsync(fd);
    close(fd);
}

int rt_keyfile_create(const char *path, const char *text, mode_t mode, struct rt_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, mode);
    int error;

    if (fd < 0 && errno == EEXIST) {
        rt_err_set(err, RT_EUSAGE, "\"%s\" exists already, and is not overwritten", path);
        return rt_err_hint(err, "It may be the only copy of a key that signed a ledger. "
                                "Name another file: revtwin keygen FILE");
    }
    if (fd < 0)
        return rt_err_set(err, RT_EUSAGE, "cannot make \"%s\": %s", path,
                          strerror(errno));
    if (write_all(fd, text) == 0 && write_all(fd, "\n") == 0 && fsync(fd) == 0) {
        close(fd);
        sync_folder(path);
        return 0;
    }
    error = errno;
    close(fd);
    unlink(path);
    return rt_err_set(err, RT_EINTERNAL, "cannot write \"%s\": %s", path,
                      strerror(error));
}
