/* The same faults in a delta that goes by the last receipt: it stays good for the next.
 */
#include "fault.h"

#include "base/attr.h"

/* Only the scan for what a receipt has not seen asks for the age of rows; tables that a
 * developer has changed are then compared, and the others are not. */
static const struct fault_point points[] = {
    {.side = FAULT_PROD, .text = "age(xmin)"},
    {.side = FAULT_TWIN, .text = "age(xmin)"},
    {.side = FAULT_PROD, .text = "revtwin_table.ctid"},
    /* The rows may be here already. */
    {"FROM STDIN", FAULT_TWIN, .read = true, .grows = true},
    {"COMMIT", FAULT_TWIN, .ends = true, .read = true, .done = true},
};

int main(int argc, char **argv)
{
    const char *const options[] = {"--method", "delta", NULL};
    const struct fault_plan plan = {options, points, RT_COUNT(points), .renew = true};

    return fault_main(argc, argv, &plan);
}
