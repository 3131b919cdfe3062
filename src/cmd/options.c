/* The option table of all commands, and which command takes which option. */
#include "base/log.h"
#include "base/opt.h"
#include "base/str.h"
#include "cmd/command.h"
#include "twin/resync.h"

#define FIELD(name) offsetof(struct rt_options, name)
#define SETTING(which) \
    (offsetof(struct rt_options, settings.flag) + (which) * sizeof(char *))

struct option_row {
    const char *commands; /* names between spaces; NULL: all of them */
    struct rt_opt opt;
};

static const struct option_row rows[] = {
    {" plan apply ",
     {0, RT_OPT_TEXT, "base", "REV", "take every step after REV (none: from the first)",
      FIELD(base)}},
    {" plan apply ",
     {0, RT_OPT_FLAG, "ledger", NULL, "take every step since the ledger's newest commit",
      FIELD(ledger)}},
    {" plan apply ",
     {0, RT_OPT_FLAG, "skip-stopped", NULL, "go past files that have stopped half-way",
      FIELD(skip_stopped)}},
    {" resolve ",
     {0, RT_OPT_FLAG, "applied", NULL, "it was finished by hand: it counts as applied",
      FIELD(applied)}},
    {" resolve ",
     {0, RT_OPT_FLAG, "forget", NULL,
      "it was undone by hand: it begins anew with its first statement", FIELD(forget)}},
    {" apply ",
     {0, RT_OPT_FLAG, "no-resync", NULL, "leave the twin as it is", FIELD(no_resync)}},
    {" apply resync ",
     {0, RT_OPT_FLAG, "adopt", NULL,
      "let the twin's present content be replaced, this first time", FIELD(adopt)}},
    {" apply resync ",
     {0, RT_OPT_FLAG, "force", NULL, "end sessions that are in the way on the twin",
      FIELD(force)}},
    {" apply resync ",
     {0, RT_OPT_FLAG, "keep-previous", NULL,
      "keep the twin that a rebuild replaces, for resync --undo", FIELD(keep_previous)}},
    {" apply resync ",
     {0, RT_OPT_FLAG, "in-place", NULL,
      "rebuild in one transaction, where databases cannot be made", FIELD(in_place)}},
    {" apply resync ",
     {0, RT_OPT_TEXT, "method", "METHOD",
      "auto, incremental, delta or rebuild (default: auto)", FIELD(method)}},
    {" apply resync ",
     {0, RT_OPT_FLAG, "full-compare", NULL,
      "compare every table in full, whatever has changed", FIELD(full_compare)}},
    {" apply resync verify ",
     {0, RT_OPT_TEXT, "jobs", "COUNT",
      "tables at a time (default: by processors, 2 to 4)", SETTING(RT_SET_JOBS)}},
    {" resync ",
     {0, RT_OPT_FLAG, "undo", NULL, "put the kept twin back in place", FIELD(undo)}},
    {" baseline ",
     {0, RT_OPT_TEXT, "from", "TOOL", "record what that tool's own history says",
      FIELD(from)}},
    {" baseline ",
     {0, RT_OPT_FLAG, "partial", NULL, "also when a part of that history fits no file",
      FIELD(partial)}},
    {" baseline ",
     {0, RT_OPT_TEXT, "table", "NAME",
      "where that history is, when not in the usual table", FIELD(table)}},
    {" baseline ",
     {'n', RT_OPT_FLAG, "dry-run", NULL, "only show what would be recorded",
      FIELD(dry_run)}},
    {" apply baseline amend resolve ",
     {0, RT_OPT_FLAG, "no-signature", NULL,
      "leave rows unsigned in a ledger whose rows are signed", FIELD(no_signature)}},
    {" amend resolve ",
     {0, RT_OPT_TEXT, "reason", "TEXT", "why; kept in the ledger", FIELD(reason)}},
    {" verify ",
     {0, RT_OPT_TEXT, "public-key", "FILE", "fail on rows that no key of FILE signed",
      FIELD(public_key)}},
    {" verify ",
     {0, RT_OPT_TEXT, "head", "HASH", "fail unless the ledger has had this head",
      FIELD(head)}},
    {" verify ",
     {0, RT_OPT_FLAG, "twin", NULL,
      "compare the rows of DEV_DATABASE_URL with production's", FIELD(rows)}},
    {" plan apply resync baseline amend resolve status verify diff ",
     {0, RT_OPT_TEXT, "prod", "CONNINFO",
      "production, without a password (default: PROD_DATABASE_URL)", FIELD(prod)}},
    {" apply resync status diff ",
     {0, RT_OPT_TEXT, "twin", "CONNINFO",
      "the twin, without a password (default: DEV_DATABASE_URL)", FIELD(twin)}},
    {" plan apply baseline amend resolve status verify ",
     {0, RT_OPT_TEXT, "path", "DIR", "folder of the migrations (default: migrations)",
      SETTING(RT_SET_PATH)}},
    {" plan apply baseline amend resolve status verify ",
     {0, RT_OPT_TEXT, "layout", "LAYOUT", "plain, prisma, or auto (default: auto)",
      SETTING(RT_SET_LAYOUT)}},
    {" plan apply baseline amend resolve ",
     {0, RT_OPT_TEXT, "branch", "NAME", "branch that reaches production",
      SETTING(RT_SET_BRANCH)}},
    {" apply ",
     {0, RT_OPT_TEXT, "lock-timeout", "TIME",
      "longest wait for a lock in production (default: 5s)",
      SETTING(RT_SET_LOCK_TIMEOUT)}},
    {" apply ",
     {0, RT_OPT_TEXT, "statement-timeout", "TIME", "longest run of one statement",
      SETTING(RT_SET_STATEMENT_TIMEOUT)}},
    {" apply ",
     {0, RT_OPT_TEXT, "retries", "COUNT",
      "how often to try again after a lock or deadlock (default: 5)",
      SETTING(RT_SET_RETRIES)}},
    {" apply baseline amend resolve ",
     {0, RT_OPT_TEXT, "wait", "SECONDS",
      "how long to wait for another revtwin (default: 60)", SETTING(RT_SET_WAIT)}},
    {" apply resync ",
     {0, RT_OPT_TEXT, "bindir", "DIR", "folder of pg_dump and pg_restore",
      SETTING(RT_SET_BINDIR)}},
    {NULL,
     {'C', RT_OPT_TEXT, "directory", "DIR", "work as if started in DIR", FIELD(dir)}},
    {NULL, {0, RT_OPT_FLAG, "json", NULL, "print one JSON document", FIELD(json)}},
    {NULL, {'q', RT_OPT_FLAG, "quiet", NULL, "print nothing but errors", FIELD(quiet)}},
    {NULL,
     {'v', RT_OPT_FLAG, "verbose", NULL, "say more about what is done", FIELD(verbose)}},
    {NULL, {'h', RT_OPT_FLAG, "help", NULL, "print this help", FIELD(help)}},
};

