#include "report/age.h"

#include <time.h>

#include "base/str.h"

/* Seconds since the snapshot. By production's clock, which the snapshot is of, where that
 * is known: then only a clock that was set since can be wrong. */
static long age_of(const struct rt_twin_age *twin)
{
    struct tm when = {0};

    if (twin->clock == 0 ||
        strptime(twin->mark.snapshot_at, "%Y-%m-%dT%H:%M:%SZ", &when) == NULL)
        return twin->mark.age;
    return (long)(twin->clock / 1000000 - timegm(&when));
}

/* The receipt, when it is of what the mark tells of. */
static const struct rt_receipt *receipt_of(const struct rt_twin_age *twin)
{
    const struct rt_receipt *receipt = &twin->receipt;

    return receipt->present && twin->mark.snapshot_at &&
                   strcmp(receipt->taken_at, twin->mark.snapshot_at) == 0
               ? receipt
               : NULL;
}

static const char *lsn_of(const struct rt_twin_age *twin)
{
    const struct rt_receipt *receipt = receipt_of(twin);

    return receipt && receipt->origin.lsn ? receipt->origin.lsn : twin->mark.lsn;
}

/* ------------------------------------------------------------------ text */

/* ", 2 days ago", in the largest unit of which there are two. */
static void add_age(struct rt_str *line, long age)
{
    static const struct {
        long seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    size_t i = 0;

    if (age < 0) {
        rt_str_add(line, ", which is in the future: a clock was set, or is wrong");
        return;
    }
    while (i + 1 < RT_COUNT(units) && age < 2 * units[i].seconds)
        i++;
    age /= units[i].seconds;
    rt_str_addf(line, ", %ld %s%s ago", age, units[i].name, age == 1 ? "" : "s");
}

static void add_behind(struct rt_str *line, const struct rt_twin_age *twin)
{
    if (!twin->compared)
        return;
    if (twin->behind_count > 0)
        rt_str_addf(line, ", %zu migration%s behind", twin->behind_count,
                    twin->behind_count == 1 ? "" : "s");
    if (twin->ahead > 0)
        rt_str_addf(line, ", with %zu ledger row%s that production has not", twin->ahead,
                    twin->ahead == 1 ? "" : "s");
}

static void add_method(struct rt_str *line, const struct rt_twin_age *twin)
{
    const struct rt_receipt *receipt = receipt_of(twin);

    rt_str_addf(line, " (%s", twin->mark.method);
    if (receipt && receipt->why)
        rt_str_addf(line, ": %s", receipt->why);
    if (receipt && receipt->verified)
        rt_str_add(line, "; verified");
    rt_str_add(line, ")");
}

static void print(const struct rt_report *report, const struct rt_twin_age *twin)
{
    struct rt_str line = {0};

    rt_str_addf(&line, "the twin (database \"%s\") ", twin->database);
    if (!twin->mark.present && twin->problem == NULL) {
        rt_str_add(&line, "was never resynced");
    } else if (twin->mark.snapshot_at == NULL) {
        rt_str_add(&line, "is of unknown age");
        add_behind(&line, twin);
    } else {
        rt_str_addf(&line, "is production as of %s", twin->mark.snapshot_at);
        if (lsn_of(twin))
            rt_str_addf(&line, " (LSN %s)", lsn_of(twin));
        add_age(&line, age_of(twin));
        add_behind(&line, twin);
        add_method(&line, twin);
    }
    rt_report_line(report, "%s", line.data);
    rt_str_clear(&line);
    for (size_t i = 0; i < twin->behind_count; i++)
        rt_report_line(report, "    %s", twin->behind[i]);
    if (twin->problem)
        rt_report_line(report, "  not all of it is known: %s", twin->problem);
}

/* ------------------------------------------------------------------ JSON */

static json_t *behind_json(const struct rt_twin_age *twin)
{
    json_t *list = json_array();

    for (size_t i = 0; i < twin->behind_count; i++)
        json_array_append_new(list, rt_json_text(twin->behind[i]));
    return list;
}

static json_t *age_json(const struct rt_twin_age *twin)
{
    const struct rt_receipt *receipt = receipt_of(twin);
    json_t *object = json_object();

    rt_json_put(object, "database", twin->database);
    rt_json_put(object, "snapshot_at", twin->mark.snapshot_at);
    rt_json_put(object, "resynced_at", twin->mark.resynced_at);
    rt_json_put(object, "lsn", lsn_of(twin));
    rt_json_put(object, "method", twin->mark.method);
    if (receipt) {
        rt_json_put(object, "why", receipt->why);
        json_object_set_new(object, "verified", json_boolean(receipt->verified));
    }
    if (twin->mark.snapshot_at)
        json_object_set_new(object, "age_seconds",
                            age_of(twin) < 0 ? json_null() : json_integer(age_of(twin)));
    if (twin->compared) {
        json_object_set_new(object, "behind", behind_json(twin));
        json_object_set_new(object, "ahead", json_integer((json_int_t)twin->ahead));
    }
    rt_json_put(object, "problem", twin->problem);
    return object;
}

void rt_report_age(const struct rt_report *report, const struct rt_twin_age *twin)
{
    print(report, twin);
    if (rt_report_json(report))
        json_object_set_new(rt_report_json(report), "twin", age_json(twin));
}
