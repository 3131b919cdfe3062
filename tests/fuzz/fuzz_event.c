/* The payload of an event: what it says about a merge is whole, or it is refused. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "cmd/event.h"

/* GITHUB_EVENT_PATH names a file in memory. */
static int event_file(void)
{
    int fd = memfd_create("event", 0);
    char *path = rt_format("/proc/self/fd/%d", fd);

    FUZZ_CHECK(fd >= 0);
    setenv("GITHUB_EVENT_PATH", path, 1);
    free(path);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    struct rt_arena arena = {0};
    struct rt_event event = {0};
    struct rt_err err = {0};
    int rc;

    if (fd < 0)
        fd = event_file();
    FUZZ_CHECK(ftruncate(fd, 0) == 0);
    FUZZ_CHECK(pwrite(fd, data, size, 0) == (ssize_t)size);
    rc = rt_event_read(&event, &arena, &err);
    FUZZ_CHECK(rc == 0 || (rc == -RT_EUSAGE && err.message != NULL));
    if (rc == 0) {
        FUZZ_CHECK(!event.merged || event.closed);
        FUZZ_CHECK(!event.closed || event.pull_request);
        FUZZ_CHECK(!event.closed || !event.closed_before);
        FUZZ_CHECK(event.pull_request == (event.action != NULL));
        FUZZ_CHECK(event.pull_request == (event.number != NULL));
        FUZZ_CHECK(event.merged == (event.merge_commit != NULL));
        FUZZ_CHECK(!event.merged || strlen(event.merge_commit) >= 40);
    }
    rt_err_clear(&err);
    rt_arena_clear(&arena);
    return 0;
}
