/*
 * Inspecting changes nothing but class and tag, and gives the same ones again; no
 * transaction control is taken for a harmless statement; a mode that is given keeps its
 * promises.
 */
#include "fuzz.h"

#include <strings.h>

#include "sql/concurrent.h"
#include "sql/inspect.h"
#include "sql/mode.h"

/* The classes of a statement that ends or begins a transaction, by its first word. */
static bool is_control(const char *text, const struct rt_stmt *stmt)
{
    static const char *const words[] = {"begin", "start",    "commit",
                                        "end",   "rollback", "abort"};
    const char *at = text + stmt->start;
    size_t len = 0;

    while (len < stmt->len && ((at[len] | 0x20) >= 'a' && (at[len] | 0x20) <= 'z'))
        len++;
    if (len < stmt->len && (at[len] == '_' || at[len] == '$' || (at[len] & 0x80) ||
                            (at[len] >= '0' && at[len] <= '9')))
        return false;
    for (size_t i = 0; i < RT_COUNT(words); i++) {
        if (strlen(words[i]) == len && strncasecmp(at, words[i], len) == 0)
            return true;
    }
    return false;
}

static void check_statement(const struct rt_script *script, const struct rt_stmt *stmt)
{
    enum rt_stmt_class class = stmt->stmt_class;
    struct rt_concurrent concurrent;
    struct rt_arena arena = {0};

    FUZZ_CHECK(class <= RT_CLASS_UNPARSED);
    FUZZ_CHECK(stmt->tag != NULL && stmt->tag[0] != '\0');
    if (stmt->kind == RT_STMT_COPY_DATA) {
        FUZZ_CHECK(class == RT_CLASS_PLAIN);
        return;
    }
    if (is_control(script->text, stmt))
        FUZZ_CHECK(class == RT_CLASS_BEGIN || class == RT_CLASS_COMMIT ||
                   class == RT_CLASS_TX || class == RT_CLASS_IN_TX);
    rt_stmt_concurrent(&concurrent, &arena, script->text + stmt->start, stmt->len);
    FUZZ_CHECK(concurrent.kind == RT_CONCURRENT_NONE || class == RT_CLASS_NO_TX ||
               (concurrent.kind == RT_CONCURRENT_CODE && class == RT_CLASS_PLAIN));
    rt_arena_clear(&arena);
}

static void check_mode(const struct rt_script *script, const struct rt_mode *mode)
{
    FUZZ_CHECK(mode->first + mode->count <= script->count);
    FUZZ_CHECK(mode->unwrapped == (mode->count + 2 == script->count));
    FUZZ_CHECK(!mode->no_transaction || (!mode->unwrapped && mode->count > 0));
    FUZZ_CHECK(mode->unparsed <= mode->statements && mode->statements <= mode->count);
    for (size_t i = 0; i < mode->count; i++) {
        switch ((enum rt_stmt_class)script->stmts[mode->first + i].stmt_class) {
        case RT_CLASS_PLAIN:
        case RT_CLASS_SETTING:
        case RT_CLASS_UNPARSED:
            break;
        case RT_CLASS_NO_TX:
            FUZZ_CHECK(mode->no_transaction);
            break;
        case RT_CLASS_IN_TX:
            FUZZ_CHECK(!mode->no_transaction);
            break;
        default:
            FUZZ_CHECK(!"a class that no mode allows");
        }
    }
}

static void check_script(struct rt_script *script)
{
    struct rt_stmt *before = rt_alloc(script->count * sizeof(*before));
    struct rt_mode mode;
    struct rt_err err = {0};

    if (script->count > 0)
        memcpy(before, script->stmts, script->count * sizeof(*before));
    rt_script_inspect(script);
    for (size_t i = 0; i < script->count; i++) {
        struct rt_stmt *stmt = &script->stmts[i];

        FUZZ_CHECK(stmt->start == before[i].start && stmt->len == before[i].len &&
                   stmt->line == before[i].line && stmt->kind == before[i].kind);
        check_statement(script, stmt);
        before[i] = *stmt;
    }
    if (rt_script_mode(&mode, script, &err) == 0)
        check_mode(script, &mode);
    else
        FUZZ_CHECK(err.status == RT_EREFUSED && err.line > 0 && err.hint != NULL);
    rt_err_clear(&err);
    rt_script_inspect(script);
    for (size_t i = 0; i < script->count; i++)
        FUZZ_CHECK(script->stmts[i].stmt_class == before[i].stmt_class &&
                   script->stmts[i].tag == before[i].tag);
    free(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    struct rt_script script = {0};
    struct rt_err err = {0};

    if (rt_script_split(&script, text, size, &err) == 0) {
        check_script(&script);
        FUZZ_CHECK(size == 0 || memcmp(text, data, size) == 0);
    }
    rt_err_clear(&err);
    rt_script_clear(&script);
    free(text);
    return 0;
}
