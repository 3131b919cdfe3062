/* The faults, and one run with one of them. */
#include "fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOLD_MS = 20, SECONDS_ALLOWED = 20 };

static const struct fault_plan *plan;

/* Before the run; a crash makes production's sequences jump. */
struct dumps {
    char *prod, *twin;
};

/* The twin is as it was, or, when the run may have come to its end, as production. */
static void expect_old_or_new(const struct dumps *dumps, bool may_be_new)
{
    char *twin = fault_dump(FAULT_TWIN);
    bool is_new = strcmp(twin, dumps->prod) == 0;

    if (fault_run.status == 0 && !is_new)
        assert_text_equal(twin, dumps->prod);
    if (fault_run.status != 0 && !(is_new && may_be_new))
        assert_text_equal(twin, dumps->twin);
    free(twin);
}

/* ------------------------------------------------------------------ faults */

/* What happens while the point is held. */
struct fault {
    const char *name;
    void (*strike)(void); /* then it goes on */
    bool cut;             /* or that connection ends */
    bool on_prod;         /* only production is concerned */
    bool maybe;           /* it may go well, too */
    bool killed;          /* nobody was there to clean up: the next run does */
    int status;           /* that the run ends with, unless it was done */
};

static void interrupt_it(void)
{
    kill(fault_run.pid, SIGINT);
}

static void terminate_it(void)
{
    kill(fault_run.pid, SIGTERM);
}

static void kill_it(void)
{
    kill(fault_run.pid, SIGKILL);
    while (!run_has_ended(&fault_run))
        usleep(1000);
}

static void end_sessions(const struct cluster *c)
{
    cluster_exec(c, "postgres",
                 "select pg_terminate_backend(pid) from pg_stat_activity where "
                 "application_name in ('revtwin', 'pg_dump', 'pg_restore')");
}

static void end_prod(void)
{
    end_sessions(&fault_prod);
}

static void end_twin(void)
{
    end_sessions(&fault_twin);
}

/* The session that has exported the snapshot; others have imported it, or will. */
static void end_exporter(void)
{
    cluster_exec(&fault_prod, "postgres",
                 "select pg_terminate_backend(pid) from pg_stat_activity where "
                 "application_name = 'revtwin' and xact_start is not null "
                 "order by backend_start limit 1");
}

static void mark_disk(bool full)
{
    char *path = check_printf("%s/data/full", fault_twin.dir);

    if (full)
        fclose(fopen(path, "we"));
    else
        unlink(path);
    free(path);
}

static void fill_disk(void)
{
    mark_disk(true);
}

static void restart_prod(void)
{
    cluster_halt(&fault_prod, CLUSTER_IMMEDIATE);
    cluster_resume(&fault_prod);
}

static void restart_twin(void)
{
    cluster_halt(&fault_twin, CLUSTER_IMMEDIATE);
    cluster_resume(&fault_twin);
}

static const struct fault signals[] = {
    {.name = "SIGINT", .strike = interrupt_it, .status = 130},
    {.name = "SIGTERM", .strike = terminate_it, .status = 143},
};
static const struct fault killed = {
    .name = "SIGKILL", .strike = kill_it, .killed = true, .status = -SIGKILL};
static const struct fault ended[] = {
    {.name = "end of sessions on production",
     .strike = end_prod,
     .on_prod = true,
     .status = 1},
    {.name = "end of sessions on the twin", .strike = end_twin, .status = 1},
};
static const struct fault no_exporter = {.name = "end of the exporter of the snapshot",
                                         .strike = end_exporter,
                                         .on_prod = true,
                                         .maybe = true,
                                         .status = 1};
static const struct fault full_disk = {
    .name = "full disk", .strike = fill_disk, .status = 1};
static const struct fault restarted[] = {
    {.name = "restart of production",
     .strike = restart_prod,
     .on_prod = true,
     .status = 1},
    {.name = "restart of the twin's server", .strike = restart_twin, .status = 1},
};
static const struct fault broken = {
    .name = "broken connection", .cut = true, .status = 1};

/* ------------------------------------------------------------------ one run */

static void hold(const struct fault_point *point)
{
    double end = run_clock() + SECONDS_ALLOWED;

    while (!relay_holds(&fault_relays[point->side], HOLD_MS)) {
        if (run_has_ended(&fault_run)) {
            run_finish(&fault_run);
            check_fail("it ended before:\n%s%s", fault_run.out, fault_run.err);
        }
        if (run_clock() > end)
            check_fail("it did not come so far");
    }
}

