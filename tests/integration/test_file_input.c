/* What a migration file may hold: accepted as it is, or refused before production. */
#include "scene.h"

#define INSERT(name) "INSERT INTO log (name) VALUES ('" name "');"

/* ------------------------------------------------------------------ accepted */

/* Commit the text as migrations/V2.sql after an applied V1, and apply it. */
static void apply_text(struct scene *s, const char *text)
{
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    repo_write(&s->repo, "migrations/V2.sql", text);
    repo_commit(&s->repo, "V2");
    scene_run(s, 0, "apply");
    assert_ledger(s, "applied V1, applied V2");
}

static void expect_statements(struct scene *s, const char *count)
{
    assert_production(s, "SELECT statements FROM revtwin.ledger WHERE seq = 2", count);
}

static void empty_file_is_recorded(void **state)
{
    apply_text(*state, "");
    expect_statements(*state, "0");
}

static void file_of_comments_is_recorded(void **state)
{
    apply_text(*state, "-- nothing\n/* to /* do */ */;\n;;\n\t\n-- no line end");
    expect_statements(*state, "0");
}

static void byte_order_mark_is_skipped(void **state)
{
    apply_text(*state, "\xef\xbb\xbf" INSERT("V2"));
    assert_log((struct scene *)*state, "V1 V2");
    expect_statements(*state, "1");
}

static void carriage_returns_are_no_harm(void **state)
{
    apply_text(*state, "-- CRLF\r\n" INSERT("a\r\nb") "\r\n\r\n" INSERT("c") "\r\n");
    assert_production((struct scene *)*state,
                      "SELECT string_agg(encode(name::bytea, 'hex'), ' ' ORDER BY id) "
                      "FROM log WHERE id > 1",
                      "610d0a62 63"); /* psql sends them as they are, too */
    expect_statements(*state, "2");
}

static void sample_of_the_guides_is_one_transaction_with_its_row(void **state)
{
    struct scene *s = *state;

    cluster_exec(&scene_server, s->db, "CREATE TABLE users (id int)");
    apply_text(s, "BEGIN;\nALTER TABLE users ADD COLUMN flag VARCHAR(255);\nCOMMIT;\n");
    assert_production(s,
                      "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
                      "WHERE attrelid = 'users'::regclass AND attname = 'flag'",
                      "character varying(255)");
    /* The column and the ledger's row have the same creator. */
    assert_production(s,
                      "SELECT count(*) FROM pg_attribute a, revtwin.ledger l WHERE "
                      "a.attrelid = 'users'::regclass AND a.attname = 'flag' AND "
                      "l.path = 'migrations/V2.sql' AND a.xmin = l.xmin",
                      "1");
    expect_statements(s, "1");
}

static void own_transaction_of_a_failing_file_rolls_back_whole(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "migrations/V1.sql",
               "BEGIN;\n" INSERT("V1") "\nSELECT 1/0;\nCOMMIT;\n");
    repo_commit(&s->repo, "V1");
    scene_run(s, 4, "apply");
    assert_warned(s, "migrations/V1.sql:3");
    assert_warned(s, "22012");
    assert_log(s, "");
}

static void comment_behind_the_own_transaction_may_be_large(void **state)
{
    char *sql = check_printf("BEGIN;\n" INSERT("V2") "\nCOMMIT -- %040000d", 0);

    apply_text(*state, sql);
    assert_log((struct scene *)*state, "V1 V2");
    expect_statements(*state, "1");
    free(sql);
}

static void plan_says_that_the_own_transaction_is_dropped(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "migrations/V1.sql", "START TRANSACTION;\nSELECT 1;\nEND;\n");
    repo_commit(&s->repo, "V1");
    scene_untouched(s, 0, "plan");
    assert_said(s, "BEGIN and COMMIT are dropped");
}

