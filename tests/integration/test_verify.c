/* Promise 7: the ledger cannot be edited unnoticed. */
#include "scene.h"

static void make_rows(struct scene *s)
{
    scene_step(s, "V0");
    scene_step(s, "V1");
    scene_run(s, 0, "apply"); /* V0 becomes a baseline row */
    scene_step(s, "V2");
    scene_step(s, "V3");
    for (int i = 4; i < 12; i++) {
        char *name = check_printf("V%d", i);

        scene_migration(s, name);
        free(name);
    }
    repo_commit(&s->repo, "many");
    scene_run(s, 0, "apply", "--ledger");
}

static void untouched_ledger_is_whole(void **state)
{
    struct scene *s = *state;
    char *head;

    make_rows(s);
    scene_untouched(s, 0, "verify");
    assert_said(s, "unbroken (rows: 12)");
    assert_said(s, "(files: 12)");
    head =
        cluster_query(&scene_server, s->db,
                      "SELECT entry_hash FROM revtwin.ledger ORDER BY seq DESC LIMIT 1");
    assert_said(s, head);
    free(head);
}

struct edit {
    const char *name, *sql;
    const char *told[2]; /* on standard output */
};

/* Change one row, so that the change differs from any other value of the column. */
#define SET(column, value)                                                        \
    {                                                                             \
        column, "UPDATE revtwin.ledger SET " column " = " value " WHERE seq = 2", \
        {                                                                         \
            "was edited"                                                          \
        }                                                                         \
    }

/* As only who owns the table can. */
#define SET_NULL(column)                                                 \
    {                                                                    \
        column " NULL",                                                  \
            "ALTER TABLE revtwin.ledger ALTER " column " DROP NOT NULL;" \
            "UPDATE revtwin.ledger SET " column " = NULL WHERE seq = 2", \
        {                                                                \
            "row 2 (migrations/V1.sql) was edited"                       \
        }                                                                \
    }

static const struct edit edits[] = {
    SET("format", "0"),
    SET("kind", "'amended'"),
    SET("path", "'migrations/other.sql'"),
    SET("algorithm", "'md5'"),
    SET("checksum", "reverse(checksum)"),
    SET("statements", "statements + 1"),
    SET("commit_oid", "reverse(commit_oid)"),
    SET("pull_request", "7"),
    SET("applied_at", "applied_at + interval '1 microsecond'"),
    SET("applied_by", "'somebody'"),
    SET("client", "client || ' '"),
    SET("revtwin_version", "'0'"),
    SET("reason", "'because'"),
    SET("prev_hash", "reverse(prev_hash)"),
    SET("entry_hash", "reverse(entry_hash)"),
    SET_NULL("format"),
    SET_NULL("algorithm"),
    SET_NULL("checksum"),
    SET_NULL("statements"),
    SET_NULL("commit_oid"),
    SET_NULL("applied_at"),
    SET_NULL("applied_by"),
    SET_NULL("client"),
    SET_NULL("revtwin_version"),
    SET_NULL("prev_hash"),
    SET_NULL("entry_hash"),
    {"seq", "UPDATE revtwin.ledger SET seq = 13 WHERE seq = 12", {"was edited"}},
    {"an edit with a hash that fits the row",
     "UPDATE revtwin.ledger SET path = 'x', entry_hash = repeat('a', 64) WHERE seq = 11",
     {"row 11 (x) was edited", "row 12 (migrations/V11.sql) does not follow"}},
    {"first row removed",
     "DELETE FROM revtwin.ledger WHERE seq = 1",
     {"row 2 ", "removed"}},
    {"row removed", "DELETE FROM revtwin.ledger WHERE seq = 5", {"row 6 ", "removed"}},
    {"rows removed, the rest renumbered",
     "DELETE FROM revtwin.ledger WHERE seq IN (5, 6);"
     "UPDATE revtwin.ledger SET seq = -(seq - 2) WHERE seq > 6;"
     "UPDATE revtwin.ledger SET seq = -seq WHERE seq < 0",
     {"row 5 ", "removed"}},
    {"row inserted at the end",
     "INSERT INTO revtwin.ledger SELECT format, seq + 1, kind, 'migrations/V99.sql', "
     "algorithm, "
     "checksum, statements, commit_oid, pull_request, applied_at, duration, applied_by, "
     "client, revtwin_version, reason, xid, entry_hash, repeat('b', 64) FROM "
     "revtwin.ledger "
     "WHERE seq = 12",
     {"row 13 (migrations/V99.sql) was edited"}},
    {"row inserted in the middle",
     "UPDATE revtwin.ledger SET seq = -(seq + 1) WHERE seq > 5;"
     "UPDATE revtwin.ledger SET seq = -seq WHERE seq < 0;"
     "INSERT INTO revtwin.ledger SELECT format, 6, kind, 'inserted', algorithm, "
     "checksum, statements, commit_oid, pull_request, applied_at, duration, applied_by, "
     "client, revtwin_version, reason, xid, repeat('c', 64), repeat('d', 64) FROM "
     "revtwin.ledger "
     "WHERE seq = 5",
     {"row 6 (inserted)", "row 7 "}},
    {"two rows swapped",
     "UPDATE revtwin.ledger SET seq = 0 WHERE seq = 9;"
     "UPDATE revtwin.ledger SET seq = 9 WHERE seq = 10;"
     "UPDATE revtwin.ledger SET seq = 10 WHERE seq = 0",
     {"row 9 ", "inserted or moved"}},
    {"all rows removed but the last",
     "DELETE FROM revtwin.ledger WHERE seq < 12",
     {"row 12 ", "removed"}},
};

