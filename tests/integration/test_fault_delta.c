/* Signals, and the loss of sessions and servers, in every phase of a delta. */
#include "fault.h"

#include "base/attr.h"

static const struct fault_point points[] = {
    {.side = FAULT_TWIN, .text = "LOCK TABLE"},
    {.side = FAULT_PROD, .text = "LOCK TABLE"},
    {.side = FAULT_PROD, .text = "pg_export_snapshot"},
    {.side = FAULT_PROD, .text = "COPY "},
    /* The rows may be here already. */
    {"CREATE TEMP TABLE", FAULT_TWIN, .read = true, .grows = true},
    {"FROM STDIN", FAULT_TWIN, .read = true, .grows = true},
    {"DISABLE TRIGGER", FAULT_TWIN, .read = true},
    {"DELETE FROM", FAULT_TWIN, .read = true},
    {"(UPDATE ", FAULT_TWIN, .read = true},
    {"(INSERT INTO ", FAULT_TWIN, .read = true},
    {"ALTER SEQUENCE", FAULT_TWIN, .read = true},
    {"REFRESH MATERIALIZED", FAULT_TWIN, .read = true},
    {"INSERT INTO revtwin.receipt", FAULT_TWIN, .read = true},
    {"COMMIT", FAULT_TWIN, .ends = true, .read = true, .done = true},
};

int main(int argc, char **argv)
{
    const char *const options[] = {"--method", "delta", "--full-compare", NULL};
    const struct fault_plan plan = {options, points, .count = RT_COUNT(points)};

    return fault_main(argc, argv, &plan);
}
