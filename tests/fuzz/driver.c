/* Feeds every file of the folders in its arguments to the fuzz target. */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>

#include "base/str.h"

static void fail(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(1);
}

static void feed_file(const char *path)
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
    fprintf(stderr, "%s\n", path); /* the last one is the culprit */
    LLVMFuzzerTestOneInput((const uint8_t *)rt_str_text(&text), text.len);
    rt_str_clear(&text);
}

static size_t feed_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    size_t count = 0;

    if (dir == NULL)
        fail(folder);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            char *path = rt_format("%s/%s", folder, entry->d_name);

            feed_file(path);
            free(path);
            count++;
        }
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;

    for (int i = 1; i < argc; i++)
        count += feed_folder(argv[i]);
    printf("%zu inputs\n", count);
    return count > 0 ? 0 : 1;
}