static void savepoints_are_fine(void **state)
{
    struct scene *s = *state;

    apply_text(s, INSERT("a") "SAVEPOINT p;" INSERT("b") "ROLLBACK TO p;" INSERT(
                      "c") "RELEASE p;");
    assert_log(s, "V1 a c");
}

static void restrict_lines_of_pg_dump_are_ignored(void **state)
{
    apply_text(*state, "\\restrict abc\n" INSERT("V2") "\n\\unrestrict abc\n");
    assert_log((struct scene *)*state, "V1 V2");
}

/* ------------------------------------------------------------------ refused */

/* A file and its refusal: the place, and what is said. */
struct bad {
    const char *name, *text;
    const char *place, *said;
    size_t len; /* 0: up to the NUL */
};

/* Each one alone, as the only new file of a step. */
static void expect_refusals(struct scene *s, const struct bad *files, size_t count)
{
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    for (size_t i = 0; i < count; i++) {
        size_t len = files[i].len ? files[i].len : strlen(files[i].text);
        char *place = check_printf("migrations/V2.sql:%s:", files[i].place);

        scene_migration(s, "V0"); /* also what comes before is not applied */
        repo_write_bytes(&s->repo, "migrations/V2.sql", files[i].text, len);
        repo_commit(&s->repo, files[i].name);
        scene_untouched(s, 3, "plan");
        assert_warned(s, place);
        assert_warned(s, files[i].said);
        scene_untouched(s, 3, "apply");
        assert_warned(s, place);
        assert_warned(s, files[i].said);
        repo_git(&s->repo, "reset", "-q", "--hard", "HEAD~1", NULL);
        free(place);
    }
    assert_log(s, "V1");
    assert_ledger(s, "applied V1");
}

#define EXPECT_REFUSALS(state, ...)                                          \
    do {                                                                     \
        static const struct bad files_[] = {__VA_ARGS__};                    \
        expect_refusals(*(state), files_, sizeof(files_) / sizeof(*files_)); \
    } while (0)

static void bytes_that_are_no_text_are_refused(void **state)
{
    EXPECT_REFUSALS(state,
                    {"Latin-1",
                     "SELECT 1;\nSELECT 'gr\xf6\xdf"
                     "e';\n",
                     "2:11", "UTF-8", 0},
                    {"truncated", "SELECT '\xe2\x82", "1:9", "UTF-8", 0},
                    {"surrogate", "-- \xed\xa0\x80\n", "1:4", "UTF-8", 0},
                    {"NUL", "SELECT 1;\nSELECT\0 2;\n", "2:7", "NUL", 21},
                    {"UTF-16", "\xff\xfeS\0E\0L\0E\0C\0T\0", "1:4", "NUL", 14});
}

/* The line is the one where it began. */
static void unterminated_things_are_refused(void **state)
{
    EXPECT_REFUSALS(
        state,
        {"quote", "SELECT 1;\nSELECT 'open\n\n\n;\n", "2:8", "unterminated quoted", 0},
        {"identifier", "\n\nSELECT \"open\n;\n", "3:8", "unterminated quoted ident", 0},
        {"dollar quote", "SELECT 1;\n\nDO $x$\nBEGIN\nEND $y$;\n", "3:4", "dollar", 0},
        {"comment", "SELECT 1;\n/* open /* nested */\nSELECT 2;\n", "2:1", "comment", 0});
}