static void judge(const struct fault *fault, const struct fault_point *point,
                  const struct dumps *before, double seconds)
{
    bool too_late = fault->maybe || point->done || (fault->on_prod && point->read);

    if (fault_run.status != 0 || !too_late)
        run_expect(&fault_run, fault->status);
    expect_old_or_new(before, fault->killed && point->done);
    if (seconds > SECONDS_ALLOWED)
        check_fail("it took %.1f s to end", seconds);
    if (fault->killed)
        return;
    if (fault_run.status != 0)
        assert_contains(fault_run.err, "the twin is as it was");
    fault_expect_clean();
}

static void try_fault(const struct fault *fault, const struct fault_point *point)
{
    struct relay_trap trap = {.act = RELAY_HOLD,
                              .side = RELAY_TO_SERVER,
                              .ends = point->ends,
                              .before = true,
                              .connection = RELAY_ANY};
    struct dumps before;
    double seconds;

    check_context("%s at %s on %s", fault->name, point->text,
                  point->side == FAULT_PROD ? "production" : "the twin");
    snprintf(trap.text, sizeof(trap.text), "%s", point->text);
    if (plan->renew)
        fault_resync(plan->options, 0);
    fault_change();
    before = (struct dumps){fault_dump(FAULT_PROD), fault_dump(FAULT_TWIN)};
    relay_arm(&fault_relays[point->side], &trap);
    fault_launch(plan->options);
    hold(point);
    seconds = run_clock();
    if (fault->strike)
        fault->strike();
    relay_release(&fault_relays[point->side],
                  fault->cut || fault->killed ? RELAY_CUT : RELAY_PASS);
    run_finish(&fault_run);
    seconds = run_clock() - seconds;
    relay_arm(&fault_relays[point->side], NULL);
    judge(fault, point, &before, seconds);
    if (fault->killed) {
        fault_resync(plan->options, 0);
        expect_old_or_new(&before, false);
        fault_expect_clean();
    }
    free(before.prod);
    free(before.twin);
    check_context(NULL);
}

/* At each point the next one of several faults. */
static void try_turns(const struct fault *faults, size_t count)
{
    for (size_t i = 0; i < plan->count; i++)
        try_fault(&faults[i % count], &plan->points[i]);
}

/* ------------------------------------------------------------------ the tests */

static void test_signals(void **state)
{
    (void)state;
    try_turns(signals, 2);
}

static void test_kills(void **state)
{
    (void)state;
    try_turns(&killed, 1);
}

static void test_ended_sessions(void **state)
{
    (void)state;
    for (size_t i = 0; i < plan->count; i++) {
        if (!plan->points[i].read)
            try_fault(&ended[0], &plan->points[i]);
        if (plan->points[i].side == FAULT_TWIN)
            try_fault(&ended[1], &plan->points[i]);
        if (plan->points[i].side == FAULT_PROD)
            try_fault(&no_exporter, &plan->points[i]);
    }
}

static void test_restarts(void **state)
{
    (void)state;
    try_turns(restarted, 2);
}

static void test_broken_connections(void **state)
{
    (void)state;
    try_turns(&broken, 1);
}

static void test_full_disk(void **state)
{
    (void)state;
    for (size_t i = 0; i < plan->count; i++) {
        if (!plan->points[i].grows)
            continue;
        try_fault(&full_disk, &plan->points[i]);
        assert_contains(fault_run.err, "No space left on device");
        mark_disk(false);
        fault_resync(plan->options, 0);
        fault_expect_clean();
    }
}

int fault_main(int argc, char **argv, const struct fault_plan *of)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_kills),
        cmocka_unit_test(test_ended_sessions),
        cmocka_unit_test(test_restarts),
        cmocka_unit_test(test_broken_connections),
        cmocka_unit_test(test_full_disk),
    };
    char *pattern = check_printf("test_%s*", argc > 1 ? argv[1] : "");
    int failed;

    plan = of;
    cmocka_set_test_filter(pattern);
    failed = cmocka_run_group_tests(tests, fault_start, fault_stop);
    free(pattern);
    return failed;
}
