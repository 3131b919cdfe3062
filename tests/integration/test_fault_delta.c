/* Signals, and the loss of sessions and servers, in every phase of a delta. */
#include "fault.h"

#include "base/attr.h"

static const struct fault_point points[] = {
    {.side = FAULT_TWIN, .text = "LOCK TABLE"},
    {.side = FAULT_PROD, .text = "LOCK TABLE"},
    {.side = FAULT_PROD, .text = "pg_export_snapshot"},
    {.side = FAULT_PROD, .text = "COPY "},
    /* The rows may be here already. */
    {FAULT_TWIN, "CREATE TEMP TABLE", .read = true, .grows = true},
    {FAULT_TWIN, "FROM STDIN", .read = true, .grows = true},
    {FAULT_TWIN, "DISABLE TRIGGER", .read = true},
    {FAULT_TWIN, "DELETE FROM", .read = true},
    {FAULT_TWIN, "(UPDATE ", .read = true},
    {FAULT_TWIN, "(INSERT INTO ", .read = true},
    {FAULT_TWIN, "ALTER SEQUENCE", .read = true},
    {FAULT_TWIN, "REFRESH MATERIALIZED", .read = true},
    {FAULT_TWIN, "INSERT INTO revtwin.receipt", .read = true},
    {FAULT_TWIN, "COMMIT", .ends = true, .read = true, .done = true},
};

int main(int argc, char **argv)
{
    const char *const options[] = {"--method", "delta", "--full-compare", NULL};
    const struct fault_plan plan = {options, points, .count = RT_COUNT(points)};

    return fault_main(argc, argv, &plan);
}