static size_t options_of(const struct rt_command_info *command,
                         struct rt_opt out[RT_COUNT(rows)])
{
    char name[32];
    size_t count = 0;

    snprintf(name, sizeof(name), " %s ", command->name);
    for (size_t i = 0; i < RT_COUNT(rows); i++) {
        if (rows[i].commands == NULL || strstr(rows[i].commands, name))
            out[count++] = rows[i].opt;
    }
    return count;
}

static int check_method(const struct rt_options *options, struct rt_err *err)
{
    enum rt_method method = RT_METHOD_AUTO;

    if (options->method && !rt_method_parse(&method, options->method))
        return rt_err_set(err, RT_EUSAGE,
                          "--method is \"%s\", but should be auto, incremental, delta or "
                          "rebuild",
                          options->method);
    if (options->full_compare &&
        (method == RT_METHOD_REBUILD || method == RT_METHOD_INCREMENTAL))
        return rt_err_set(err, RT_EUSAGE,
                          "--full-compare and --method %s exclude each other",
                          options->method);
    if (options->keep_previous &&
        (method == RT_METHOD_DELTA || method == RT_METHOD_INCREMENTAL))
        return rt_err_set(err, RT_EUSAGE,
                          "--keep-previous and --method %s exclude each other",
                          options->method);
    if (options->in_place &&
        (method == RT_METHOD_DELTA || method == RT_METHOD_INCREMENTAL))
        return rt_err_set(err, RT_EUSAGE, "--in-place and --method %s exclude each other",
                          options->method);
    return 0;
}

/* It copies nothing. */
static int check_undo(const struct rt_options *options, struct rt_err *err)
{
    const struct {
        bool given;
        const char *name;
    } others[] = {{options->adopt, "--adopt"},
                  {options->keep_previous, "--keep-previous"},
                  {options->in_place, "--in-place"},
                  {options->method, "--method"},
                  {options->full_compare, "--full-compare"},
                  {options->settings.flag[RT_SET_JOBS], "--jobs"},
                  {options->settings.flag[RT_SET_BINDIR], "--bindir"}};

    for (size_t i = 0; i < RT_COUNT(others); i++) {
        if (others[i].given)
            return rt_err_set(err, RT_EUSAGE, "--undo and %s exclude each other",
                              others[i].name);
    }
    return 0;
}

int rt_options_parse(struct rt_context *context, int argc, char **argv,
                     struct rt_err *err)
{
    const struct rt_command_info *command = context->command;
    struct rt_opt table[RT_COUNT(rows)];
    size_t count = options_of(command, table);
    int first, given;
    int rc = rt_opt_parse(table, count, &context->options, argc, argv, &first, err);

    if (rc < 0)
        return rc;
    given = argc - first;
    context->operand_count = given;
    context->operands = argv + first;
    if (context->options.help)
        return 0;
    for (int i = 0; i < given; i++) {
        /* Not to be quoted as an unknown revision: it may hold a password. */
        if (strstr(context->operands[i], "://") ||
            strstr(context->operands[i], "password="))
            return rt_err_set(err, RT_EUSAGE,
                              "a connection string is not an argument of %s",
                              command->name);
    }
    if (given < command->min_operands)
        return rt_err_set(err, RT_EUSAGE, "%s needs %s", command->name,
                          command->operands);
    if (given > command->max_operands)
        return rt_err_set(err, RT_EUSAGE, "unexpected argument \"%s\"",
                          context->operands[command->max_operands]);
    if (context->options.applied && context->options.forget)
        return rt_err_set(err, RT_EUSAGE, "--applied and --forget exclude each other");
    if (context->options.base && context->options.ledger)
        return rt_err_set(err, RT_EUSAGE, "--base and --ledger exclude each other");
    return context->options.undo ? check_undo(&context->options, err)
                                 : check_method(&context->options, err);
}

void rt_help_command(struct rt_str *out, const struct rt_command_info *command)
{
    struct rt_opt table[RT_COUNT(rows)];
    size_t count = options_of(command, table);

    rt_str_addf(out, "usage: revtwin %s [options]%s%s\n\n%s\n\noptions:\n", command->name,
                command->operands[0] ? " " : "", command->operands, command->help);
    rt_opt_usage(table, count, out);
    rt_str_add(out, "\n" RT_EXIT_STATUSES);
}
