/*
 * The commands: one table carries each one's name, help and preconditions; one context
 * carries what was asked for. Options are in one table too (options.c).
 */
#ifndef RT_CMD_COMMAND_H
#define RT_CMD_COMMAND_H

#include "base/arena.h"
#include "cmd/settings.h"
#include "pg/conn.h"
#include "report/report.h"

/* What a command needs before it runs, and what else it takes in when it is there; the
 * rest may be missing, or wrong. */
enum rt_need {
    RT_NEED_REPO = 1,
    RT_NEED_PROD = 2,
    RT_NEED_TWIN = 4,
    RT_NEED_SIGNER = 8, /* it writes to the ledger: REVTWIN_SIGNING_KEY, if that is set */
    RT_USE_REPO = 16,
    RT_USE_PROD = 32,
    RT_USE_TWIN = 64,
};

struct rt_options {
    const char *dir, *prod, *twin, *base;
    const char *public_key, *head, *reason;
    const char *from, *table; /* of baseline */
    bool json, quiet, verbose, help;
    const char *method; /* of a resync */
    bool full_compare;
    bool ledger, no_resync, adopt, no_signature, partial, dry_run;
    bool skip_stopped, applied, forget;
    bool force, keep_previous, in_place, undo;
    bool rows; /* verify --twin */
    struct rt_settings settings;
};

struct rt_context {
    const struct rt_command_info *command;
    struct rt_options options;
    int operand_count;
    char *const *operands;
    struct rt_arena arena;
    struct rt_report report;
    struct rt_repo *repo;               /* open when RT_NEED_REPO; NULL: there is none */
    struct rt_server prod, twin;        /* conninfo.text is NULL when not configured */
    struct rt_signing_key *signing_key; /* NULL: rows are not signed */
};

struct rt_command_info {
    const char *name;
    const char *operands; /* for the usage line; "" for none */
    int min_operands, max_operands;
    unsigned needs; /* enum rt_need */
    int (*run)(struct rt_context *context, struct rt_err *err);
    const char *summary; /* one line */
    const char *help;    /* paragraphs */
};

/* The text of `--help`; the numbers are those of enum rt_status. */
#define RT_EXIT_STATUSES                                                        \
    "exit statuses:\n"                                                          \
    "    0  done, or nothing to do\n"                                           \
    "    1  internal or environment error\n"                                    \
    "    2  usage or configuration\n"                                           \
    "    3  plan refused: gap, changed file, mixed file, rules, newer ledger\n" \
    "    4  a migration failed and was rolled back, or stopped half-way\n"      \
    "    5  migrations are in, the resync failed and the twin is as it was\n"   \
    "    6  outcome unknown\n"                                                  \
    "    7  verification found a difference\n"                                  \
    "    8  another runner holds the lock\n"                                    \
    "  130, 143  cancelled by SIGINT, SIGTERM\n"

/* In the order of `revtwin help`. */
extern const struct rt_command_info rt_commands[];
extern const size_t rt_command_count;

const struct rt_command_info *rt_command_find(const char *name); /* or NULL */

/*
 * Run a whole command line: parse, check the preconditions, run, report. Returns the exit
 * status of the process.
 */
int rt_command_line(int argc, char **argv);

/* Parse the options of a command into context->options and the operands. */
int rt_options_parse(struct rt_context *context, int argc, char **argv,
                     struct rt_err *err) RT_CHECKED;

/* The usage and help text of a command, or of the program. */
void rt_help_command(struct rt_str *out, const struct rt_command_info *command);
void rt_help_program(struct rt_str *out);

int rt_cmd_plan(struct rt_context *context, struct rt_err *err);
int rt_cmd_apply(struct rt_context *context, struct rt_err *err);
int rt_cmd_resolve(struct rt_context *context, struct rt_err *err);
int rt_cmd_resync(struct rt_context *context, struct rt_err *err);
int rt_cmd_baseline(struct rt_context *context, struct rt_err *err);
int rt_cmd_amend(struct rt_context *context, struct rt_err *err);
int rt_cmd_status(struct rt_context *context, struct rt_err *err);
int rt_cmd_verify(struct rt_context *context, struct rt_err *err);
int rt_cmd_verify_twin(struct rt_context *context, struct rt_err *err);
int rt_cmd_diff(struct rt_context *context, struct rt_err *err);
int rt_cmd_keygen(struct rt_context *context, struct rt_err *err);
int rt_cmd_version(struct rt_context *context, struct rt_err *err);
int rt_cmd_help(struct rt_context *context, struct rt_err *err);

#endif
