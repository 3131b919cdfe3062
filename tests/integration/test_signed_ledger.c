/* Who can write to the ledger, but has no key, cannot rewrite history: signatures, and a
 * head that was noted elsewhere. */
#include "scene.h"

#include <sys/stat.h>

#include "migrate/chain.h"

#define SECRET ".git/revtwin.key" /* where no commit picks it up */
#define PUBLIC SECRET ".pub"

static char *read_file(const struct scene *s, const char *name)
{
    char *path = check_printf("%s/%s", s->repo.dir, name), *text = check_alloc(4096);
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(text, 1, 4095, file) : 0;

    if (!file)
        check_fail("there is no %s", path);
    text[len] = '\0';
    fclose(file);
    free(path);
    return text;
}

/* Make a pair in that file, and sign with it from here on. */
static void sign_with(struct scene *s, const char *name)
{
    scene_run(s, 0, "keygen", name);
    scene_set(s, "REVTWIN_SIGNING_KEY", name);
}

/* Steps that are applied, so that the ledger has three rows: one baseline, two applied.
 */
static void make_rows(struct scene *s)
{
    scene_step(s, "V0");
    scene_step(s, "V1");
    scene_run(s, 0, "apply");
    scene_step(s, "V2");
    scene_run(s, 0, "apply");
}

static char *head_of(const struct scene *s)
{
    return cluster_query(
        &scene_server, s->db,
        "SELECT entry_hash FROM revtwin.ledger ORDER BY seq DESC LIMIT 1");
}

static void expect_no_key_text(const struct scene *s, const char *secret)
{
    const char *base64 = strchr(secret, ':') + 1;
    char *part = check_printf("%.20s", base64);

    assert_lacks(s->run.out, part);
    assert_lacks(s->run.err, part);
    free(part);
}

/* ------------------------------------------------------------------ signing */

static void every_row_is_signed(void **state)
{
    struct scene *s = *state;
    char *public_key, *secret;

    sign_with(s, SECRET);
    public_key = read_file(s, PUBLIC);
    public_key[strcspn(public_key, "\n")] = '\0';
    secret = read_file(s, SECRET);
    make_rows(s);
    assert_said(s, "signed with the secret key of revtwin-public-key-1:");
    assert_said(s, public_key);
    assert_string_equal(s->run.err, "");
    expect_no_key_text(s, secret);
    scene_step(s, "V3");
    scene_run(s, 0, "baseline", "HEAD");
    assert_said(s, public_key);
    scene_file(s, "V1", "SELECT 'a comment';\n");
    repo_commit(&s->repo, "comment");
    scene_run(s, 0, "amend", "migrations/V1.sql", "--reason", "a comment");
    assert_said(s, public_key);
    assert_ledger(s, "baseline V0, applied V1, applied V2, baseline V3, amended V1");
    assert_production(s, "SELECT count(*) FROM revtwin.ledger WHERE signature IS NULL",
                      "0");
    scene_untouched(s, 0, "verify", "--public-key", PUBLIC);
    assert_said(s, "every row is signed by one of the given keys (rows: 5)");
    scene_run(s, 0, "apply");
    assert_said(s, "ledger head: ");
    assert_lacks(s->run.out, "signed"); /* no row was written */
    free(public_key);
    free(secret);
}

/* As a workflow has it; perhaps with the line end. */
static void key_may_be_the_value_of_the_variable(void **state)
{
    struct scene *s = *state;
    char *secret;

    scene_run(s, 0, "keygen", SECRET);
    secret = read_file(s, SECRET);
    scene_set(s, "REVTWIN_SIGNING_KEY", secret);
    scene_step(s, "V1");
    scene_run(s, 0, "apply", "--json");
    assert_said(s, "\"signed\": true");
    assert_said(s, "\"public_key\": \"revtwin-public-key-1:");
    expect_no_key_text(s, secret);
    scene_run(s, 0, "status", "--json");
    expect_no_key_text(s, secret);
    scene_run(s, 0, "verify", "--public-key", PUBLIC);
    free(secret);
}

