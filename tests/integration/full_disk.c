/*
 * Loaded into a server (LD_PRELOAD): while the file "full" is in its data folder, files
 * of tables and indexes cannot grow, as on a disk that is full. Needs no rights and no
 * file system of its own; what a server does with the error is all real.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static bool is_table(int fd)
{
    char link[64], path[1024];
    ssize_t length;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof(path) - 1);
    path[length > 0 ? length : 0] = '\0';
    return strstr(path, "/data/base/") != NULL;
}

static bool is_full(int fd, off_t end)
{
    int saved = errno;
    struct stat info;
    bool full = access("full", F_OK) == 0 && is_table(fd) && fstat(fd, &info) == 0 &&
                end > info.st_size;

    errno = full ? ENOSPC : saved;
    return full;
}

static off_t total(const struct iovec *parts, int count)
{
    off_t sum = 0;

    for (int i = 0; i < count; i++)
        sum += (off_t)parts[i].iov_len;
    return sum;
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size)
{
    return is_full(fd, lseek(fd, 0, SEEK_CUR) + (off_t)size)
               ? -1
               : REAL(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return is_full(fd, at + (off_t)size) ? -1 : REAL(pwrite)(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    return is_full(fd, at + (off_t)size) ? -1 : REAL(pwrite64)(fd, data, size, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    return is_full(fd, at + total(parts, count)) ? -1
                                                 : REAL(pwritev)(fd, parts, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at)
{
    return is_full(fd, at + total(parts, count)) ? -1
                                                 : REAL(pwritev64)(fd, parts, count, at);
}

int posix_fallocate(int fd, off_t at, off_t size)
{
    return is_full(fd, at + size) ? ENOSPC : REAL(posix_fallocate)(fd, at, size);
}

int posix_fallocate64(int fd, off64_t at, off64_t size)
{
    return is_full(fd, at + size) ? ENOSPC : REAL(posix_fallocate64)(fd, at, size);
}
