#include "sql/mode.h"

#include "base/mem.h"
#include "sql/locate.h"
#include "sql/scan.h"

static int refuse_stmt(const struct rt_script *script, const struct rt_stmt *stmt,
                       struct rt_err *err, const char *problem, const char *hint)
{
    struct rt_place place = rt_locate(script->text, script->len, stmt->start);
    int rc = rt_err_set(err, RT_EREFUSED, "%s %s", stmt->tag, problem);

    rt_err_place(err, script->text, script->len, place);
    rt_err_hint(err, "%s", hint);
    return rc;
}

static int refuse_control(const struct rt_script *script, const struct rt_stmt *stmt,
                          struct rt_err *err)
{
    const char *problem = "inside a migration: revtwin runs every file in one "
                          "transaction of its own";
    const char *hint = "Leave it out; savepoints are fine.";

    if (stmt->stmt_class == RT_CLASS_BEGIN || stmt->stmt_class == RT_CLASS_COMMIT)
        hint = "Leave it out, or wrap the whole file in one BEGIN; ... COMMIT; pair, the "
               "first and the last statement. Savepoints are fine.";
    return refuse_stmt(script, stmt, err, problem, hint);
}

/* The first statement of the file that refuses a transaction, NULL when there is none. */
static const struct rt_stmt *first_no_tx(const struct rt_script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        if (script->stmts[i].stmt_class == RT_CLASS_NO_TX)
            return &script->stmts[i];
    }
    return NULL;
}

/* In a file without a transaction. */
static int refuse_outside(const struct rt_script *script, const struct rt_stmt *stmt,
                          struct rt_err *err)
{
    const struct rt_stmt *no_tx = first_no_tx(script);
    int rc = refuse_stmt(script, stmt, err,
                         stmt->stmt_class == RT_CLASS_IN_TX
                             ? "means nothing outside of a transaction, and this file "
                               "runs without one"
                             : "in a file that runs without a transaction",
                         "Leave it out, or remove the line \"-- revtwin: "
                         "no-transaction\": every statement of this file can run in one "
                         "transaction.");

    if (no_tx != NULL)
        rt_err_hint(err,
                    "Leave it out: %s refuses a transaction, so every statement of this "
                    "file runs by itself.",
                    no_tx->tag);
    return rc;
}

static int refuse_mixed(const struct rt_script *script, const struct rt_stmt *stmt,
                        struct rt_err *err)
{
    return refuse_stmt(
        script, stmt, err,
        "cannot run inside a transaction, and other statements of the file run in one",
        "Split the file: give this statement a file of its own. Or start the file with "
        "the line \"-- revtwin: no-transaction\": then every statement runs by itself, "
        "and when one fails, those before it are not rolled back.");
}

/* Whether a statement that is no setting calls set_config: one cannot tell then what has
 * to be set again when the file is gone on with. */
static bool hides_setting(const struct rt_script *script, const struct rt_stmt *stmt)
{
    struct rt_scan scan = {.text = script->text + stmt->start, .len = stmt->len};
    enum rt_token token = RT_TOKEN_OTHER;
    bool name = false;

    if (stmt->kind == RT_STMT_COPY_DATA)
        return false;
    while (token != RT_TOKEN_END && token != RT_TOKEN_UNTERMINATED) {
        token = rt_scan_next(&scan);
        if (name && token == RT_TOKEN_OPEN)
            return true;
        if (token != RT_TOKEN_COMMENT)
            name = token == RT_TOKEN_WORD && rt_scan_is(&scan, "set_config");
    }
    return false;
}

static int refuse_hidden_setting(const struct rt_script *script,
                                 const struct rt_stmt *stmt, struct rt_err *err)
{
    return refuse_stmt(
        script, stmt, err,
        "with a call of set_config in a file that runs without a transaction",
        "What it sets would be lost to a run that goes on with the file after a failure. "
        "Write SET, or SELECT set_config('name', 'value', false) as a statement of its "
        "own.");
}

static int check_stmt(const struct rt_script *script, const struct rt_mode *mode,
                      const struct rt_stmt *stmt, struct rt_err *err)
{
    switch ((enum rt_stmt_class)stmt->stmt_class) {
    case RT_CLASS_BEGIN:
    case RT_CLASS_COMMIT:
    case RT_CLASS_TX:
        return mode->no_transaction ? refuse_outside(script, stmt, err)
                                    : refuse_control(script, stmt, err);
    case RT_CLASS_IN_TX:
        return mode->no_transaction ? refuse_outside(script, stmt, err) : 0;
    case RT_CLASS_NO_TX:
        return mode->no_transaction ? 0 : refuse_mixed(script, stmt, err);
    case RT_CLASS_COPY_OUT:
        return refuse_stmt(script, stmt, err,
                           "to STDOUT in a migration: nothing reads it", "Leave it out.");
    case RT_CLASS_SEVERAL:
        return refuse_stmt(script, stmt, err,
                           "and what follows it are one statement to psql, but several "
                           "to the server",
                           "Inside CREATE FUNCTION psql takes the word BEGIN for the "
                           "start of a body, up to its END: where it is a name, put it "
                           "in double quotes.");
    case RT_CLASS_RESET_ALL:
        return refuse_stmt(script, stmt, err,
                           "would also undo the settings that revtwin makes for the "
                           "session",
                           "Leave it out: every file starts with a fresh session. A "
                           "single setting may be reset by its name.");
    case RT_CLASS_STRINGS:
        return refuse_stmt(script, stmt, err,
                           "standard_conforming_strings to anything but on changes what "
                           "a backslash means in the rest of the file",
                           "Leave it out, and write such strings as E'...'.");
    case RT_CLASS_PLAIN:
    case RT_CLASS_UNPARSED:
        return mode->no_transaction && hides_setting(script, stmt)
                   ? refuse_hidden_setting(script, stmt, err)
                   : 0;
    case RT_CLASS_SETTING:
        break;
    }
    return 0;
}

static bool runs_without(const struct rt_script *script)
{
    if (script->no_transaction)
        return script->count > 0;
    for (size_t i = 0; i < script->count; i++) {
        if (script->stmts[i].stmt_class == RT_CLASS_PLAIN ||
            script->stmts[i].stmt_class == RT_CLASS_UNPARSED)
            return false;
    }
    return first_no_tx(script) != NULL;
}

/* Find the range to send: everything, or what is between an outer BEGIN and COMMIT. */
static void find_range(struct rt_mode *mode, const struct rt_script *script)
{
    const struct rt_stmt *stmts = script->stmts;
    size_t count = script->count;

    *mode = (struct rt_mode){.count = count, .no_transaction = runs_without(script)};
    if (!mode->no_transaction && count >= 2 && stmts[0].stmt_class == RT_CLASS_BEGIN &&
        stmts[count - 1].stmt_class == RT_CLASS_COMMIT) {
        mode->unwrapped = true;
        mode->first = 1;
        mode->count = count - 2;
    }
    for (size_t i = 0; i < mode->count; i++) {
        const struct rt_stmt *stmt = &stmts[mode->first + i];

        mode->statements += stmt->kind != RT_STMT_COPY_DATA;
        mode->unparsed += stmt->stmt_class == RT_CLASS_UNPARSED;
    }
}

int rt_script_mode(struct rt_mode *out, const struct rt_script *script,
                   struct rt_err *err)
{
    find_range(out, script);
    for (size_t i = 0; i < out->count; i++) {
        int rc = check_stmt(script, out, &script->stmts[out->first + i], err);

        if (rc < 0)
            return rc;
    }
    return 0;
}