static void empty_variable_is_an_unset_one_and_said(void **state)
{
    struct scene *s = *state;

    scene_set(s, "REVTWIN_SIGNING_KEY", "");
    make_rows(s);
    assert_said(s, "not signed: REVTWIN_SIGNING_KEY is not set");
    scene_step(s, "V3");
    scene_run(s, 0, "apply", "--json");
    assert_said(s, "\"signed\": false");
    assert_lacks(s->run.out, "public_key");
    assert_production(s, "SELECT count(signature) FROM revtwin.ledger", "0");
}

/* ------------------------------------------------------------------ rewriting */

struct intruder {
    struct rt_arena arena;
    struct rt_conn *conn;
    struct rt_server server;
    struct rt_ledger ledger;
};

static void sneak_in(struct intruder *in, const struct scene *s)
{
    char url[CLUSTER_URL_SIZE];
    struct rt_err err = {0};

    *in = (struct intruder){.server = {.role = "production", .source = "a stolen URL"}};
    rt_secret_set(&in->server.conninfo, cluster_url(&scene_server, s->db, url));
    if (rt_conn_open(&in->conn, &in->server, RT_READ_ONLY, &err) < 0 ||
        rt_ledger_read(&in->ledger, &in->arena, in->conn, -1, &err) < 0)
        check_fail("%s", err.message);
}

static void sneak_out(struct intruder *in)
{
    rt_conn_close(in->conn);
    rt_secret_clear(&in->server.conninfo);
    rt_arena_clear(&in->arena);
}

/* Change a row, then make the chain whole again from there on. The hashes are right; with
 * a key the rows are signed as well. */
static void rewrite(const struct scene *s, const char *edit,
                    const struct rt_signing_key *key)
{
    struct intruder in;
    const char *prev = RT_LEDGER_START;

    scene_tamper(s, edit);
    sneak_in(&in, s);
    for (size_t i = 0; i < in.ledger.count; i++) {
        struct rt_ledger_row *row = &in.ledger.rows[i];
        struct rt_digest own;
        char *sql;

        row->column[RT_COL_PREV_HASH] = prev;
        own = rt_ledger_hash(row);
        sql = check_printf("UPDATE revtwin.ledger SET prev_hash = '%s', entry_hash = '%s'"
                           "%s%s%s WHERE seq = %s",
                           prev, own.hex, key ? ", signature = '" : "",
                           key ? rt_sign(key, own.hex).text : "", key ? "'" : "",
                           row->column[RT_COL_SEQ]);
        scene_tamper(s, sql);
        free(sql);
        prev = rt_arena_strdup(&in.arena, own.hex);
    }
    sneak_out(&in);
}

static void history_cannot_be_rewritten_without_the_key(void **state)
{
    struct scene *s = *state;
    struct rt_signing_key *stolen = rt_signing_key_make();
    char *head;

    sign_with(s, SECRET);
    make_rows(s);
    head = head_of(s);
    rewrite(s, "UPDATE revtwin.ledger SET client = 'somebody else' WHERE seq = 2", NULL);
    scene_run(s, 0, "verify"); /* the chain is whole */
    scene_untouched(s, 7, "verify", "--public-key", PUBLIC);
    assert_lacks(s->run.out, "ledger row 1 ");
    assert_said(s, "ledger row 2 (migrations/V1.sql) has a signature that none");
    assert_said(s, "ledger row 3 (migrations/V2.sql) has a signature that none");
    assert_warned(s, "2 differences found");
    scene_untouched(s, 7, "verify", "--head", head);
    assert_said(s, head);

    /* With a key of his own. */
    rewrite(s, "UPDATE revtwin.ledger SET client = 'me' WHERE seq = 1", stolen);
    scene_run(s, 0, "verify");
    scene_untouched(s, 7, "verify", "--public-key", PUBLIC);
    assert_warned(s, "3 differences found");

    /* Without signatures. */
    rewrite(s, "UPDATE revtwin.ledger SET signature = NULL", NULL);
    scene_run(s, 0, "verify");
    scene_untouched(s, 7, "verify", "--json", "--public-key", PUBLIC);
    assert_said(s, "ledger row 1 (migrations/V0.sql) is not signed");
    assert_said(s, "ledger row 3 (migrations/V2.sql) is not signed");
    free(head);
    rt_signing_key_free(stolen);
}

