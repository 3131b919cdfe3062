#include "base/opt.h"

#include <getopt.h>

#include "base/mem.h"
#include "base/str.h"

enum { HELP_COLUMN = 28, FIRST_LONG = 256 };

static void store(const struct rt_opt *opt, void *target)
{
    char *field = (char *)target + opt->offset;
    const bool yes = true;
    const char *text = optarg;

    if (opt->kind == RT_OPT_FLAG)
        memcpy(field, &yes, sizeof(yes));
    else
        memcpy(field, &text, sizeof(text));
}

/* The value behind a '=' is not quoted: it may be a password. */
static int refuse_unknown(const struct rt_opt *table, size_t count, const char *word,
                          struct rt_err *err)
{
    char *name = rt_strndup(word, strcspn(word, "="));
    struct rt_guess guess = {.word = name + strspn(name, "-"), .limit = 3};

    rt_err_set(err, RT_EUSAGE, "unknown option %s", name);
    for (size_t i = 0; i < count; i++)
        rt_guess_try(&guess, table[i].name);
    if (guess.best)
        rt_err_hint(err, "Did you mean --%s?", guess.best);
    free(name);
    return -RT_EUSAGE;
}

static int refuse(const struct rt_opt *table, size_t count, int reason, const char *word,
                  struct rt_err *err)
{
    if (reason == ':')
        return rt_err_set(err, RT_EUSAGE, "option %s needs an argument", word);
    if (optopt >= FIRST_LONG)
        return rt_err_set(err, RT_EUSAGE, "option --%s takes no argument",
                          table[optopt - FIRST_LONG].name);
    if (optopt)
        return rt_err_set(err, RT_EUSAGE, "unknown option -%c", optopt);
    return refuse_unknown(table, count, word, err);
}

/* The row of what getopt_long found; it only finds what is in the table. */
static const struct rt_opt *find(const struct rt_opt *table, int key)
{
    if (key >= FIRST_LONG)
        return &table[key - FIRST_LONG];
    while (table->letter != key)
        table++;
    return table;
}

int rt_opt_parse(const struct rt_opt *table, size_t count, void *target, int argc,
                 char **argv, int *operands, struct rt_err *err)
{
    struct option *longs = rt_alloc((count + 1) * sizeof(*longs));
    struct rt_str letters = {0};
    int key, rc = 0;

    rt_str_add(&letters, ":");
    for (size_t i = 0; i < count; i++) {
        longs[i] = (struct option){table[i].name, table[i].argument != NULL, NULL,
                                   FIRST_LONG + (int)i};
        if (table[i].letter)
            rt_str_addf(&letters, "%c%s", table[i].letter, table[i].argument ? ":" : "");
    }
    optind = 0; /* start over, whatever was parsed before */
    opterr = 0;
    while (rc == 0 && (key = getopt_long(argc, argv, letters.data, longs, NULL)) != -1) {
        if (key == '?' || key == ':')
            rc = refuse(table, count, key, argv[optind - 1], err);
        else
            store(find(table, key), target);
    }
    *operands = optind;
    free(longs);
    rt_str_clear(&letters);
    return rc;
}

void rt_opt_usage(const struct rt_opt *table, size_t count, struct rt_str *out)
{
    for (size_t i = 0; i < count; i++) {
        char letter[] = {'-', table[i].letter, ',', ' ', '\0'};
        char *name = rt_format("  %s--%s%s%s", table[i].letter ? letter : "    ",
                               table[i].name, table[i].argument ? " " : "",
                               table[i].argument ? table[i].argument : "");

        if (strlen(name) < HELP_COLUMN)
            rt_str_addf(out, "%-*s%s\n", HELP_COLUMN, name, table[i].help);
        else
            rt_str_addf(out, "%s\n%*s%s\n", name, HELP_COLUMN, "", table[i].help);
        free(name);
    }
}
