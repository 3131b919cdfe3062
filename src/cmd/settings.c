#include "cmd/settings.h"

#include "base/str.h"

enum form {
    FORM_TEXT,
    FORM_PATH,
    FORM_LAYOUT,
    FORM_SECONDS,
    FORM_COUNT,
    FORM_JOBS,
    FORM_DURATION,
    FORM_BOOL,
};

struct setting {
    const char *key, *env, *flag, *fallback;
    enum form form;
    bool in_file; /* whether revtwin.conf may set it: not what runs programs, nor what
                     guards the very commit that brings the file */
    const char *help;
};

static const struct setting table[RT_SETTING_COUNT] = {
    [RT_SET_PATH] = {"migrations.path", "REVTWIN_PATH", "--path", "migrations", FORM_PATH,
                     true, "folder of the migrations, from the repository's root"},
    [RT_SET_LAYOUT] =
        {"migrations.layout", "REVTWIN_LAYOUT", "--layout", "auto", FORM_LAYOUT, true,
         "plain: every .sql file is a migration; prisma: NAME/migration.sql "
         "is, and Prisma's table and lock are kept, too; auto: prisma where "
         "the folder has migration_lock.toml, else plain"},
    [RT_SET_BRANCH] = {"migrations.branch", "REVTWIN_BRANCH", "--branch", NULL, FORM_TEXT,
                       false,
                       "branch that reaches production; unset: the default branch of "
                       "the event or the remote, else main or master"},
    [RT_SET_LOCK_TIMEOUT] = {"apply.lock-timeout", "REVTWIN_LOCK_TIMEOUT",
                             "--lock-timeout", "5s", FORM_DURATION, true,
                             "how long a statement may wait for a lock, and production's "
                             "traffic behind it; 0: for ever"},
    [RT_SET_STATEMENT_TIMEOUT] =
        {"apply.statement-timeout", "REVTWIN_STATEMENT_TIMEOUT", "--statement-timeout",
         NULL, FORM_DURATION, true,
         "how long one statement may run; unset: what the server "
         "says"},
    [RT_SET_RETRIES] = {"apply.retries", "REVTWIN_RETRIES", "--retries", "5", FORM_COUNT,
                        true,
                        "how often to try a migration again that met a lock, a deadlock "
                        "or a serialization failure"},
    [RT_SET_WAIT] = {"apply.wait", "REVTWIN_WAIT", "--wait", "60", FORM_SECONDS, true,
                     "seconds to wait for another revtwin that is at work, and for "
                     "production after a lost connection"},
    [RT_SET_RESYNC] = {"resync.after-apply", "REVTWIN_RESYNC", NULL, "true", FORM_BOOL,
                       true,
                       "whether apply resyncs the twin (--no-resync: not this time)"},
    [RT_SET_SWAP_WAIT] = {"resync.swap-wait", "REVTWIN_SWAP_WAIT", NULL, "10",
                          FORM_SECONDS, true,
                          "seconds to wait until nobody is connected to the old twin"},
    [RT_SET_IN_PLACE] = {"resync.in-place", "REVTWIN_IN_PLACE", NULL, "false", FORM_BOOL,
                         true,
                         "whether a rebuild is one transaction on the twin itself, where "
                         "databases cannot be made (--in-place: this time)"},
    [RT_SET_JOBS] = {"resync.jobs", "REVTWIN_JOBS", "--jobs", NULL, FORM_JOBS, true,
                     "how many tables are compared or copied at a time; unset: by the "
                     "number of processors, 2 to 4"},
    [RT_SET_BINDIR] = {"resync.bindir", "REVTWIN_BINDIR", "--bindir", NULL, FORM_TEXT,
                       false,
                       "folder of pg_dump and pg_restore; unset: the best match found"},
};

static bool is_digits(const char *s)
{
    return *s && strspn(s, "0123456789") == strlen(s) && strlen(s) < 10;
}

/* A PostgreSQL interval for a timeout: a number with an optional unit, milliseconds
 * without one. The server keeps it as an int of milliseconds. */
static bool is_duration(const char *s)
{
    static const struct {
        const char *name;
        int64_t milliseconds;
    } units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}};
    size_t digits = strspn(s, "0123456789");

    if (digits == 0 || digits > 10)
        return false;
    for (size_t i = 0; i < RT_COUNT(units); i++) {
        if (strcmp(s + digits, units[i].name) == 0)
            return strtoll(s, NULL, 10) <= INT32_MAX / units[i].milliseconds;
    }
    return false;
}

static bool is_bool(const char *s, bool *value)
{
    *value = strcasecmp(s, "true") == 0 || strcasecmp(s, "yes") == 0 ||
             strcasecmp(s, "on") == 0 || strcmp(s, "1") == 0;
    return *value || strcasecmp(s, "false") == 0 || strcasecmp(s, "no") == 0 ||
           strcasecmp(s, "off") == 0 || strcmp(s, "0") == 0;
}

static bool is_layout(const char *s)
{
    return strcmp(s, "auto") == 0 || strcmp(s, "plain") == 0 || strcmp(s, "prisma") == 0;
}