static void row_of_somebody_else_is_found_also_behind_ours(void **state)
{
    struct scene *s = *state;

    sign_with(s, SECRET);
    make_rows(s);
    cluster_exec(&scene_server, s->db,
                 "INSERT INTO revtwin.ledger SELECT format, seq + 1, kind, "
                 "'migrations/V3.sql', algorithm, checksum, statements, commit_oid, "
                 "pull_request, applied_at, duration, applied_by, client, "
                 "revtwin_version, reason, xid, entry_hash, repeat('e', 64), signature "
                 "FROM revtwin.ledger WHERE seq = 3");
    rewrite(s, "SELECT", NULL);
    scene_run(s, 0, "verify");
    scene_run(s, 7, "verify", "--public-key", PUBLIC);
    assert_said(s, "ledger row 4 (migrations/V3.sql) has a signature that none");
    /* The next run hears of it, and what it signs does not vouch for the row before. */
    scene_step(s, "V4");
    scene_run(s, 0, "apply");
    assert_warned(s, "newest row (4) is signed with another key");
    scene_run(s, 7, "verify", "--public-key", PUBLIC);
    assert_said(s, "ledger row 4 ");
    assert_warned(s, "1 difference found");
}

/* ------------------------------------------------------------------ beginning, changing
 */

static void signing_begins_after_a_noted_head(void **state)
{
    struct scene *s = *state;
    char *head;

    make_rows(s);
    head = head_of(s);
    sign_with(s, SECRET);
    scene_step(s, "V3");
    scene_run(s, 0, "apply");
    assert_warned(s, "warning: the ledger's newest row (3) is not signed");
    scene_step(s, "V4");
    scene_run(s, 0, "apply");
    assert_lacks(s->run.err, "warning");
    scene_run(s, 7, "verify", "--public-key", PUBLIC);
    assert_warned(s, "3 differences found");
    scene_run(s, 0, "verify", "--public-key", PUBLIC, "--head", head);
    assert_said(s, "has the given head (rows up to it: 3)");
    assert_said(s, "every row after it is signed by one of the given keys (rows: 2)");
    /* The noted head is no excuse for the rows before it. */
    scene_tamper(s, "UPDATE revtwin.ledger SET client = 'x' WHERE seq = 1");
    scene_run(s, 7, "verify", "--public-key", PUBLIC, "--head", head);
    assert_said(s, "row 1 (migrations/V0.sql) was edited");
    rewrite(s, "SELECT", NULL);
    scene_run(s, 7, "verify", "--public-key", PUBLIC, "--head", head);
    assert_said(s, "has no row with the head");
    assert_warned(s, "6 differences found"); /* and no row is signed well */
    free(head);
}

static void keys_are_changed_by_keeping_the_public_one(void **state)
{
    struct scene *s = *state;
    char *first, *second, *both;

    sign_with(s, SECRET);
    make_rows(s);
    first = read_file(s, PUBLIC);
    sign_with(s, ".git/second.key");
    scene_step(s, "V3");
    scene_run(s, 0, "apply");
    assert_warned(s, "newest row (3) is signed with another key than this one");
    scene_step(s, "V4");
    scene_run(s, 0, "apply");
    assert_lacks(s->run.err, "warning");
    second = read_file(s, ".git/second.key.pub");
    both = check_printf("# until May\n%s\n# since then\n%s", first, second);
    repo_write(&s->repo, "keys.pub", both);
    scene_run(s, 0, "verify", "--public-key", "keys.pub");
    scene_run(s, 7, "verify", "--public-key", PUBLIC);
    assert_warned(s, "2 differences found");
    scene_run(s, 7, "verify", "--public-key", ".git/second.key.pub");
    assert_warned(s, "3 differences found");
    free(first);
    free(second);
    free(both);
}

