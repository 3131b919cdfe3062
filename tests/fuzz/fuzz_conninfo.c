/*
 * Connection strings hold passwords: one that is refused is refused in the same words
 * whatever it was, and one with a password is known to have it.
 */
#include "fuzz.h"

#include <libpq-fe.h>

#include "pg/conn.h"

/* libpq's own reading: 1 with a password, 0 without, -1 when it cannot be parsed. */
static int has_password(const char *text)
{
    PQconninfoOption *options = PQconninfoParse(text, NULL);
    int found = options ? 0 : -1;

    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        if (o->dispchar[0] == '*' && o->val && o->val[0])
            found = 1;
    }
    PQconninfoFree(options);
    return found;
}

static void check_error(const struct rt_err *err)
{
    static const char *const messages[] = {
        "PROD_DATABASE_URL is not a valid connection string",
        "PROD_DATABASE_URL is not a valid connection URI: the password seems to contain "
        "a character that must be percent-encoded"};

    FUZZ_CHECK(strcmp(err->message, messages[0]) == 0 ||
               strcmp(err->message, messages[1]) == 0);
    FUZZ_CHECK(strncmp(err->hint, "Write postgresql://USER", 23) == 0 ||
               strncmp(err->hint, "In a password write @ as", 24) == 0);
    FUZZ_CHECK(err->detail == NULL && err->advice == NULL && err->context == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = rt_strndup((const char *)data, size);
    struct rt_server server = {.role = "production", .source = "PROD_DATABASE_URL"};
    struct rt_err err = {0};
    int password = has_password(text), rc;

    rt_secret_set(&server.conninfo, text);
    rc = rt_server_check(&server, &err);
    FUZZ_CHECK(rc == 0 || rc == -RT_EUSAGE);
    FUZZ_CHECK(rc != 0 || password >= 0);
    if (rc < 0)
        check_error(&err);
    FUZZ_CHECK(rt_conninfo_has_password(text) == (password != 0));
    rt_secret_clear(&server.conninfo);
    rt_err_clear(&err);
    free(text);
    return 0;
}
