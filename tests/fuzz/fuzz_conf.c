/*
 * revtwin.conf comes from whoever wrote the commit: it is read or refused as a whole,
 * never makes libgit2 open another file, and what it says is a setting or refused.
 */
#include "fuzz.h"

#include <git2.h>

#include "cmd/settings.h"
#include "git/config.h"

/* Also that a text is parsed at all. */
static void start(void)
{
    static const char text[] = "[migrations]\npath = db\n";
    struct rt_config config = {0};
    struct rt_arena arena = {0};
    struct rt_err err = {0};

    FUZZ_CHECK(git_libgit2_init() > 0);
    FUZZ_CHECK(rt_config_parse(&config, &arena, text, strlen(text), &err) == 0);
    FUZZ_CHECK(config.count == 1 && strcmp(config.entries[0].value, "db") == 0);
    rt_arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    char *text = fuzz_copy(data, size);
    struct rt_settings settings = {0};
    struct rt_config config = {0};
    struct rt_arena arena = {0};
    struct rt_err err = {0};
    int rc;

    if (!started)
        start();
    started = true;
    rc = rt_config_parse(&config, &arena, text, size, &err);
    FUZZ_CHECK(rc == 0 || rc == -RT_EUSAGE);
    for (size_t i = 0; rc == 0 && i < config.count; i++) {
        const struct rt_config_entry *entry = &config.entries[i];

        FUZZ_CHECK(entry->name[0] != '\0' && entry->value != NULL);
        FUZZ_CHECK(strncmp(entry->name, "include.", 8) != 0);
        FUZZ_CHECK(strncmp(entry->name, "includeif.", 10) != 0);
    }
    if (rc == 0)
        rc = rt_settings_settle(&settings, &config, &err);
    FUZZ_CHECK(rc == 0 || (rc == -RT_EUSAGE && err.message != NULL));
    rt_err_clear(&err);
    rt_arena_clear(&arena);
    free(text);
    return 0;
}