static void signed_ledger_gets_no_unsigned_row_by_oversight(void **state)
{
    struct scene *s = *state;

    sign_with(s, SECRET);
    make_rows(s);
    scene_set(s, "REVTWIN_SIGNING_KEY", "");
    scene_file(s, "V1", "SELECT 'a comment';\n");
    scene_step(s, "V3");
    scene_untouched(s, 3, "apply");
    assert_warned(s, "newest row (3) is signed, but REVTWIN_SIGNING_KEY is not set");
    scene_untouched(s, 3, "amend", "migrations/V1.sql", "--reason", "x");
    assert_warned(s, "REVTWIN_SIGNING_KEY is not set");
    scene_untouched(s, 3, "baseline", "HEAD");
    assert_warned(s, "REVTWIN_SIGNING_KEY is not set");
    scene_untouched(s, 3, "plan"); /* which needs no key */
    assert_lacks(s->run.err, "REVTWIN_SIGNING_KEY");

    scene_run(s, 0, "amend", "migrations/V1.sql", "--reason", "x", "--no-signature");
    assert_said(s, "not signed: --no-signature");
    scene_run(s, 0, "apply");
    assert_said(s, "not signed: REVTWIN_SIGNING_KEY is not set");
    scene_run(s, 7, "verify", "--public-key", PUBLIC);
    assert_said(s, "ledger row 4 (migrations/V1.sql) is not signed");
    assert_said(s, "ledger row 5 (migrations/V3.sql) is not signed");
    assert_warned(s, "2 differences found");
    scene_set(s, "REVTWIN_SIGNING_KEY", SECRET);
    scene_step(s, "V4");
    scene_run(s, 0, "apply", "--no-signature");
    assert_said(s, "not signed: --no-signature");
}

/* ------------------------------------------------------------------ a noted head */

static void head_shows_what_was_cut_off(void **state)
{
    struct scene *s = *state;
    char *first, *head, *upper;

    sign_with(s, SECRET);
    make_rows(s);
    head = head_of(s);
    assert_said(s, head);
    first = cluster_query(&scene_server, s->db,
                          "SELECT entry_hash FROM revtwin.ledger WHERE seq = 1");
    upper = cluster_query(&scene_server, s->db,
                          "SELECT upper(entry_hash) FROM revtwin.ledger WHERE seq = 2");
    scene_untouched(s, 0, "verify", "--head", head);
    assert_said(s, "rows up to it: 3");
    scene_untouched(s, 0, "verify", "--head", first); /* later rows are fine */
    scene_untouched(s, 0, "verify", "--head", upper);
    scene_untouched(s, 0, "verify", "--head", RT_LEDGER_START);
    scene_tamper(s, "DELETE FROM revtwin.ledger WHERE seq = 3");
    scene_run(s, 0, "verify", "--public-key", PUBLIC); /* it cannot tell */
    scene_untouched(s, 7, "verify", "--head", head);
    assert_said(s, "differs: the ledger has no row with the head ");
    assert_said(s, head);
    scene_run(s, 0, "verify", "--head", upper);
    scene_tamper(s, "TRUNCATE revtwin.ledger");
    scene_untouched(s, 7, "verify", "--head", first);
    cluster_exec(&scene_server, s->db, "DROP SCHEMA revtwin CASCADE");
    scene_untouched(s, 7, "verify", "--head", first);
    assert_warned(s, "1 difference found");
    scene_untouched(s, 0, "verify", "--head", RT_LEDGER_START);
    free(first);
    free(head);
    free(upper);
}

static void head_is_a_hash(void **state)
{
    static const char *const bad[] = {
        "",
        "HEAD",
        "123",
        "g000000000000000000000000000000000000000000000000000000000000000",
        "00000000000000000000000000000000000000000000000000000000000000000",
    };
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_set(s, "PROD_DATABASE_URL", "host=/nowhere"); /* which is not even tried */
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        scene_run(s, 2, "verify", "--head", bad[i]);
        assert_warned(s, "64 hexadecimal digits");
    }
}

/* ------------------------------------------------------------------ bad keys */

/* The commands refuse the key before they connect. */
static void refused(struct scene *s, const char *value, const char *message)
{
    scene_set(s, "REVTWIN_SIGNING_KEY", value);
    scene_run(s, 2, "apply");
    assert_warned(s, message);
    assert_warned(s, "REVTWIN_SIGNING_KEY");
    scene_run(s, 2, "baseline", "HEAD");
    assert_warned(s, message);
    scene_run(s, 2, "amend", "x", "--reason", "x");
    assert_warned(s, message);
}