static void transaction_control_is_refused(void **state)
{
    EXPECT_REFUSALS(
        state, {"only COMMIT", INSERT("x") "\nCOMMIT;\n", "2:1", "COMMIT", 0},
        {"only BEGIN", "BEGIN;\n" INSERT("x") "\n", "1:1", "BEGIN", 0},
        {"two pairs", "BEGIN;\n" INSERT("x") "\nCOMMIT;\nBEGIN;\n" INSERT("y") "COMMIT;",
         "3:1", "COMMIT", 0},
        {"something outside", "BEGIN;\n" INSERT("x") "\nCOMMIT;\n" INSERT("y"), "1:1",
         "BEGIN", 0},
        {"ROLLBACK", "BEGIN;\n" INSERT("x") "\nROLLBACK;\n", "1:1", "BEGIN", 0},
        {"ROLLBACK inside", "BEGIN;\nROLLBACK;\n" INSERT("x") "\nCOMMIT;\n", "2:1",
         "ROLLBACK", 0},
        {"AND CHAIN", "BEGIN;\n" INSERT("x") "\nCOMMIT AND CHAIN;\n", "1:1", "BEGIN", 0},
        {"isolation level", "BEGIN ISOLATION LEVEL SERIALIZABLE;\nSELECT 1;\nCOMMIT;",
         "1:1", "BEGIN", 0},
        {"SET TRANSACTION", "SET TRANSACTION READ ONLY;\n", "1:1", "SET", 0},
        {"two-phase", INSERT("x") "\n  PREPARE TRANSACTION 'x';\n", "2:3", "PREPARE", 0},
        {"ABORT in a comment's shadow", "/* BEGIN */ ABORT;\n", "1:13", "ROLLBACK", 0});
}

#define BIG_COMMENT "/*%040000d*/"

/* What psql and the server read differently, and COMMIT where no parser sees it. */
static void hidden_transaction_control_is_refused(void **state)
{
    char *before = check_printf("SELECT 1;\nCOMMIT " BIG_COMMENT ";\nSELECT 1/0;\n", 0),
         *last = check_printf(INSERT("x") "\nCOMMIT -- %040000d", 0);
    const struct bad files[] = {
        {"function begin",
         "CREATE TABLE half (a int);\nCREATE FUNCTION begin() RETURNS int LANGUAGE sql "
         "AS "
         "'select 1'; COMMIT; SELECT 1/0;\n",
         "2:1", "several to the server", 0},
        {"function begin, with COPY",
         "COPY log (name) FROM stdin;\nx\n\\.\nCREATE FUNCTION begin() RETURNS int "
         "LANGUAGE sql AS 'SELECT 1'; COMMIT; SELECT 2 AS end;\n",
         "4:1", "several to the server", 0},
        {"strings",
         "COPY log (name) FROM stdin;\nx\n\\.\nSET standard_conforming_strings = off;\n"
         "SELECT 'a\\''; COMMIT; CREATE TABLE b(); --';\n",
         "4:1", "standard_conforming_strings", 0},
        {"strings, alone", "SET standard_conforming_strings = off;\nSELECT 'a\\'';';\n",
         "1:1", "changes what a backslash means", 0},
        {"large comment", before, "2:1", "COMMIT that the parser cannot read", 0},
        {"large comment at the end", last, "2:1", "COMMIT inside a migration", 0},
        {"SQL behind restrict", "\\restrict x \\\\ CREATE TABLE hidden (a int);\n",
         "1:13", "\\restrict", 0},
    };

    expect_refusals(*state, files, sizeof(files) / sizeof(*files));
    free(before);
    free(last);
}

static void statements_that_refuse_a_transaction_are_recognised(void **state)
{
    EXPECT_REFUSALS(
        state,
        {"mixed", INSERT("x") "\nDROP INDEX CONCURRENTLY i;\n", "2:1", "Split the file",
         0},
        {"mixed in its own pair", "BEGIN;\n" INSERT("x") "\nVACUUM log;\nCOMMIT;", "3:1",
         "-- revtwin: no-transaction", 0},
        {"in its own pair", "BEGIN;\nREINDEX DATABASE CONCURRENTLY x;\nCOMMIT;", "1:1",
         "BEGIN in a file that runs without a transaction", 0},
        {"directive", "-- revtwin: no-transaction\n" INSERT("x") "\nROLLBACK;", "3:1",
         "ROLLBACK in a file that runs without a transaction", 0},
        {"misspelled directive", "-- revtwin: no-transactions\n" INSERT("x"), "1:1",
         "revtwin knows no such directive", 0},
        {"late directive", INSERT("x") "\n-- revtwin: no-transaction\n", "2:1",
         "move it to the top", 0},
        {"SAVEPOINT", "SAVEPOINT a;\nVACUUM log;", "1:1", "SAVEPOINT means nothing", 0});
}

