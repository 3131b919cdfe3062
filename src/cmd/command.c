#include "cmd/command.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/signing.h"

const struct rt_command_info rt_commands[] = {
    {"plan", "[COMMIT]", 0, 1, RT_NEED_REPO | RT_USE_PROD, rt_cmd_plan,
     "show what apply would do, and change nothing",
     "Show which migrations apply would run, in which order, and what speaks against "
     "it.\n"
     "Nothing is changed; production is opened read-only.\n\n"
     "On a feature branch: everything since the merge base with the default branch, and\n"
     "new files that are not committed yet. Otherwise the one step COMMIT (default: "
     "HEAD),\n"
     "or the range that --base or --ledger name. Without PROD_DATABASE_URL the plan is\n"
     "made from git alone."},
    {"apply", "[COMMIT]", 0, 1,
     RT_NEED_REPO | RT_NEED_PROD | RT_USE_TWIN | RT_NEED_SIGNER, rt_cmd_apply,
     "apply merged migrations to production, then resync the twin",
     "Apply the new migrations of one step to production, each in one transaction with "
     "its\n"
     "row in the ledger, and then resync the twin when DEV_DATABASE_URL is set.\n\n"
     "A step is one first-parent commit: a merge, a squash, or one commit of a rebase\n"
     "merge. COMMIT defaults to the merge commit of the pull request in a workflow run,\n"
     "else to HEAD. --base REV takes every step after REV; --ledger every step since "
     "the\n"
     "newest commit in the ledger: for release days, rebase merges and missed runs.\n\n"
     "A file whose statements refuse a transaction, or that starts with the line\n"
     "\"-- revtwin: no-transaction\", runs statement by statement. When one fails, the "
     "file\n"
     "has stopped half-way: the next apply begins with it, at that statement;\n"
     "--skip-stopped goes past it this once, and revtwin resolve settles it by hand."},
    {"resync", "", 0, 0, RT_USE_REPO | RT_NEED_PROD | RT_NEED_TWIN, rt_cmd_resync,
     "bring the twin in line with production, whole and at once",
     "Run on the twin the migrations that production's ledger has and the twin's lacks,\n"
     "and then, when the schemas are the same, move the rows that differ, in one\n"
     "transaction (delta). Otherwise, and the first time, build a copy of production\n"
     "beside the twin and put it in the twin's place in one step (rebuild). Until then,\n"
     "and after every failure, the twin's data are as they were. The method and why it\n"
     "was chosen are told; --method asks for one. A database that revtwin did not make\n"
     "is only replaced with --adopt, which is needed once.\n\n"
     "With --keep-previous the twin that a rebuild replaces stays as a database beside "
     "it,\n"
     "TWIN_revtwin_previous, until the next rebuild. --undo lets the two change places:\n"
     "production is not needed, and another --undo takes it back. Sessions on the twin "
     "are\n"
     "waited for (resync.swap-wait) and named; --force ends them.\n\n"
     "Where databases cannot be created, --in-place (resync.in-place) lets a rebuild be\n"
     "one transaction on the twin itself, for which everybody else has to wait."},
    {"baseline", "REV [PATH...]", 0, INT_MAX,
     RT_NEED_REPO | RT_NEED_PROD | RT_NEED_SIGNER, rt_cmd_baseline,
     "record migrations as applied without running them",
     "Record migrations in the tree of REV that the ledger does not have as applied, "
     "without\n"
     "running them: all of them, for a first use, or those of the given paths, for what "
     "was\n"
     "applied by hand. A path is given from the repository's root.\n\n"
     "--from TOOL reads the history that another tool keeps in production, and records "
     "what\n"
     "it says was applied: prisma, flyway, dbmate, golang-migrate, goose, sqlx,\n"
     "node-pg-migrate or graphile-migrate. Migrations without a file, those that failed, "
     "and\n"
     "files that do not have the checksum that the tool kept are listed, and nothing is\n"
     "recorded unless --partial says to go on without them. REV then defaults to HEAD."},
    {"amend", "PATH", 1, 1, RT_NEED_REPO | RT_NEED_PROD | RT_NEED_SIGNER, rt_cmd_amend,
     "accept an applied file as it is by now",
     "Accept that PATH (from the repository's root) was changed after it was applied: "
     "its\n"
     "content at HEAD counts as applied from here on. Nothing is run, and no row of the\n"
     "ledger is changed: another one tells who accepted it, when and why (--reason)."},
    {"resolve", "PATH", 1, 1, RT_NEED_REPO | RT_NEED_PROD | RT_NEED_SIGNER,
     rt_cmd_resolve, "settle by hand a file that has stopped half-way",
     "A file that runs without a transaction stops at the statement that fails, and "
     "apply\n"
     "goes on there. Where that is not what is wanted, settle it by hand: finish its\n"
     "statements, then resolve PATH --applied: with its content at HEAD it counts as\n"
     "applied. Or undo them, then resolve PATH --forget: it is pending again, and "
     "begins\n"
     "anew. Nothing is run; the ledger gets a row that tells who did so, when and why\n"
     "(--reason)."},
    {"status", "[COMMIT]", 0, 1, RT_NEED_REPO | RT_NEED_PROD | RT_USE_TWIN, rt_cmd_status,
     "compare production's ledger with the repository",
     "Show what production's ledger has, what is pending at COMMIT (default: HEAD), "
     "failed\n"
     "attempts, and how old the twin is when DEV_DATABASE_URL is set."},
    {"verify", "[COMMIT]", 0, 1, RT_NEED_REPO | RT_NEED_PROD, rt_cmd_verify,
     "check the ledger's chain, and every checksum; or the twin's rows",
     "Recompute the hash chain of production's ledger, and compare every checksum with "
     "the\n"
     "files at COMMIT (default: HEAD). Exits with 7 when anything differs.\n\n"
     "Who can write to the ledger can make another unbroken chain. With --public-key "
     "every\n"
     "row has to be signed by a key of FILE; with --head the ledger has to have the "
     "head\n"
     "that was noted elsewhere, which also shows rows cut off the end. With both, rows "
     "up\n"
     "to that head need no signature: signing began, or the key changed, there.\n\n"
     "With --twin it is the twin that is verified instead, which needs no repository: "
     "the\n"
     "counts and the row hashes of every table, each side at one snapshot, and where "
     "its\n"
     "sequences are. Both are only read. -v names the first rows that differ by their "
     "keys."},
    {"diff", "", 0, 0, RT_NEED_PROD | RT_NEED_TWIN, rt_cmd_diff,
     "compare the twin's schema with production's",
     "Show where the twin's schema is not production's, object by object, as a unified "
     "diff\n"
     "that leads from production to the twin: lines with - are production's, lines with "
     "+\n"
     "the twin's. Everything that pg_dump would dump counts, but owners and privileges.\n"
     "Both sides are only read. Exits with 7 when anything differs."},
    {"keygen", "[FILE]", 0, 1, 0, rt_cmd_keygen, "make a pair of keys for the ledger",
     "Make a pair of Ed25519 keys: the secret one in FILE (default: revtwin.key), the\n"
     "public one in FILE.pub. With the secret one in REVTWIN_SIGNING_KEY every row of\n"
     "the ledger is signed; with the public one anybody can check that:\n"
     "revtwin verify --public-key FILE.pub. Nothing is overwritten."},
    {"version", "", 0, 0, 0, rt_cmd_version, "print the version", "Print the version."},
    {"help", "[COMMAND | config]", 0, 1, 0, rt_cmd_help,
     "explain a command, or the settings",
     "Explain a command; help config lists every setting with its default."},
};
const size_t rt_command_count = RT_COUNT(rt_commands);