static void bad_signing_keys_are_refused_before_anything(void **state)
{
    struct scene *s = *state;
    char *secret, *public_key, *path;

    scene_step(s, "V1");
    scene_run(s, 0, "keygen", SECRET);
    secret = read_file(s, SECRET);
    public_key = read_file(s, PUBLIC);
    path = check_printf("%s/" SECRET, s->repo.dir);
    scene_set(s, "PROD_DATABASE_URL", "host=/nowhere");
    refused(s, public_key, "holds a public key, but signing needs the secret one");
    refused(s, PUBLIC, "holds a public key, but signing needs the secret one");
    refused(s, "nowhere.key", "cannot read the file that REVTWIN_SIGNING_KEY names");
    refused(s, ".git", "names a folder");
    refused(s, ".git/index", "names a file that is not a key");
    refused(s, "migrations/V1.sql", "not a key of revtwin");
    secret[60] = secret[60] == 'A' ? 'B' : 'A';
    refused(s, secret, "the key in REVTWIN_SIGNING_KEY is damaged");
    expect_no_key_text(s, secret);
    secret[strlen("revtwin-secret-key-1")] = '-';
    refused(s, secret, "cannot read the file that REVTWIN_SIGNING_KEY names");
    assert_lacks(s->run.err, "revtwin-secret-key-1-");
    assert_int_equal(chmod(path, 0644), 0);
    scene_set(s, "REVTWIN_SIGNING_KEY", SECRET);
    scene_run(s, 2, "apply");
    assert_warned(s, "is open to other users of this machine (mode 0644)");
    assert_warned(s, "chmod 600 '" SECRET "'");
    /* Who only reads needs no key, good or bad. */
    scene_run(s, 1, "verify");
    assert_warned(s, "/nowhere");
    free(secret);
    free(public_key);
    free(path);
}

static void bad_public_keys_are_refused_before_anything(void **state)
{
    struct scene *s = *state;

    scene_step(s, "V1");
    scene_run(s, 0, "keygen", SECRET);
    repo_write(&s->repo, "README", "nothing of the kind");
    repo_write(&s->repo, "short.pub", "revtwin-public-key-1:AAAA");
    repo_write(&s->repo, "empty.pub", "");
    scene_set(s, "PROD_DATABASE_URL", "host=/nowhere");
    scene_run(s, 2, "verify", "--public-key", SECRET);
    assert_warned(s, "--public-key holds a secret key where public ones are expected");
    scene_run(s, 2, "verify", "--public-key", "README");
    assert_warned(s, "not a key of revtwin");
    scene_run(s, 2, "verify", "--public-key", "short.pub");
    assert_warned(s, "the key in --public-key is damaged");
    scene_run(s, 2, "verify", "--public-key", "empty.pub");
    assert_warned(s, "--public-key holds no key");
    scene_run(s, 2, "verify", "--public-key", "nowhere.pub");
    assert_warned(s, "cannot read the file that --public-key names: No such file");
    scene_run(s, 2, "verify", "--public-key", "migrations");
    assert_warned(s, "names a folder");
    scene_run(s, 1, "verify", "-C", "migrations", "--public-key", "../" PUBLIC);
    assert_warned(s, "/nowhere");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(every_row_is_signed),
        scene_test(key_may_be_the_value_of_the_variable),
        scene_test(empty_variable_is_an_unset_one_and_said),
        scene_test(history_cannot_be_rewritten_without_the_key),
        scene_test(row_of_somebody_else_is_found_also_behind_ours),
        scene_test(signing_begins_after_a_noted_head),
        scene_test(keys_are_changed_by_keeping_the_public_one),
        scene_test(signed_ledger_gets_no_unsigned_row_by_oversight),
        scene_test(head_shows_what_was_cut_off),
        scene_test(head_is_a_hash),
        scene_test(bad_signing_keys_are_refused_before_anything),
        scene_test(bad_public_keys_are_refused_before_anything),
    };

    return cmocka_run_group_tests(tests, scene_start_server, scene_stop_server);
}
