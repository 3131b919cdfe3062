/* The pull-request-closed event of a workflow run, as GITHUB_EVENT_PATH names it. */
#include "scene.h"

/* The fields that vary; what GitHub sends has hundreds more. */
struct event {
    const char *action, *merged; /* as they stand in the JSON text */
    const char *sha, *base;
    unsigned commits; /* 0: not said */
};

static void send_text(struct scene *s, const char *text)
{
    char *path = check_printf("%s/.git/event.json", s->repo.dir);

    repo_write(&s->repo, ".git/event.json", text);
    scene_set(s, "GITHUB_EVENT_PATH", path);
    free(path);
}

static void send(struct scene *s, struct event event)
{
    char *sha = event.sha ? check_printf("\"%s\"", event.sha) : check_printf("null");
    bool open = strcmp(event.action, "closed") != 0 && strcmp(event.merged, "true") != 0;
    char *text = check_printf(
        "{\"action\": \"%s\", \"number\": 41,\n"
        " \"pull_request\": {\"number\": 41, \"state\": \"%s\", \"merged\": %s,\n"
        "  \"title\": \"\\u00fcber\", \"body\": null, \"merge_commit_sha\": %s,\n"
        "  \"commits\": %u, \"head\": {\"ref\": \"feature\"},\n"
        "  \"base\": {\"ref\": \"%s\"}},\n"
        " \"repository\": {\"default_branch\": \"main\"}, \"sender\": {\"id\": 1}}\n",
        event.action, open ? "open" : "closed", event.merged, sha, event.commits,
        event.base ? event.base : "main");

    send_text(s, text);
    free(text);
    free(sha);
}

static void send_merged(struct scene *s, struct rt_oid commit)
{
    send(s, (struct event){"closed", "true", commit.hex, NULL, 2});
}

/* main has V1, which is applied; the branch "feature" has V2 and V3. */
static void open_pull_request(struct scene *s)
{
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    repo_branch(&s->repo, "feature");
    scene_step(s, "V2");
    scene_step(s, "V3");
    repo_switch(&s->repo, "main");
}

static void expect_pull_request(struct scene *s)
{
    assert_log(s, "V1 V2 V3");
    assert_production(s, "SELECT pull_request FROM revtwin.ledger ORDER BY seq",
                      "\n41\n41");
}

/* The merge commit of the event is applied, whatever else has been merged since. */
static void merge_of_the_event_is_applied(void **state)
{
    static const enum repo_merge ways[] = {REPO_MERGE, REPO_SQUASH};
    struct scene *s = *state;

    for (size_t i = 0; i < 2; i++) {
        if (i == 0)
            open_pull_request(s);
        else
            scene_run(s, 0, "apply", "main");
        send_merged(s, repo_merge(&s->repo, ways[i], "feature"));
        scene_step(s, "V4");
        scene_run(s, 0, "apply");
        expect_pull_request(s);
        repo_git(&s->repo, "reset", "-q", "--hard", "HEAD~2", NULL);
        scene_new_production(s);
    }
}

static void rebase_of_the_event_is_caught_up_by_ledger(void **state)
{
    struct scene *s = *state;

    open_pull_request(s);
    send_merged(s, repo_merge(&s->repo, REPO_REBASE, "feature"));
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V2.sql");
    assert_warned(s, "--ledger");
    scene_run(s, 0, "apply", "--ledger");
    expect_pull_request(s);
}

static void ledger_goes_up_to_the_merge_of_the_event(void **state)
{
    struct scene *s = *state;

    open_pull_request(s);
    send_merged(s, repo_merge(&s->repo, REPO_MERGE, "feature"));
    scene_step(s, "V4");
    scene_run(s, 0, "apply", "--ledger");
    expect_pull_request(s);
}

/*
 * On an empty ledger a rebase of two commits and a squash look the same, and what comes
 * before the last step would be taken for applied.
 */
static void first_run_asks_whether_it_was_a_rebase(void **state)
{
    struct scene *s = *state;

    repo_write(&s->repo, "README", "words");
    repo_commit(&s->repo, "start");
    open_pull_request(s);
    scene_new_production(s);
    send_merged(s, repo_merge(&s->repo, REPO_REBASE, "feature"));
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V2.sql");
    assert_warned(s, "revtwin apply --base");
    assert_warned(s, "revtwin baseline");
    scene_run(s, 0, "apply", "--base", "HEAD~2");
    assert_ledger(s, "baseline V1, applied V2, applied V3");
    scene_new_production(s);
    scene_run(s, 0, "baseline", "HEAD~1");
    scene_run(s, 0, "apply");
    assert_ledger(s, "baseline V1, baseline V2, applied V3");
}

