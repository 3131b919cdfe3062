/*
 * In a workflow run of GitHub Actions: annotations, the summary and the outputs of the
 * step, and nothing in any of them that a file or a server could have slipped in.
 */
#include "scene.h"

#include <sys/stat.h>
#include <unistd.h>

static char *path_of(const struct scene *s, const char *name)
{
    return check_printf("%s/.git/%s", s->repo.dir, name);
}

/* As the runner sets them. */
static void begin_step(struct scene *s)
{
    static const char *const files[] = {"GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"};

    scene_set(s, "GITHUB_ACTIONS", "true");
    for (size_t i = 0; i < 2; i++) {
        char *path = path_of(s, files[i]);

        unlink(path);
        scene_set(s, files[i], path);
        free(path);
    }
}

/* What the step has written to one of the files; for the caller to free. */
static char *written(const struct scene *s, const char *name)
{
    char *path = path_of(s, name), *text = check_alloc(1 << 20);
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(text, 1, (1 << 20) - 1, file) : 0;

    text[len] = '\0';
    if (file)
        fclose(file);
    free(path);
    return text;
}

static void expect_outputs(const struct scene *s, const char *wanted)
{
    char *text = written(s, "GITHUB_OUTPUT");

    assert_text_equal(text, wanted);
    free(text);
}

static void expect_summary(const struct scene *s, const char *part)
{
    char *text = written(s, "GITHUB_STEP_SUMMARY");

    assert_contains(text, part);
    free(text);
}

static char *head_of(const struct scene *s)
{
    return cluster_query(&scene_server, s->db,
                         "SELECT entry_hash FROM revtwin.ledger ORDER BY seq DESC "
                         "LIMIT 1");
}

/* The runner takes a line for a command that starts with "::" after blanks, or has "##["
 * anywhere. Ours are these two only. */
static void expect_no_commands(const char *text, bool annotations)
{
    assert_lacks(text, "##[");
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += strspn(line, "\n");
        if (strncmp(line + strspn(line, " \t"), "::", 2) != 0)
            continue;
        if (!annotations ||
            (strncmp(line, "::error ", 8) != 0 && strncmp(line, "::warning ", 10) != 0))
            check_fail("a command for the runner: %.60s", line);
    }
}

/* ------------------------------------------------------------------ what is told */

static void success_is_told(void **state)
{
    struct scene *s = *state;
    char *head, *outputs;

    scene_step(s, "V1");
    scene_step(s, "V2");
    begin_step(s);
    scene_run(s, 0, "apply");
    head = head_of(s);
    outputs = check_printf("status=0\napplied=1\npending=0\nhead=%s\n", head);
    expect_outputs(s, outputs);
    expect_summary(s, "### revtwin apply: done\n");
    expect_summary(s, "| baseline | <code>migrations&#47;V1&#46;sql</code> |");
    expect_summary(s, "| applied | <code>migrations&#47;V2&#46;sql</code> | 1 | ");
    expect_summary(s, " <code>V2</code> |\n"); /* the commit and its subject */
    expect_summary(s, "The twin was left as it is:");
    expect_summary(s, head);
    assert_said(s, "1 applied to production"); /* the log is as ever */
    expect_no_commands(s->run.out, false);
    expect_no_commands(s->run.err, true);
    assert_lacks(s->run.err, "::error");
    free(outputs);
    free(head);
}

static void failure_is_told(void **state)
{
    struct scene *s = *state;

    scene_migration(s, "V1");
    scene_file(s, "V2", "SELECT 1;\nSELECT 50 % 7, nope;\n");
    scene_migration(s, "V3");
    repo_commit(&s->repo, "fails");
    begin_step(s);
    scene_run(s, 4, "apply");
    assert_warned(s,
                  "\n::error file=migrations/V2.sql,line=2,col=16,title=revtwin apply::"
                  "column \"nope\" does not exist%0A");
    assert_warned(s, "revtwin apply --ledger");
    expect_summary(s, "### revtwin apply: failed, with exit status 4\n");
    expect_summary(s, "| applied | <code>migrations&#47;V1&#46;sql</code> |");
    expect_summary(s, "| failed | <code>migrations&#47;V2&#46;sql</code> |");
    expect_summary(s, "| not run | <code>migrations&#47;V3&#46;sql</code> |");
    expect_summary(s, "<pre>migrations&#47;V2&#46;sql:2:16 column");
    expect_summary(s, "SELECT 50 &#37; 7&#44; nope");
}