static void edits_are_found(void **state)
{
    struct scene *s = *state;

    make_rows(s);
    cluster_exec(&scene_server, s->db, "CREATE TABLE kept AS TABLE revtwin.ledger");
    scene_step(s, "V99");
    for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
        print_message("           %s\n", edits[i].name);
        scene_tamper(s, edits[i].sql);
        scene_untouched(s, 7, "verify", "HEAD~1");
        for (size_t j = 0; j < 2 && edits[i].told[j]; j++)
            assert_said(s, edits[i].told[j]);
        assert_warned(s, "difference");

        scene_untouched(s, 7, "apply");
        assert_warned(s, "tampered");
        assert_warned(s, "Nothing was changed");
        scene_untouched(s, 7, "baseline", "HEAD");
        scene_tamper(s, "TRUNCATE revtwin.ledger; INSERT INTO revtwin.ledger TABLE kept");
    }
    scene_run(s, 0, "verify");
    scene_run(s, 0, "apply");
    assert_log(s, "V1 V2 V3 V4 V5 V6 V7 V8 V9 V10 V11 V99");
}

static void every_column_that_the_client_knows_is_covered(void **state)
{
    struct scene *s = *state;
    char *columns, *rest;

    make_rows(s);
    columns = cluster_query(&scene_server, s->db,
                            "SELECT attname FROM pg_attribute WHERE attnum > 0 AND "
                            "attrelid = 'revtwin.ledger'::regclass AND attname NOT IN "
                            "('xid', 'duration', 'signature')");
    for (char *name = strtok_r(columns, "\n", &rest); name;
         name = strtok_r(NULL, "\n", &rest)) {
        bool found = false;

        for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++)
            found = found || strcmp(edits[i].name, name) == 0;
        if (!found)
            check_fail("no test edits column %s", name);
    }
    free(columns);
}

static void times_of_the_server_are_not_covered(void **state)
{
    struct scene *s = *state;

    make_rows(s);
    scene_tamper(s, "UPDATE revtwin.ledger SET duration = '1h', xid = 1");
    scene_run(s, 0, "verify");
}