/* The pull request's commits are all that there are. */
static void first_run_of_a_young_repository_has_a_way_out(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    send_merged(s, scene_step(s, "V2"));
    scene_untouched(s, 3, "apply");
    assert_warned(s, "migrations/V1.sql");
    assert_warned(s, "revtwin apply --base none");
    scene_run(s, 0, "apply", "--base", "none");
    assert_ledger(s, "applied V1, applied V2");
}

static void first_run_knows_a_merge_commit(void **state)
{
    struct scene *s = *state;

    open_pull_request(s);
    scene_new_production(s);
    send_merged(s, repo_merge(&s->repo, REPO_MERGE, "feature"));
    scene_run(s, 0, "apply");
    assert_ledger(s, "baseline V1, applied V2, applied V3");
}

static void first_run_knows_a_pull_request_of_one_commit(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    send(s, (struct event){"closed", "true", scene_step(s, "V2").hex, NULL, 1});
    scene_run(s, 0, "apply");
    assert_ledger(s, "baseline V1, applied V2");
}

static void closed_without_merging_is_nothing_to_do(void **state)
{
    struct scene *s = *state;
    struct rt_oid test_merge;

    open_pull_request(s);
    test_merge = repo_merge(&s->repo, REPO_MERGE, "feature");
    /* GitHub names its own test merge here. */
    send(s, (struct event){"closed", "false", test_merge.hex, NULL, 0});
    scene_untouched(s, 0, "apply");
    assert_said(s, "nothing to do");
    assert_said(s, "41");
    assert_said(s, "without merging");
    scene_untouched(s, 0, "apply", "--ledger");
    assert_said(s, "nothing to do");
    send(s, (struct event){"closed", "false", NULL, NULL, 0});
    scene_untouched(s, 0, "apply");
    scene_untouched(s, 0, "apply", "--json");
    assert_said(s, "\"exit_status\": 0");
    assert_log(s, "V1");
}

/* Production need not be there for it. */
static void nothing_to_do_asks_nobody(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    send(s, (struct event){"closed", "false", NULL, NULL, 0});
    scene_set(s, "PROD_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none");
    scene_run(s, 0, "apply");
    assert_said(s, "nothing to do");
}

static void open_pull_request_is_refused(void **state)
{
    static const char *const actions[] = {"opened", "synchronize", "reopened", "labeled"};
    struct scene *s = *state;
    struct rt_oid test_merge;

    open_pull_request(s);
    test_merge = repo_merge(&s->repo, REPO_MERGE, "feature");
    for (size_t i = 0; i < 4; i++) {
        send(s, (struct event){actions[i], "false", test_merge.hex, NULL, 0});
        scene_untouched(s, 3, "apply");
        assert_warned(s, "still open");
        assert_warned(s, "41");
    }
    assert_log(s, "V1");
}

static void late_event_of_a_merged_pull_request_is_refused(void **state)
{
    static const char *const actions[] = {"labeled", "edited", "assigned"};
    struct scene *s = *state;
    struct rt_oid merge;

    open_pull_request(s);
    merge = repo_merge(&s->repo, REPO_MERGE, "feature");
    for (size_t i = 0; i < 3; i++) {
        send(s, (struct event){actions[i], "true", merge.hex, NULL, 0});
        scene_untouched(s, 3, "apply");
        assert_lacks(s->run.err, "open");
        assert_warned(s, "pull request 41 was closed before");
        assert_warned(s, actions[i]);
    }
    assert_log(s, "V1");
}

static void merge_into_another_branch_is_nothing_to_do(void **state)
{
    struct scene *s = *state;

    open_pull_request(s);
    send(s, (struct event){"closed", "true", repo_resolve(&s->repo, "feature").hex,
                           "develop", 0});
    scene_untouched(s, 0, "apply");
    assert_said(s, "nothing to do");
    assert_said(s, "develop");
    assert_said(s, "main");
    assert_log(s, "V1");
}