static const char *form_error(const struct setting *setting, const char *value)
{
    bool ignored;

    switch (setting->form) {
    case FORM_PATH:
        return *value == '\0' || *value == '/' || strstr(value, "..")
                   ? "a folder inside the repository (. for all of it)"
                   : NULL;
    case FORM_LAYOUT:
        return is_layout(value) ? NULL : "auto, plain or prisma";
    case FORM_SECONDS:
        return is_digits(value) && strlen(value) < 7
                   ? NULL
                   : "a whole number of seconds below a million";
    case FORM_COUNT:
        return is_digits(value) && strlen(value) < 4 ? NULL : "a number below 1000";
    case FORM_JOBS:
        return is_digits(value) && strlen(value) < 3 && strtol(value, NULL, 10) > 0
                   ? NULL
                   : "a number from 1 to 99";
    case FORM_DURATION:
        return is_duration(value)
                   ? NULL
                   : "a number with ms, s, min or h, and at most 2147483647ms (24 days)";
    case FORM_BOOL:
        return is_bool(value, &ignored) ? NULL : "true or false";
    default:
        return *value ? NULL : "a value that is not empty";
    }
}

static int put(struct rt_settings *settings, enum rt_setting which, const char *value,
               const char *origin, struct rt_err *err)
{
    const char *expected = form_error(&table[which], value);

    if (expected)
        return rt_err_set(err, RT_EUSAGE, "%s is \"%s\", but should be %s", origin, value,
                          expected);
    settings->value[which] = value;
    return 0;
}

static int refuse_key(const char *key, struct rt_err *err)
{
    struct rt_guess guess = {.word = key, .limit = 7};
    int rc = rt_err_set(err, RT_EUSAGE, "unknown key %s in %s", key, RT_CONFIG_FILE);

    for (size_t i = 0; i < RT_COUNT(table); i++) {
        if (table[i].in_file)
            rt_guess_try(&guess, table[i].key);
    }
    rt_err_at(err, RT_CONFIG_FILE, 0, 0);
    rt_err_hint(err, "%s%s%srevtwin help config lists every key.",
                guess.best ? "Did you mean " : "", guess.best ? guess.best : "",
                guess.best ? "? " : "");
    return rc;
}

static int put_entry(struct rt_settings *settings, const struct rt_config_entry *entry,
                     struct rt_err *err)
{
    for (enum rt_setting i = 0; i < RT_SETTING_COUNT; i++) {
        int rc;

        if (strcmp(entry->name, table[i].key) != 0)
            continue;
        if (!table[i].in_file) {
            rc = rt_err_set(err, RT_EUSAGE, "%s cannot be set in %s", table[i].key,
                            RT_CONFIG_FILE);
            rt_err_at(err, RT_CONFIG_FILE, 0, 0);
            rt_err_hint(err,
                        "The file comes with the commit, and a pull request may not "
                        "change this. Use %s or %s.",
                        table[i].flag, table[i].env);
            return rc;
        }
        rc = put(settings, i, entry->value, table[i].key, err);
        return rc < 0 ? rt_err_at(err, RT_CONFIG_FILE, 0, 0) : 0;
    }
    return refuse_key(entry->name, err);
}

int rt_settings_settle(struct rt_settings *settings, const struct rt_config *file,
                       struct rt_err *err)
{
    int rc = 0;

    for (enum rt_setting i = 0; i < RT_SETTING_COUNT; i++)
        settings->value[i] = table[i].fallback;
    for (size_t i = 0; rc == 0 && file && i < file->count; i++)
        rc = put_entry(settings, &file->entries[i], err);
    for (enum rt_setting i = 0; rc == 0 && i < RT_SETTING_COUNT; i++) {
        const char *env = getenv(table[i].env);

        if (env && *env)
            rc = put(settings, i, env, table[i].env, err);
        if (rc == 0 && settings->flag[i])
            rc = put(settings, i, settings->flag[i], table[i].flag, err);
    }
    return rc;
}

int rt_setting_number(const struct rt_settings *settings, enum rt_setting setting)
{
    const char *value = settings->value[setting];

    return value ? (int)strtol(value, NULL, 10) : 0;
}

bool rt_setting_true(const struct rt_settings *settings, enum rt_setting setting)
{
    bool value;

    return is_bool(settings->value[setting], &value) && value;
}

void rt_settings_help(struct rt_str *out)
{
    rt_str_add(
        out, "Settings come from, in this order: a flag, the environment, " RT_CONFIG_FILE
             " at the root of the\nrepository (in the commit that is applied; resync by "
             "itself: in HEAD, if there is a\nrepository; git-config syntax), the "
             "default.\n");
    for (size_t i = 0; i < RT_COUNT(table); i++) {
        const struct setting *s = &table[i];

        rt_str_addf(out,
                    "\n  %s\n      %s\n      default: %s\n      environment: %s%s%s%s\n",
                    s->key, s->help, s->fallback ? s->fallback : "(unset)", s->env,
                    s->flag ? "   flag: " : "", s->flag ? s->flag : "",
                    s->in_file ? "" : "   (not in " RT_CONFIG_FILE ")");
    }
    rt_str_add(
        out, "\nServers are never in the file, which a pull request can change:\n"
             "  production  PROD_DATABASE_URL or --prod\n"
             "  the twin    DEV_DATABASE_URL or --twin\n"
             "Each is a libpq connection string (URI or key=value); PGPASSFILE, service "
             "files,\nsslmode and the rest work as in psql.\n"
             "Nor is the secret key that signs the ledger's rows: REVTWIN_SIGNING_KEY, "
             "the path\nof its file, or its text.\n");
}