/* What happens to whoever has not switched the guard off. */
static void refused(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    assert_string_equal(state ? state : "success", "42501");
    assert_contains(PQresultErrorMessage(result), "append-only");
    assert_contains(PQresultErrorMessage(result), "revtwin amend");
    assert_contains(PQresultErrorMessage(result), "revtwin resolve");
    PQclear(result);
}

static void rows_are_never_changed_or_removed(void **state)
{
    struct scene *s = *state;
    PGconn *conn;

    make_rows(s);
    conn = cluster_connect(&scene_server, s->db);
    refused(conn, "UPDATE revtwin.ledger SET path = 'x' WHERE seq = 1");
    refused(conn, "UPDATE revtwin.ledger SET xid = xid WHERE false");
    refused(conn, "DELETE FROM revtwin.ledger WHERE seq = 1");
    refused(conn, "DELETE FROM revtwin.ledger");
    refused(conn, "TRUNCATE revtwin.ledger");
    refused(conn, "INSERT INTO revtwin.ledger TABLE revtwin.ledger LIMIT 1 "
                  "ON CONFLICT (seq) DO UPDATE SET path = 'x'");
    PQfinish(conn);
    scene_file(s, "V12", "CREATE TABLE t ();\nDELETE FROM revtwin.ledger;\n");
    repo_commit(&s->repo, "tidy up");
    scene_run(s, 4, "apply");
    assert_warned(s, "migrations/V12.sql:2:1: revtwin.ledger is append-only");
    assert_production(s, "SELECT to_regclass('t')", "");
    scene_run(s, 0, "verify");
}

static void ledger_of_a_newer_revtwin_is_refused(void **state)
{
    static const char *const commands[][4] = {
        {"plan"},
        {"apply"},
        {"apply", "--ledger"},
        {"baseline", "HEAD"},
        {"status"},
        {"verify"},
        {"verify", "--json"},
        {"amend", "migrations/V1.sql", "--reason=x"},
    };
    struct scene *s = *state;

    make_rows(s);
    cluster_exec(&scene_server, s->db,
                 "ALTER TABLE revtwin.ledger ADD what_comes_later text;"
                 "INSERT INTO revtwin.ledger SELECT 2, seq + 1, kind, 'x', algorithm, "
                 "checksum, statements, commit_oid, pull_request, applied_at, duration, "
                 "applied_by, client, '9.8.7', reason, xid, entry_hash, repeat('e', 64) "
                 "FROM revtwin.ledger WHERE seq = 12");
    scene_step(s, "V12");
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        scene_untouched(s, 3, commands[i][0], commands[i][1], commands[i][2]);
        assert_warned(s, "revtwin 9.8.7 (format 2)");
        assert_warned(s, "Install revtwin 9.8.7 or later");
        assert_warned(s, "Nothing was changed");
    }
}

static void changed_file_is_found(void **state)
{
    struct scene *s = *state;

    make_rows(s);
    scene_file(s, "V3", "SELECT 'changed';\n");
    repo_commit(&s->repo, "changed");
    scene_untouched(s, 7, "verify");
    assert_warned(s, "migrations/V3.sql was changed after it was applied");
    assert_warned(s, "1 difference found");
    scene_run(s, 0, "verify", "HEAD~1");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V3.sql was changed after it was applied");
}

static void row_for_an_unknown_commit_does_not_break_verify(void **state)
{
    struct scene *s = *state;
    struct repo copy;

    make_rows(s);
    repo_clone(&copy, &s->repo, "--depth=1", NULL);
    run_clear(&s->run);
    run_revtwin(&s->run, copy.dir, s->env, "verify", NULL);
    run_expect(&s->run, 0);
    repo_clear(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(untouched_ledger_is_whole),
        scene_test(edits_are_found),
        scene_test(every_column_that_the_client_knows_is_covered),
        scene_test(times_of_the_server_are_not_covered),
        scene_test(rows_are_never_changed_or_removed),
        scene_test(ledger_of_a_newer_revtwin_is_refused),
        scene_test(changed_file_is_found),
        scene_test(row_for_an_unknown_commit_does_not_break_verify),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