static void refusal_is_told(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_file(s, "V1", "SELECT 'another: one';\n");
    scene_step(s, "V2");
    begin_step(s);
    scene_untouched(s, 3, "apply");
    assert_warned(s, "\n::error file=migrations/V1.sql,title=revtwin apply::"
                     "migrations/V1.sql was changed after it was applied%0A");
    assert_warned(s, "\n::error title=revtwin apply::the plan is refused");
    expect_summary(s, "**refused**");
    expect_summary(s, "| apply | <code>migrations&#47;V2&#46;sql</code> |");
    expect_outputs(s, "status=3\napplied=0\npending=1\n");
}

static void warning_is_told(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    repo_delete(&s->repo, "migrations/V1.sql");
    scene_step(s, "V2");
    begin_step(s);
    scene_run(s, 0, "apply");
    assert_warned(s, "\n::warning title=revtwin apply::1 applied migration is no longer");
    assert_lacks(s->run.err, "::error");
}

/* Errors from before there is anything to do. */
static void missing_server_is_told(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    begin_step(s);
    scene_set(s, "PROD_DATABASE_URL", NULL);
    scene_run(s, 2, "apply");
    assert_warned(s, "::error title=revtwin apply::PROD_DATABASE_URL is not set");
    expect_outputs(s, "status=2\napplied=0\n");
    scene_run(s, 2, "apply", "--no-such-option");
    assert_warned(s, "::error title=revtwin apply::");
}

static void other_commands_tell_what_they_know(void **state)
{
    struct scene *s = *state;
    char *head, *outputs;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_step(s, "V2");
    head = head_of(s);
    begin_step(s);
    scene_run(s, 0, "plan");
    expect_outputs(s, "status=0\npending=1\n");
    expect_summary(s, "| apply | <code>migrations&#47;V2&#46;sql</code> |");
    begin_step(s);
    scene_run(s, 0, "status");
    outputs = check_printf("status=0\npending=1\nhead=%s\n", head);
    expect_outputs(s, outputs);
    free(outputs);
    begin_step(s);
    scene_run(s, 0, "verify");
    outputs = check_printf("status=0\nhead=%s\n", head);
    expect_outputs(s, outputs);
    free(outputs);
    scene_tamper(s, "UPDATE revtwin.ledger SET client = 'me'");
    begin_step(s);
    scene_run(s, 7, "verify");
    expect_summary(s, "- <code>ledger row 1 ");
    free(head);
    begin_step(s);
    scene_run(s, 0, "help");
    assert_said(s, "usage: revtwin");
    scene_run(s, 0, "version");
    expect_outputs(s, "");
}

/* A step of several commands keeps the summaries of all. */
static void summaries_are_appended(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    begin_step(s);
    scene_run(s, 0, "plan");
    scene_run(s, 0, "apply", "--json");
    assert_said(s, "{\n  \"revtwin\"");
    expect_summary(s, "### revtwin plan: done");
    expect_summary(s, "### revtwin apply: done");
}

static void pull_request_of_no_interest_is_told(void **state)
{
    struct scene *s = *state;
    char *path = path_of(s, "event.json");

    scene_step(s, "V1");
    repo_write(&s->repo, ".git/event.json",
               "{\"action\": \"closed\", \"pull_request\": {\"number\": 41, \"merged\": "
               "false}}");
    scene_set(s, "GITHUB_EVENT_PATH", path);
    begin_step(s);
    scene_run(s, 0, "apply");
    expect_summary(s, "Nothing to do: <code>pull request 41 ");
    expect_outputs(s, "status=0\napplied=0\n");
    free(path);
}

/* Whoever runs revtwin elsewhere sees nothing of it. */
static void outside_of_a_workflow_nothing_is_told(void **state)
{
    struct scene *s = *state;

    scene_file(s, "V1", "SELECT nope\n  ::text;\n");
    repo_commit(&s->repo, "fails");
    scene_run(s, 4, "apply");
    assert_lacks(s->run.err, "::error");
    begin_step(s);
    scene_set(s, "GITHUB_ACTIONS", NULL);
    scene_run(s, 4, "apply"); /* the files alone are enough for the files */
    assert_lacks(s->run.err, "::error");
    expect_summary(s, "failed, with exit status 4");
}