const struct rt_command_info *rt_command_find(const char *name)
{
    for (size_t i = 0; i < rt_command_count; i++) {
        if (strcmp(rt_commands[i].name, name) == 0)
            return &rt_commands[i];
    }
    return NULL;
}

void rt_help_program(struct rt_str *out)
{
    rt_str_add(out, "usage: revtwin COMMAND [options]\n\n"
                    "Applies merged SQL migrations to production PostgreSQL, and keeps a "
                    "twin equal to it.\n\ncommands:\n");
    for (size_t i = 0; i < rt_command_count; i++)
        rt_str_addf(out, "  %-10s%s\n", rt_commands[i].name, rt_commands[i].summary);
    rt_str_add(out,
               "\nrevtwin COMMAND --help explains one command, revtwin help config the "
               "settings.\n\n"
               "environment:\n"
               "  PROD_DATABASE_URL    production, as a libpq connection string\n"
               "  DEV_DATABASE_URL     the twin\n"
               "  GITHUB_EVENT_PATH    payload of a pull_request event: its merge commit "
               "is applied\n"
               "  REVTWIN_SIGNING_KEY  the key that signs the ledger's rows, or its "
               "file\n\n" RT_EXIT_STATUSES);
}

/* ------------------------------------------------------------------ preconditions */

