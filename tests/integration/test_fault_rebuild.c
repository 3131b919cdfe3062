/* Signals, and the loss of sessions and servers, in every phase of a rebuild. */
#include "fault.h"

#include "base/attr.h"

static const struct fault_point points[] = {
    {.side = FAULT_PROD, .text = "pg_export_snapshot"},
    {.side = FAULT_PROD, .text = "LOCK TABLE"},
    {.side = FAULT_PROD, .text = "COPY "},
    {"CREATE DATABASE", FAULT_TWIN, .grows = true},
    {"CREATE TABLE", FAULT_TWIN, .grows = true},
    {"COPY ", FAULT_TWIN, .grows = true},
    {"CREATE INDEX", FAULT_TWIN, .read = true, .grows = true},
    {"ANALYZE", FAULT_TWIN, .read = true},
    {"INSERT INTO revtwin.twin", FAULT_TWIN, .read = true},
    {"RENAME TO", FAULT_TWIN, .read = true},
    {"DROP DATABASE", FAULT_TWIN, .read = true, .done = true},
};

int main(int argc, char **argv)
{
    const char *const options[] = {"--method", "rebuild", NULL};
    const struct fault_plan plan = {options, points, .count = RT_COUNT(points)};

    return fault_main(argc, argv, &plan);
}