static void files_that_cannot_be_written_are_a_warning(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    begin_step(s);
    scene_set(s, "GITHUB_STEP_SUMMARY", "/nonexistent/summary");
    scene_set(s, "GITHUB_OUTPUT", "/dev/full");
    scene_run(s, 0, "apply");
    assert_warned(s, "warning: cannot write to /nonexistent/summary");
    assert_warned(s, "GITHUB_STEP_SUMMARY");
    assert_warned(s, "warning: cannot write to /dev/full");
    assert_log(s, "V1");
}

/* ------------------------------------------------------------------ intruders */

#define COMMANDS                                          \
    "::set-output name=applied::99\n  ::stop-commands::x" \
    "\n##[set-output name=applied]99\n\n| a | b |\n</pre><script>\n```\n[x](http://x)"

/* All lines of the summary are ours: a table's row has its six bars, and markup is only
 * what revtwin writes. */
static void expect_clean_summary(const struct scene *s)
{
    char *text = written(s, "GITHUB_STEP_SUMMARY");

    for (char *line = text; line && *line; line = strchr(line, '\n')) {
        size_t bars = 0, len;

        line += strspn(line, "\n");
        len = strcspn(line, "\n");
        for (size_t i = 0; i < len; i++)
            bars += line[i] == '|';
        if (bars != 0 && bars != 6)
            check_fail("not a row of ours: %.*s", (int)len, line);
    }
    assert_lacks(text, "<script");
    assert_lacks(text, "```");
    assert_lacks(text, "](");
    assert_lacks(text, "http:");
    free(text);
}

static void expect_clean(struct scene *s)
{
    char *outputs = written(s, "GITHUB_OUTPUT");

    expect_no_commands(s->run.out, false);
    expect_no_commands(s->run.err, true);
    expect_clean_summary(s);
    assert_lacks(outputs, "99");
    free(outputs);
}

static void messages_of_the_server_are_no_commands(void **state)
{
    struct scene *s = *state;

    scene_file(s, "V1",
               "DO $do$ BEGIN RAISE WARNING E'" COMMANDS "';\n"
               "RAISE EXCEPTION E'" COMMANDS "' USING DETAIL = E'" COMMANDS
               "', HINT = E'" COMMANDS "'; END $do$;\n");
    repo_commit(&s->repo, COMMANDS);
    begin_step(s);
    scene_run(s, 4, "apply", "-v");
    assert_warned(s, "set-output"); /* it is said, but not as a command */
    expect_clean(s);
    scene_run(s, 4, "apply", "--json");
    expect_clean(s);
    assert_said(s, "##\\u005bset-output");
}

/* The excerpt shows the line of the file that the error is in. */
static void lines_of_a_file_are_no_commands(void **state)
{
    struct scene *s = *state;

    scene_file(s, "V1", "SELECT 1\n  ::error::nope /* ##[error]x */;\n");
    repo_commit(&s->repo, "V1");
    begin_step(s);
    scene_run(s, 4, "apply");
    assert_warned(s, "\\x3a:error::nope");
    expect_clean(s);
}

static void names_are_no_commands(void **state)
{
    struct scene *s = *state;

    repo_write(
        &s->repo,
        "migrations/V1\n::set-output name=applied::99\n| x | y |##[debug]%0A,:a.sql",
        "SELECT nope;\n");
    repo_commit(&s->repo, COMMANDS);
    begin_step(s);
    scene_run(s, 4, "apply");
    expect_clean(s);
    assert_warned(s, "::error file=migrations/V1%0A%3A%3Aset-output name=applied%3A%3A99"
                     "%0A| x | y |\\x23#[debug]%250A%2C%3Aa.sql,line=1,col=8,");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(success_is_told),
        scene_test(failure_is_told),
        scene_test(refusal_is_told),
        scene_test(warning_is_told),
        scene_test(missing_server_is_told),
        scene_test(other_commands_tell_what_they_know),
        scene_test(summaries_are_appended),
        scene_test(pull_request_of_no_interest_is_told),
        scene_test(outside_of_a_workflow_nothing_is_told),
        scene_test(files_that_cannot_be_written_are_a_warning),
        scene_test(messages_of_the_server_are_no_commands),
        scene_test(lines_of_a_file_are_no_commands),
        scene_test(names_are_no_commands),
    };

    return cmocka_run_group_tests_name("workflow", tests, scene_start_server,
                                       scene_stop_server);
}