static int open_repo(struct rt_context *context, bool needed, struct rt_err *err)
{
    const char *dir = context->options.dir;
    int rc = rt_repo_open(&context->repo, dir ? dir : ".", err);

    if (rc == -RT_EUSAGE && !needed) {
        rt_err_clear(err);
        return 0;
    }
    return rc;
}

static int take_server(struct rt_server *server, const char *flag, const char *flag_value,
                       const char *env, bool needed, struct rt_err *err)
{
    const char *value = flag_value ? flag_value : getenv(env);

    server->source = flag_value ? flag : env;
    if (flag_value && rt_conninfo_has_password(flag_value)) {
        rt_err_set(err, RT_EUSAGE, "%s carries a password, or cannot be parsed", flag);
        return rt_err_hint(err,
                           "Every process on this machine can read arguments. Put the "
                           "password into %s, or into a PGPASSFILE.",
                           env);
    }
    if (value && *value) {
        rt_secret_set(&server->conninfo, value);
        return rt_server_check(server, err);
    }
    if (!needed)
        return 0;
    rt_err_set(err, RT_EUSAGE, "%s is not set", env);
    return rt_err_hint(err,
                       "Set it to the connection string of %s, for example "
                       "postgresql://user@host/database%s%s.",
                       server->role, flag ? ", or use " : "", flag ? flag : "");
}

static int enter_folder(const char *dir, struct rt_err *err)
{
    if (dir == NULL || chdir(dir) == 0)
        return 0;
    return rt_err_set(err, RT_EUSAGE, "cannot enter \"%s\": %s", dir, strerror(errno));
}

static int check_needs(struct rt_context *context, struct rt_err *err)
{
    const struct rt_options *options = &context->options;
    unsigned needs = context->command->needs;
    int rc = 0;

    if (options->undo)
        needs &= ~(unsigned)RT_NEED_PROD;
    if (options->rows)
        needs = RT_USE_REPO | RT_NEED_PROD | RT_NEED_TWIN;

    if (needs & (RT_NEED_REPO | RT_USE_REPO))
        rc = open_repo(context, needs & RT_NEED_REPO, err);
    if (rc == 0)
        rc = enter_folder(options->dir, err);
    if (rc == 0 && needs & (RT_NEED_PROD | RT_USE_PROD))
        rc = take_server(&context->prod, "--prod", options->prod, "PROD_DATABASE_URL",
                         needs & RT_NEED_PROD, err);
    if (rc == 0 && needs & (RT_NEED_TWIN | RT_USE_TWIN)) /* verify --twin has no value */
        rc = take_server(&context->twin, options->rows ? NULL : "--twin", options->twin,
                         "DEV_DATABASE_URL", needs & RT_NEED_TWIN, err);
    if (rc == 0 && needs & RT_NEED_SIGNER)
        rc = rt_signing_take(context, err);
    return rc;
}

static int print_help(const struct rt_command_info *command)
{
    struct rt_str text = {0};

    rt_help_command(&text, command);
    fputs(text.data, stdout);
    rt_str_clear(&text);
    return 0;
}