/* The text does not tell that the table is partitioned. */
static void refusal_that_only_the_server_knows_has_a_way_out(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_file(s, "V2",
               "CREATE TABLE parts (a int PRIMARY KEY) PARTITION BY LIST (a);\n"
               "REINDEX TABLE parts;\n");
    repo_commit(&s->repo, "in a transaction");
    scene_run(s, 4, "apply");
    assert_warned(s, "migrations/V2.sql:2:1");
    assert_warned(s, "25001");
    assert_warned(s, "-- revtwin: no-transaction");
    assert_production(s, "SELECT to_regclass('parts') IS NULL", "t");
    scene_file(s, "V2",
               "-- revtwin: no-transaction\n"
               "CREATE TABLE parts (a int PRIMARY KEY) PARTITION BY LIST (a);\n"
               "REINDEX TABLE parts;\n");
    repo_git(&s->repo, "add", "-A", NULL);
    repo_git(&s->repo, "commit", "-q", "--amend", "--no-edit", NULL);
    scene_run(s, 0, "apply");
    assert_ledger(s, "applied V1, applied V2");
}

static void commands_of_psql_are_refused(void **state)
{
    EXPECT_REFUSALS(state, {"include", INSERT("x") "\n\\i other.sql\n", "2:1", "\\i", 0},
                    {"shell", "SELECT 1\n  \\! rm -rf /\n", "2:3", "\\!", 0},
                    {"gexec", "SELECT 'DROP TABLE log' \\gexec\n", "1:25", "\\gexec", 0},
                    {"copy", "\\copy log from /etc/passwd\n", "1:1", "\\copy", 0},
                    {"COPY with text on its line",
                     "COPY log FROM stdin; SELECT 1;\n1\tx\n\\.\n", "1:22", "COPY", 0},
                    {"COPY out", "COPY log TO STDOUT;\n", "1:1", "COPY", 0});
}

/* Every bad file of a range is told at once. */
static void all_bad_files_are_told(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "migrations/V1.sql", "SELECT 'open;\n");
    repo_write(&s->repo, "migrations/V2.sql", "COMMIT;\n");
    repo_write(&s->repo, "migrations/V3.sql", "\\q\n");
    scene_migration(s, "V4");
    repo_commit(&s->repo, "bad ones");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V1.sql:1:8");
    assert_warned(s, "migrations/V2.sql:1:1");
    assert_warned(s, "migrations/V3.sql:1:1");
    assert_warned(s, "3 problems");
    assert_warned(s, "Production was not changed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(empty_file_is_recorded),
        scene_test(file_of_comments_is_recorded),
        scene_test(byte_order_mark_is_skipped),
        scene_test(carriage_returns_are_no_harm),
        scene_test(sample_of_the_guides_is_one_transaction_with_its_row),
        scene_test(own_transaction_of_a_failing_file_rolls_back_whole),
        scene_test(comment_behind_the_own_transaction_may_be_large),
        scene_test(plan_says_that_the_own_transaction_is_dropped),
        scene_test(savepoints_are_fine),
        scene_test(restrict_lines_of_pg_dump_are_ignored),
        scene_test(bytes_that_are_no_text_are_refused),
        scene_test(unterminated_things_are_refused),
        scene_test(transaction_control_is_refused),
        scene_test(hidden_transaction_control_is_refused),
        scene_test(statements_that_refuse_a_transaction_are_recognised),
        scene_test(refusal_that_only_the_server_knows_has_a_way_out),
        scene_test(commands_of_psql_are_refused),
        scene_test(all_bad_files_are_told),
    };

    return cmocka_run_group_tests_name("file input", tests, scene_start_server,
                                       scene_stop_server);
}
