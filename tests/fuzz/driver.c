/*
 * Feeds the files of the folders in its arguments to the fuzz target, and then crossings
 * of them: the start of one and the end of another, the same ones in every run. The input
 * that ends the program is left in the file "failed-input".
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/str.h"

enum { CROSSINGS = 10000 };

static struct rt_str *inputs, current;
static size_t count, cap;

static void keep_current(int number)
{
    int fd = open("failed-input", O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (fd < 0 || write(fd, current.data, current.len) != (ssize_t)current.len)
        _exit(2);
    signal(number, SIG_DFL);
    raise(number);
}

static void feed(const char *data, size_t len)
{
    rt_str_reset(&current);
    rt_str_addn(&current, data, len);
    LLVMFuzzerTestOneInput((const uint8_t *)rt_str_text(&current), current.len);
}

static void fail(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(1);
}

static void read_file(const char *path)
{
    FILE *file = fopen(path, "rbe");
    struct rt_str text = {0};
    char buf[4096];
    size_t got;

    if (file == NULL)
        fail(path);
    while ((got = fread(buf, 1, sizeof(buf), file)) > 0)
        rt_str_addn(&text, buf, got);
    if (ferror(file) || fclose(file) != 0)
        fail(path);
    inputs = rt_grow(inputs, count, &cap, sizeof(*inputs));
    inputs[count++] = text;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void read_folder(const char *folder)
{
    struct dirent **files;
    int found = scandir(folder, &files, is_visible, alphasort);

    if (found < 0)
        fail(folder);
    for (int i = 0; i < found; i++) {
        char *path = rt_format("%s/%s", folder, files[i]->d_name);

        read_file(path);
        free(path);
        free(files[i]);
    }
    free(files);
}

static size_t below(size_t limit)
{
    static uint32_t seed = 1;

    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

static void feed_crossing(void)
{
    const struct rt_str *head = &inputs[below(count)], *tail = &inputs[below(count)];
    size_t start = below(head->len + 1), rest = below(tail->len + 1);
    struct rt_str text = {0};

    rt_str_addn(&text, rt_str_text(head), start);
    rt_str_addn(&text, rt_str_text(tail) + tail->len - rest, rest);
    feed(rt_str_text(&text), text.len);
    rt_str_clear(&text);
}

int main(int argc, char **argv)
{
    signal(SIGABRT, keep_current);
    signal(SIGSEGV, keep_current);
    for (int i = 1; i < argc; i++)
        read_folder(argv[i]);
    for (size_t i = 0; i < count; i++)
        feed(rt_str_text(&inputs[i]), inputs[i].len);
    for (int i = 0; count > 0 && i < CROSSINGS; i++)
        feed_crossing();
    printf("%zu inputs, %d crossings\n", count, CROSSINGS);
    for (size_t i = 0; i < count; i++)
        rt_str_clear(&inputs[i]);
    free(inputs);
    rt_str_clear(&current);
    return count > 0 ? 0 : 1;
}