static bool has_command(const char *text)
{
    for (size_t i = 0; text && i < rt_command_count; i++) {
        char command[32];

        snprintf(command, sizeof(command), "revtwin %s", rt_commands[i].name);
        if (strstr(text, command))
            return true;
    }
    return false;
}

/* Commands that an error tells to run are for what this one was pointed at by options. */
static int add_places(const struct rt_context *context, struct rt_err *err)
{
    const struct rt_options *options = &context->options;
    const struct {
        const char *given, *name;
    } places[] = {{options->dir, "--directory"},
                  {options->prod, "--prod"},
                  {options->twin, "--twin"},
                  {options->settings.flag[RT_SET_BRANCH], "--branch"},
                  {options->settings.flag[RT_SET_PATH], "--path"},
                  {options->settings.flag[RT_SET_LAYOUT], "--layout"}};
    char **text = has_command(err->advice) ? &err->advice
                  : has_command(err->hint) ? &err->hint
                                           : NULL;
    struct rt_str more = {0};

    for (size_t i = 0; text && i < RT_COUNT(places); i++) {
        if (places[i].given)
            rt_str_addf(&more, "%s%s", more.len ? ", " : " (with the same ",
                        places[i].name);
    }
    if (more.len > 0) {
        size_t len = strlen(*text);
        bool sentence = len > 0 && (*text)[len - 1] == '.';
        char *longer = rt_format("%.*s%s as here)%s", (int)len - sentence, *text,
                                 more.data, sentence ? "." : "");

        free(*text);
        *text = longer;
    }
    rt_str_clear(&more);
    return -(int)err->status;
}

static int run_command(struct rt_context *context, int argc, char **argv,
                       struct rt_err *err)
{
    const struct rt_options *options = &context->options;
    int rc = rt_options_parse(context, argc, argv, err);

    rt_report_open(&context->report, context->command->name,
                   options->json && !options->help, options->quiet);
    if (rc < 0)
        return rt_err_hint(err, "%s%srevtwin %s --help lists its options.",
                           err->hint ? err->hint : "", err->hint ? " " : "",
                           context->command->name);
    if (options->help)
        return print_help(context->command);
    rt_log_level(options->quiet ? RT_QUIET : options->verbose ? RT_VERBOSE : RT_NORMAL);
    rc = check_needs(context, err);
    if (rc == 0)
        rc = context->command->run(context, err);
    return rc < 0 ? add_places(context, err) : rc;
}

static int unknown_command(const char *name, struct rt_err *err)
{
    struct rt_guess guess = {.word = name, .limit = 3};

    for (size_t i = 0; i < rt_command_count; i++)
        rt_guess_try(&guess, rt_commands[i].name);
    rt_err_set(err, RT_EUSAGE, "unknown command \"%s\"", name);
    if (guess.best)
        return rt_err_hint(err, "Did you mean %s?", guess.best);
    return rt_err_hint(err, "revtwin help lists the commands.");
}

static int lacks_command(void)
{
    struct rt_str text = {0};

    rt_help_program(&text);
    fputs(text.data, stderr);
    rt_str_clear(&text);
    return RT_EUSAGE;
}

int rt_command_line(int argc, char **argv)
{
    struct rt_context context = {.prod = {.role = "production"},
                                 .twin = {.role = "the twin"}};
    const char *name = argc > 1 ? argv[1] : "";
    struct rt_err err = {0};
    int rc;

    if (argc < 2)
        return lacks_command();
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    rt_cancel_install();
    context.command = rt_command_find(name);
    if (context.command)
        rc = run_command(&context, argc - 1, argv + 1, &err);
    else
        rc = unknown_command(name, &err);
    rt_report_close(&context.report, &err);
    rt_err_clear(&err);
    rt_repo_close(context.repo);
    rt_secret_clear(&context.prod.conninfo);
    rt_secret_clear(&context.twin.conninfo);
    rt_signing_key_free(context.signing_key);
    rt_arena_clear(&context.arena);
    /* A result that was not written is not a success. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && rc == 0) {
        fputs("revtwin: error: cannot write to standard output\n", stderr);
        rc = -RT_EINTERNAL;
    }
    return -rc;
}
