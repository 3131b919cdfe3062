#include "base/secret.h"

#include <sodium.h>

#include "base/mem.h"
#include "base/str.h"

void rt_secret_set(struct rt_secret *secret, const char *text)
{
    size_t size;

    rt_secret_clear(secret);
    if (text == NULL)
        return;
    size = strlen(text) + 1;
    /* Guarded memory needs the set-up, which runs once however often it is asked for. */
    secret->text = sodium_init() < 0 ? NULL : sodium_malloc(size);
    if (secret->text == NULL)
        rt_out_of_memory();
    memcpy(secret->text, text, size);
}

void rt_secret_clear(struct rt_secret *secret)
{
    sodium_free(secret->text);
    secret->text = NULL;
}

char *rt_redact(const char *text, const char *word)
{
    struct rt_str out = {0};
    const char *hit;

    if (word && *word) {
        while ((hit = strstr(text, word)) != NULL) {
            rt_str_addn(&out, text, (size_t)(hit - text));
            rt_str_add(&out, "****");
            text = hit + strlen(word);
        }
    }
    rt_str_add(&out, text);
    return rt_str_take(&out);
}
