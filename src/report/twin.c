#include "report/twin.h"

#include "base/str.h"
#include "report/progress.h"

/* The "twin" of the document. */
static json_t *add_twin(json_t *doc, const char *snapshot_at, const char *method)
{
    json_t *object = json_object();

    rt_json_put(object, "snapshot_at", snapshot_at);
    rt_json_put(object, "method", method);
    json_object_set_new(doc, "twin", object);
    return object;
}

/* ------------------------------------------------------------------ after a resync */

static void report_kept(const struct rt_report *report, const char *database,
                        const char *snapshot_at)
{
    json_t *doc = rt_report_json(report);

    if (database == NULL)
        return;
    rt_report_line(report,
                   "the twin that was%s%s%s is kept as database \"%s\", until the next "
                   "rebuild; revtwin resync --undo puts it back",
                   snapshot_at ? ", production as of " : "",
                   snapshot_at ? snapshot_at : "", snapshot_at ? "," : "", database);
    if (doc) {
        json_t *kept = json_object();

        rt_json_put(kept, "database", database);
        rt_json_put(kept, "snapshot_at", snapshot_at);
        json_object_set_new(doc, "kept", kept);
    }
}

static const char *plural(unsigned long long count)
{
    return count == 1 ? "" : "s";
}

static void print_resync(const struct rt_report *report,
                         const struct rt_resync_result *result)
{
    struct rt_str amount = {0};

    if (result->size > 0) {
        rt_str_addf(&amount, "%lu table%s, ", result->tables, plural(result->tables));
        rt_display_bytes(&amount, result->size, 0);
    } else if (result->tables_changed == 0) {
        rt_str_addf(&amount, "none of %lu table%s had changed, %llu row%s read",
                    result->tables, plural(result->tables), result->rows_read,
                    plural(result->rows_read));
    } else {
        rt_str_addf(&amount, "%lu of %lu table%s changed, %llu row%s ",
                    result->tables_changed, result->tables, plural(result->tables),
                    result->rows_read, plural(result->rows_read));
        if (result->keys_read > 0)
            rt_str_addf(&amount, "and %llu key%s ", result->keys_read,
                        plural(result->keys_read));
        rt_str_addf(&amount, "read, %llu written", result->rows_written);
    }
    rt_report_line(report, "the twin is production as of %s (%s%s, %s, in %.1f s)",
                   result->snapshot_at, result->method,
                   result->in_place ? " in place" : "", rt_str_text(&amount),
                   result->seconds);
    rt_str_clear(&amount);
}

static void put_count(json_t *object, const char *key, unsigned long long count)
{
    json_object_set_new(object, key, json_integer((json_int_t)count));
}

static json_t *texts_json(const char *const *texts, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, rt_json_text(texts[i]));
    return list;
}

static void put_resync(json_t *doc, const struct rt_resync_result *result,
                       const struct rt_replay *replay)
{
    json_t *twin = add_twin(doc, result->snapshot_at, result->method);

    rt_json_put(twin, "why", result->why);
    json_object_set_new(twin, "in_place", json_boolean(result->in_place));
    put_count(twin, "tables", result->tables);
    put_count(twin, "tables_changed", result->tables_changed);
    put_count(twin, "tables_compared", result->tables_compared);
    put_count(twin, "rows_read", result->rows_read);
    put_count(twin, "keys_read", result->keys_read);
    put_count(twin, "rows_written", result->rows_written);
    put_count(twin, "bytes_read", result->bytes_read);
    put_count(twin, "bytes_written", result->bytes_written);
    if (result->size > 0)
        put_count(twin, "bytes", result->size);
    json_object_set_new(twin, "verified", json_boolean(result->verified));
    json_object_set_new(twin, "seconds", json_real(result->seconds));
    json_object_set_new(twin, "left_out",
                        texts_json(result->left_out, result->left_out_count));
    json_object_set_new(twin, "violated",
                        texts_json(result->violated, result->violated_count));
    put_count(twin, "replayed", replay->files);
    rt_json_put(twin, "replay_problem", replay->problem);
}

/* A warning: also an annotation of a workflow run. */
static void warn_violated(const struct rt_report *report, const char *key)
{
    json_t *doc = rt_report_json(report), *list;
    struct rt_err warning = {0};

    rt_err_set(&warning, RT_DONE, "rows of production violate foreign key %s", key);
    rt_err_detail(&warning, "So it is NOT VALID on the twin: only rows that are written "
                            "there are checked. One of a partitioned table is on each of "
                            "its partitions instead.");
    rt_err_hint(&warning, "When production's rows are mended, it gets valid with: "
                          "revtwin resync --method rebuild");
    if (!report->json && !report->quiet)
        rt_report_problem("warning", &warning);
    if (doc) {
        list = json_object_get(doc, "findings");
        if (list == NULL) {
            list = json_array();
            json_object_set_new(doc, "findings", list);
        }
        json_array_append_new(list, rt_report_problem_json("warning", &warning));
    }
    rt_err_clear(&warning);
}

