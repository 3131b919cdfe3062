/*
 * Loaded into a server (LD_PRELOAD): the file "clock" in its data folder says by how many
 * seconds its clock is wrong. Only the time of day is; intervals are measured as ever.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    static __typeof__(gettimeofday) *real;
    char text[24] = "";
    int saved = errno, fd, rc;

    if (real == NULL)
        real = (__typeof__(gettimeofday) *)dlsym(RTLD_NEXT, "gettimeofday");
    rc = real(now, zone);
    fd = open("clock", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (read(fd, text, sizeof(text) - 1) > 0)
            now->tv_sec += strtol(text, NULL, 10);
        close(fd);
    }
    errno = saved;
    return rc;
}
