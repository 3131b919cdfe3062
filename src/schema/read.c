/* The definitions of a database, each made by its server. */
#include <pthread.h>
#include <signal.h>

#include "base/mem.h"
#include "base/str.h"
#include "pg/query.h"
#include "queries.h"
#include "schema/schema.h"

/* Each gives kind, name and definition, behind rt_sql_schema_scope. */
static const char *const queries[] = {
    rt_sql_schema_globals,   rt_sql_schema_tables,       rt_sql_schema_parts,
    rt_sql_schema_views,     rt_sql_schema_types,        rt_sql_schema_functions,
    rt_sql_schema_operators, rt_sql_schema_search,       rt_sql_schema_foreign,
    rt_sql_schema_comments,  rt_sql_schema_dependencies,
};
enum { PIN, FIRST, UNPIN = FIRST + RT_COUNT(queries), READS };

/* What a server has answered; rows of those from FIRST to UNPIN. */
struct answer {
    struct rt_read reads[READS];
};

static void clear_answer(struct answer *answer)
{
    for (size_t i = 0; i < READS; i++)
        rt_result_free(answer->reads[i].rows);
}

/* version: as schema_pin.sql says. */
static int ask(struct answer *out, struct rt_conn *conn, int version, struct rt_err *err)
{
    char number[16], *text[RT_COUNT(queries)];
    const char *params[] = {number};
    int rc;

    snprintf(number, sizeof(number), "%d", version);
    out->reads[PIN] =
        (struct rt_read){.sql = rt_sql_schema_pin, .nparams = 1, .params = params};
    for (size_t i = 0; i < RT_COUNT(queries); i++) {
        text[i] = rt_format("%s%s", rt_sql_schema_scope, queries[i]);
        out->reads[FIRST + i] = (struct rt_read){.sql = text[i]};
    }
    out->reads[UNPIN] = (struct rt_read){.sql = rt_sql_schema_unpin};
    rc = rt_query_many(out->reads, READS, conn, err);
    for (size_t i = 0; i < RT_COUNT(queries); i++)
        free(text[i]);
    if (rc < 0)
        rt_err_wrap(err, "the schema of %s cannot be read", rt_conn_server(conn)->role);
    return rc;
}

static int by_kind_and_name(const void *a, const void *b)
{
    const struct rt_object *left = a, *right = b;
    int order = strcmp(left->kind, right->kind);

    return order != 0 ? order : strcmp(left->name, right->name);
}

static void take_fingerprint(struct rt_schema *schema)
{
    struct rt_hash hash;

    rt_hash_init(&hash);
    for (size_t i = 0; i < schema->count; i++) {
        rt_hash_field(&hash, schema->objects[i].kind);
        rt_hash_field(&hash, schema->objects[i].name);
        rt_hash_field(&hash, schema->objects[i].definition);
    }
    memcpy(schema->fingerprint, rt_hash_end(&hash).hex, sizeof(schema->fingerprint));
}

static const char *text_of(struct rt_arena *arena, const struct rt_result *rows,
                           size_t row, int column)
{
    const char *value = rt_result_get(rows, row, column);

    /* NULL: what a definition is made of was dropped in between. */
    return rt_arena_strdup(arena, value ? value : "");
}

static void digest(struct rt_schema *out, struct rt_arena *arena,
                   const struct answer *answer, const struct rt_conn *conn)
{
    size_t count = 0;

    out->version = rt_conn_version(conn);
    for (size_t i = FIRST; i < UNPIN; i++)
        count += rt_result_rows(answer->reads[i].rows);
    out->objects = rt_arena_alloc(arena, (count + 1) * sizeof(*out->objects));
    out->count = 0;
    for (size_t i = FIRST; i < UNPIN; i++) {
        const struct rt_result *rows = answer->reads[i].rows;

        for (size_t row = 0; row < rt_result_rows(rows); row++)
            out->objects[out->count++] =
                (struct rt_object){.kind = text_of(arena, rows, row, 0),
                                   .name = text_of(arena, rows, row, 1),
                                   .definition = text_of(arena, rows, row, 2)};
    }
    qsort(out->objects, out->count, sizeof(*out->objects), by_kind_and_name);
    take_fingerprint(out);
}

int rt_schema_read(struct rt_schema *out, struct rt_arena *arena, struct rt_conn *conn,
                   struct rt_err *err)
{
    struct answer answer = {0};
    int rc = ask(&answer, conn, rt_conn_version(conn), err);

    if (rc == 0)
        digest(out, arena, &answer, conn);
    clear_answer(&answer);
    return rc;
}

/* ------------------------------------------------------------------ both at once */

struct side {
    struct rt_conn *conn;
    int version;
    struct answer answer;
    struct rt_err err;
    int rc;
};

static void *ask_side(void *argument)
{
    struct side *side = argument;

    side->rc = ask(&side->answer, side->conn, side->version, &side->err);
    return NULL;
}

/* Signals stay with the main thread; rt_cancel_fd tells of them here, too. */
static bool start(pthread_t *thread, struct side *side)
{
    sigset_t all, before;
    bool started;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(thread, NULL, ask_side, side) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

int rt_schema_read_both(struct rt_schema *prod, struct rt_schema *twin,
                        struct rt_arena *arena, struct rt_conn *prod_conn,
                        struct rt_conn *twin_conn, struct rt_err *err)
{
    int left = rt_conn_version(prod_conn), right = rt_conn_version(twin_conn);
    struct side sides[2] = {{.conn = prod_conn}, {.conn = twin_conn}};
    struct side *failed;
    pthread_t thread;
    bool threaded;
    int rc;

    sides[0].version = sides[1].version = left < right ? left : right;
    threaded = start(&thread, &sides[0]);
    ask_side(&sides[1]);
    if (threaded)
        pthread_join(thread, NULL);
    else
        ask_side(&sides[0]);
    failed = sides[0].rc < 0 ? &sides[0] : &sides[1];
    rc = failed->rc;
    if (rc == 0) {
        digest(prod, arena, &sides[0].answer, prod_conn);
        digest(twin, arena, &sides[1].answer, twin_conn);
    } else {
        rt_err_move(err, &failed->err);
    }
    for (size_t i = 0; i < RT_COUNT(sides); i++) {
        clear_answer(&sides[i].answer);
        rt_err_clear(&sides[i].err);
    }
    return rc;
}