/* Of any event: it tells the default branch, which no name here gives away. */
static void default_branch_of_the_event_is_that_of_production(void **state)
{
    struct scene *s = *state;

    open_pull_request(s);
    repo_git(&s->repo, "branch", "-q", "-m", "main", "trunk", NULL);
    send_text(s, "{\"ref\": \"refs/heads/feature\", \"repository\": "
                 "{\"default_branch\": \"trunk\"}}");
    scene_untouched(s, 3, "apply", "feature");
    assert_warned(s, "is not on branch trunk");
    repo_switch(&s->repo, "feature");
    scene_untouched(s, 3, "apply", "--ledger");
    send_text(s, "{\"repository\": {\"default_branch\": \"not-fetched\"}}");
    repo_git(&s->repo, "branch", "-q", "-m", "trunk", "main", NULL);
    scene_untouched(s, 3, "apply", "--ledger");
    assert_warned(s, "is not on branch main");
    scene_run(s, 0, "apply", "--ledger", "--branch", "feature");
    assert_log(s, "V1 V2 V3");
}

/* REVTWIN_BRANCH says which branch reaches production, not the default branch. */
static void branch_of_production_is_configurable(void **state)
{
    struct scene *s = *state;
    struct rt_oid merge;

    open_pull_request(s);
    merge = repo_merge(&s->repo, REPO_MERGE, "feature");
    repo_git(&s->repo, "branch", "release", NULL);
    send(s, (struct event){"closed", "true", merge.hex, "main", 0});
    scene_set(s, "REVTWIN_BRANCH", "release");
    scene_untouched(s, 0, "apply");
    assert_said(s, "nothing to do");
    send(s, (struct event){"closed", "true", merge.hex, "release", 0});
    scene_run(s, 0, "apply");
    expect_pull_request(s);
}

static void commit_named_by_hand_goes_before_the_event(void **state)
{
    struct scene *s = *state;

    open_pull_request(s);
    repo_merge(&s->repo, REPO_MERGE, "feature");
    send(s, (struct event){"closed", "false", NULL, NULL, 0});
    scene_run(s, 0, "apply", "HEAD");
    assert_log(s, "V1 V2 V3");
    assert_production(s, "SELECT count(pull_request) FROM revtwin.ledger", "0");
}

/* Naming the commit that the event merged loses nothing of what the event tells. */
static void merge_commit_named_by_hand_keeps_its_pull_request(void **state)
{
    struct scene *s = *state;
    struct rt_oid merge;

    open_pull_request(s);
    merge = repo_merge(&s->repo, REPO_MERGE, "feature");
    send_merged(s, merge);
    scene_run(s, 0, "apply", "HEAD");
    expect_pull_request(s);
    scene_step(s, "V4");
    scene_run(s, 0, "apply", "HEAD");
    assert_production(s, "SELECT pull_request FROM revtwin.ledger WHERE seq = 4", "");
    scene_set(s, "GITHUB_EVENT_PATH", "/nonexistent/event.json");
    scene_untouched(s, 0, "apply", "HEAD");
}

/* push, schedule, workflow_dispatch: apply goes by HEAD. */
static void other_events_mean_head(void **state)
{
    static const char *const payloads[] = {
        "{\"ref\": \"refs/heads/main\", \"before\": \"0\", \"commits\": []}",
        "{\"schedule\": \"5 4 * * *\"}",
        "{\"inputs\": null, \"ref\": \"refs/heads/main\"}",
        "{}",
    };
    struct scene *s = *state;
    char name[8];

    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof(name), "V%zu", i + 1);
        scene_step(s, name);
        send_text(s, payloads[i]);
        scene_run(s, 0, "apply");
    }
    scene_set(s, "GITHUB_EVENT_PATH", "");
    scene_step(s, "V5");
    scene_run(s, 0, "apply");
    assert_log(s, "V1 V2 V3 V4 V5");
    assert_production(s, "SELECT count(pull_request) FROM revtwin.ledger", "0");
}

