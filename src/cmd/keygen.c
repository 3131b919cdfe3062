/* revtwin keygen: a pair of keys for the ledger */
#include <unistd.h>

#include "base/keyfile.h"
#include "cmd/command.h"

static void report(const struct rt_context *context, const char *secret_path,
                   const char *public_path, const char *public_key)
{
    const struct rt_report *out = &context->report;
    char *secret_name = rt_printable(secret_path),
         *public_name = rt_printable(public_path);
    json_t *doc = rt_report_json(out);

    rt_report_line(out, "secret key: %s", secret_name);
    rt_report_line(out, "public key: %s", public_name);
    rt_report_line(out, "%s", public_key);
    rt_report_line(out,
                   "\nNext: put the secret key into REVTWIN_SIGNING_KEY where apply runs "
                   "(its path, or its\ntext as a secret of the workflow), and keep it "
                   "out of git. Commit the public key;\nrevtwin verify --public-key %s "
                   "checks with it that nobody else wrote to the ledger.",
                   public_name);
    if (doc) {
        rt_json_put(doc, "secret_key_file", secret_path);
        rt_json_put(doc, "public_key_file", public_path);
        rt_json_put(doc, "public_key", public_key);
    }
    free(secret_name);
    free(public_name);
}

int rt_cmd_keygen(struct rt_context *context, struct rt_err *err)
{
    const char *secret_path =
        context->operand_count ? context->operands[0] : "revtwin.key";
    const char *public_path = rt_arena_format(&context->arena, "%s.pub", secret_path);
    struct rt_signing_key *key = rt_signing_key_make();
    const char *public_key = rt_public_key_text(&context->arena, key);
    struct rt_secret secret = {0};
    int rc;

    rt_signing_key_text(&secret, key);
    rc = rt_keyfile_create(secret_path, secret.text, 0600, err);
    if (rc == 0) {
        rc = rt_keyfile_create(public_path, public_key, 0644, err);
        if (rc < 0)
            unlink(secret_path); /* half a pair is of no use */
    }
    if (rc == 0)
        report(context, secret_path, public_path, public_key);
    rt_secret_clear(&secret);
    rt_signing_key_free(key);
    return rc;
}
