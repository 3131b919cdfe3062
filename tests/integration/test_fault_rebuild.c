/* Signals, and the loss of sessions and servers, in every phase of a rebuild. */
#include "fault.h"

#include "base/attr.h"

static const struct fault_point points[] = {
    {.side = FAULT_PROD, .text = "pg_export_snapshot"},
    {.side = FAULT_PROD, .text = "LOCK TABLE"},
    {.side = FAULT_PROD, .text = "COPY "},
    {FAULT_TWIN, "CREATE DATABASE", .grows = true},
    {FAULT_TWIN, "CREATE TABLE", .grows = true},
    {FAULT_TWIN, "COPY ", .grows = true},
    {FAULT_TWIN, "CREATE INDEX", .read = true, .grows = true},
    {FAULT_TWIN, "ANALYZE", .read = true},
    {FAULT_TWIN, "INSERT INTO revtwin.twin", .read = true},
    {FAULT_TWIN, "RENAME TO", .read = true},
    {FAULT_TWIN, "DROP DATABASE", .read = true, .done = true},
};

int main(int argc, char **argv)
{
    const char *const options[] = {"--method", "rebuild", NULL};
    const struct fault_plan plan = {options, points, .count = RT_COUNT(points)};

    return fault_main(argc, argv, &plan);
}
