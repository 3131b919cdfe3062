/* Signals, and the loss of sessions and servers, in every phase of a rebuild in place. */
#include "fault.h"

#include "base/attr.h"

static const struct fault_point points[] = {
    {.side = FAULT_PROD, .text = "LOCK TABLE"},
    {.side = FAULT_PROD, .text = "pg_export_snapshot"},
    {.side = FAULT_TWIN, .text = "LOCK TABLE"},
    {.side = FAULT_TWIN, .text = "DROP TABLE"},
    {"CREATE TABLE", FAULT_TWIN, .grows = true},
    {.side = FAULT_PROD, .text = "COPY "},
    {"FROM STDIN", FAULT_TWIN, .grows = true},
    {"CREATE INDEX", FAULT_TWIN, .read = true, .grows = true},
    {"ANALYZE", FAULT_TWIN, .read = true},
    {"SAVEPOINT", FAULT_TWIN, .read = true},
    {"INSERT INTO revtwin.receipt", FAULT_TWIN, .read = true},
    {"COMMIT", FAULT_TWIN, .ends = true, .read = true, .done = true},
};

int main(int argc, char **argv)
{
    const char *const options[] = {"--method", "rebuild", "--in-place", NULL};
    const struct fault_plan plan = {options, points, .count = RT_COUNT(points)};

    return fault_main(argc, argv, &plan);
}