void rt_report_resync(const struct rt_report *report,
                      const struct rt_resync_result *result,
                      const struct rt_replay *replay)
{
    json_t *doc = rt_report_json(report);

    print_resync(report, result);
    for (size_t i = 0; i < result->left_out_count; i++)
        rt_report_line(report, "not copied: %s", result->left_out[i]);
    for (size_t i = 0; i < result->violated_count; i++)
        warn_violated(report, result->violated[i]);
    if (doc)
        put_resync(doc, result, replay);
    report_kept(report, result->kept, result->kept_at);
}

void rt_report_undo(const struct rt_report *report, const struct rt_undo *undo)
{
    rt_report_age(report,
                  &(struct rt_twin_age){.database = undo->twin, .mark = undo->mark});
    report_kept(report, undo->kept, undo->kept_mark.snapshot_at);
}

/* ------------------------------------------------------------------ row by row */

static json_t *table_json(const struct rt_verified_table *table)
{
    json_t *object = json_object(), *rows = json_array();

    rt_json_put(object, "table", table->ident);
    json_object_set_new(object, "equal", json_boolean(!table->differs));
    json_object_set_new(object, "production_rows",
                        json_integer((json_int_t)table->prod_rows));
    json_object_set_new(object, "twin_rows", json_integer((json_int_t)table->twin_rows));
    for (size_t i = 0; i < table->row_count; i++)
        json_array_append_new(rows, rt_json_text(table->rows[i]));
    json_object_set_new(object, "differing_rows", rows);
    return object;
}

static void print_table(const struct rt_report *report,
                        const struct rt_verified_table *table)
{
    char *name = rt_printable(table->ident);

    rt_report_line(report, "differs: %s (rows: %llu in production, %llu in the twin)",
                   name, table->prod_rows, table->twin_rows);
    for (size_t i = 0; i < table->row_count; i++) {
        char *row = rt_printable(table->rows[i]);

        rt_report_line(report, "    %s", row);
        free(row);
    }
    free(name);
}

static void add_place(struct rt_str *text, const struct rt_sequence_place *place)
{
    rt_str_addf(text, "%s%s", place->last, place->called ? "" : ", not given out yet,");
}

static void print_sequence(const struct rt_report *report,
                           const struct rt_sequence *sequence)
{
    char *name = rt_printable(sequence->name);
    struct rt_str text = {0};

    rt_str_addf(&text, "differs: sequence %s (at ", name);
    add_place(&text, &sequence->prod);
    rt_str_add(&text, " in production, at ");
    add_place(&text, &sequence->twin);
    rt_str_add(&text, " in the twin)");
    rt_report_line(report, "%s", text.data);
    rt_str_clear(&text);
    free(name);
}

static void print_views(const struct rt_report *report, const char *views)
{
    char *names = rt_printable(views);

    rt_report_line(
        report, "differs: materialized views that only one side has filled: %s", names);
    free(names);
}

static json_t *sequence_json(const struct rt_sequence *sequence)
{
    const struct rt_sequence_place *places[] = {&sequence->prod, &sequence->twin};
    static const char *const sides[] = {"production", "twin"};
    json_t *object = json_object();

    rt_json_put(object, "sequence", sequence->name);
    for (size_t i = 0; i < RT_COUNT(sides); i++) {
        json_t *place = json_object();

        rt_json_put(place, "last_value", places[i]->last);
        json_object_set_new(place, "is_called", json_boolean(places[i]->called));
        json_object_set_new(object, sides[i], place);
    }
    return object;
}

/* What is no table. */
static void report_others(const struct rt_report *report, const struct rt_verify *verify,
                          json_t *doc)
{
    json_t *sequences = doc ? json_array() : NULL;

    for (size_t i = 0; i < verify->sequence_count; i++) {
        print_sequence(report, &verify->sequences[i]);
        if (sequences)
            json_array_append_new(sequences, sequence_json(&verify->sequences[i]));
    }
    if (verify->views)
        print_views(report, verify->views);
    if (doc) {
        json_object_set_new(doc, "differing_sequences", sequences);
        rt_json_put(doc, "differing_views", verify->views);
    }
}

void rt_report_verify(const struct rt_report *report, const struct rt_verify *verify)
{
    json_t *doc = rt_report_json(report), *list = doc ? json_array() : NULL;

    for (size_t i = 0; i < verify->count; i++) {
        if (verify->tables[i].differs)
            print_table(report, &verify->tables[i]);
        if (list)
            json_array_append_new(list, table_json(&verify->tables[i]));
    }
    report_others(report, verify, doc);
    if (verify->differing + verify->sequence_count == 0 && verify->views == NULL)
        rt_report_line(report,
                       "the twin is production as of %s, row by row (tables: %zu, rows: "
                       "%llu)",
                       verify->taken_at, verify->count, verify->rows);
    for (size_t i = 0; i < verify->left_out_count; i++)
        rt_report_line(report, "not copied: %s", verify->left_out[i]);
    rt_report_line(report, "rows read from production: %llu", verify->read);
    if (doc) {
        rt_json_put(doc, "snapshot_at", verify->taken_at);
        json_object_set_new(doc, "left_out",
                            texts_json(verify->left_out, verify->left_out_count));
        json_object_set_new(doc, "rows_read", json_integer((json_int_t)verify->read));
        json_object_set_new(doc, "tables", list);
    }
}
