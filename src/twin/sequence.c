#include "twin/sequence.h"

#include "base/mem.h"
#include "base/str.h"
#include "pg/later.h"
#include "queries.h"

void rt_places_ask(struct rt_places *places, struct rt_conn *conn)
{
    places->names.sql = rt_sql_sequence_reads;
    rt_later_read(conn, &places->names);
}

void rt_places_clear(struct rt_places *places)
{
    for (size_t i = 0; i < places->count; i++)
        rt_result_free(places->reads[i].rows);
    free(places->reads);
    rt_result_free(places->names.rows);
    *places = (struct rt_places){0};
}

int rt_places_read(struct rt_places *places, struct rt_conn *conn, struct rt_err *err)
{
    int rc = 0;

    if (places->names.sql == NULL)
        rt_places_ask(places, conn);
    if (places->names.rows == NULL)
        rc = rt_later_run(conn, err);
    if (rc == 0) {
        places->count = rt_result_rows(places->names.rows);
        places->reads = rt_alloc((places->count + 1) * sizeof(*places->reads));
        for (size_t i = 0; i < places->count; i++)
            places->reads[i].sql = rt_result_get(places->names.rows, i, 0);
    }
    if (rc == 0 && places->count > 0)
        rc = rt_query_many(places->reads, places->count, conn, err);
    return rc < 0 ? rt_err_wrap(err, "cannot read the sequences of %s",
                                rt_conn_server(conn)->role)
                  : 0;
}

/* Column of the next row; NULL at the end. */
static const char *next(struct rt_places *places, int column)
{
    while (places->read < places->count &&
           places->row >= rt_result_rows(places->reads[places->read].rows)) {
        places->read++;
        places->row = 0;
    }
    return places->read < places->count
               ? rt_result_get(places->reads[places->read].rows, places->row, column)
               : NULL;
}

static struct rt_sequence_place place(struct rt_places *places, struct rt_arena *arena)
{
    return (struct rt_sequence_place){.last = rt_arena_strdup(arena, next(places, 1)),
                                      .called = strcmp(next(places, 2), "t") == 0};
}

static bool differ(struct rt_places *prod, struct rt_places *twin)
{
    return strcmp(next(prod, 1), next(twin, 1)) != 0 ||
           strcmp(next(prod, 2), next(twin, 2)) != 0;
}

/* Both lists are in the order of the names. */
static void compare(struct rt_sequence *out, size_t *count, struct rt_arena *arena,
                    struct rt_places *prod, struct rt_places *twin)
{
    while (next(prod, 0) && next(twin, 0)) {
        int order = strcmp(next(prod, 0), next(twin, 0));

        if (order == 0 && differ(prod, twin))
            out[(*count)++] =
                (struct rt_sequence){.name = rt_arena_strdup(arena, next(prod, 0)),
                                     .prod = place(prod, arena),
                                     .twin = place(twin, arena)};
        prod->row += order <= 0;
        twin->row += order >= 0;
    }
}

static size_t count_all(const struct rt_places *places)
{
    size_t count = 0;

    for (size_t i = 0; i < places->count; i++)
        count += rt_result_rows(places->reads[i].rows);
    return count;
}

static int compare_sides(struct rt_sequence **out, size_t *count, struct rt_arena *arena,
                         struct rt_places *prod, struct rt_conn *twin, struct rt_err *err)
{
    struct rt_places there = {0};
    int rc = rt_places_read(&there, twin, err);

    *count = 0;
    if (rc == 0) {
        *out = rt_arena_alloc(arena, (count_all(prod) + 1) * sizeof(**out));
        compare(*out, count, arena, prod, &there);
    }
    rt_places_clear(&there);
    return rc;
}

int rt_sequences_compare(struct rt_sequence **out, size_t *count, struct rt_arena *arena,
                         struct rt_conn *prod, struct rt_conn *twin, struct rt_err *err)
{
    struct rt_places here = {0};
    int rc = rt_places_read(&here, prod, err);

    *count = 0;
    if (rc == 0)
        rc = compare_sides(out, count, arena, &here, twin, err);
    rt_places_clear(&here);
    return rc;
}

int rt_sequences_follow(unsigned long *changed, struct rt_places *prod,
                        struct rt_conn *twin, struct rt_err *err)
{
    struct rt_arena arena = {0};
    struct rt_sequence *moved;
    struct rt_str sql = {0};
    size_t count;
    int rc = compare_sides(&moved, &count, &arena, prod, twin, err);

    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct rt_sequence *to = &moved[i];

        rt_str_addf(&sql, "ALTER SEQUENCE %s RESTART; SELECT pg_catalog.setval(",
                    to->name);
        rt_quote_literal(&sql, to->name);
        rt_str_addf(&sql, ", %s, %s);", to->prod.last,
                    to->prod.called ? "true" : "false");
    }
    if (rc == 0 && count > 0)
        rc = rt_exec(NULL, twin, sql.data, err);
    *changed = count;
    rt_str_clear(&sql);
    rt_arena_clear(&arena);
    return rc;
}