static void malformed_payload_is_refused(void **state)
{
    static const struct {
        const char *text, *said;
    } payloads[] = {
        {"", "JSON"},
        {"not JSON", "JSON"},
        {"{\"action\": \"closed\", \"pull_request\": {", "JSON"},
        {"{\"a\": 1, \"a\": 2}", "JSON"},
        {"\xff\xfe{}", "JSON"},
        {"[]", "root"},
        {"null", "JSON"},
        {"{\"action\": \"closed\", \"pull_request\": null}", "pull_request"},
        {"{\"action\": \"closed\", \"pull_request\": [1]}", "pull_request"},
        {"{\"pull_request\": {\"number\": 1, \"merged\": true}}", "action"},
        {"{\"action\": 1, \"pull_request\": {\"number\": 1}}", "action"},
        {"{\"action\": \"closed\", \"pull_request\": {\"number\": \"1\"}}", "number"},
        {"{\"action\": \"closed\", \"pull_request\": {\"number\": 1}}", "merged"},
        {"{\"action\": \"closed\", \"pull_request\": {\"number\": 1, \"merged\": 1}}",
         "merged"},
        {"{\"action\": \"closed\", \"pull_request\": {\"number\": 1, \"merged\": true}}",
         "merge_commit_sha"},
        {"{\"action\": \"closed\", \"pull_request\": {\"number\": 1, \"merged\": true, "
         "\"merge_commit_sha\": \"HEAD\"}}",
         "merge_commit_sha"},
        {"{\"action\": \"closed\", \"pull_request\": {\"number\": 1, \"merged\": true, "
         "\"merge_commit_sha\": 7}}",
         "merge_commit_sha"},
    };
    struct scene *s = *state;

    scene_step(s, "V1");
    for (size_t i = 0; i < sizeof(payloads) / sizeof(*payloads); i++) {
        send_text(s, payloads[i].text);
        scene_untouched(s, 2, "apply");
        assert_warned(s, "event.json");
        assert_warned(s, payloads[i].said);
    }
    assert_log(s, "");
}

static void payload_that_cannot_be_read_is_refused(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_set(s, "GITHUB_EVENT_PATH", "/nonexistent/event.json");
    scene_untouched(s, 2, "apply");
    assert_warned(s, "/nonexistent/event.json");
    assert_warned(s, "No such file");
    scene_set(s, "GITHUB_EVENT_PATH", "/");
    scene_untouched(s, 2, "apply");
    assert_log(s, "");
}

static void merge_that_was_not_fetched_is_refused(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    send(s, (struct event){"closed", "true", "1234567890123456789012345678901234567890",
                           NULL, 0});
    scene_untouched(s, 2, "apply");
    assert_warned(s, "1234567890123456789012345678901234567890");
}

static void ledger_tells_the_run(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    assert_production(s, "SELECT client LIKE '_%@_%' FROM revtwin.ledger", "t");
    scene_set(s, "GITHUB_SERVER_URL", "https://github.example.com");
    scene_set(s, "GITHUB_REPOSITORY", "shop/backend");
    scene_set(s, "GITHUB_RUN_ID", "1658821493");
    send_merged(s, scene_step(s, "V2"));
    scene_run(s, 0, "apply");
    assert_production(s, "SELECT client FROM revtwin.ledger WHERE seq = 2",
                      "https://github.example.com/shop/backend/actions/runs/1658821493");
    assert_production(s, "SELECT pull_request FROM revtwin.ledger WHERE seq = 2", "41");
}

/* Only a first run may take for applied what came with the pull request. */
static void stopped_file_is_skipped(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_file(s, "V2", "CREATE INDEX CONCURRENTLY i ON none (a);\n");
    repo_commit(&s->repo, "V2");
    scene_run(s, 4, "apply");
    send_merged(s, scene_step(s, "V3"));
    scene_run(s, 0, "apply", "--skip-stopped");
    assert_ledger(s, "applied V1, skipped V2, applied V3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(stopped_file_is_skipped),
        scene_test(merge_of_the_event_is_applied),
        scene_test(rebase_of_the_event_is_caught_up_by_ledger),
        scene_test(ledger_goes_up_to_the_merge_of_the_event),
        scene_test(first_run_asks_whether_it_was_a_rebase),
        scene_test(first_run_of_a_young_repository_has_a_way_out),
        scene_test(first_run_knows_a_merge_commit),
        scene_test(first_run_knows_a_pull_request_of_one_commit),
        scene_test(closed_without_merging_is_nothing_to_do),
        scene_test(nothing_to_do_asks_nobody),
        scene_test(open_pull_request_is_refused),
        scene_test(late_event_of_a_merged_pull_request_is_refused),
        scene_test(merge_into_another_branch_is_nothing_to_do),
        scene_test(default_branch_of_the_event_is_that_of_production),
        scene_test(branch_of_production_is_configurable),
        scene_test(commit_named_by_hand_goes_before_the_event),
        scene_test(merge_commit_named_by_hand_keeps_its_pull_request),
        scene_test(other_events_mean_head),
        scene_test(malformed_payload_is_refused),
        scene_test(payload_that_cannot_be_read_is_refused),
        scene_test(merge_that_was_not_fetched_is_refused),
        scene_test(ledger_tells_the_run),
    };

    return cmocka_run_group_tests_name("event", tests, scene_start_server,
                                       scene_stop_server);
}
