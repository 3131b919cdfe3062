/* Signals, and the loss of sessions and servers, in every phase of a rebuild. */
#include "fault.h"

#include "base/attr.h"

static const struct fault_point points[] = {
    {FAULT_PROD, "pg_export_snapshot", .read = false},
    {FAULT_PROD, "LOCK TABLE", .read = false},
    {FAULT_PROD, "COPY ", .read = false},
    {FAULT_TWIN, "CREATE DATABASE", .read = false},
    {FAULT_TWIN, "CREATE TABLE", .read = false},
    {FAULT_TWIN, "COPY ", .read = false},
    {FAULT_TWIN, "CREATE INDEX", .read = true},
    {FAULT_TWIN, "ANALYZE", .read = true},
    {FAULT_TWIN, "INSERT INTO revtwin.twin", .read = true},
    {FAULT_TWIN, "RENAME TO", .read = true},
    {FAULT_TWIN, "DROP DATABASE", .read = true, .done = true},
};

int main(int argc, char **argv)
{
    const struct fault_plan plan = {NULL, points, RT_COUNT(points)};

    return fault_main(argc, argv, &plan);
}
