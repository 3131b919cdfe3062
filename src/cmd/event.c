#include "cmd/event.h"

#include "base/json.h"

static const char *text_of(struct rt_arena *arena, const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? rt_arena_strdup(arena, value) : NULL;
}

static bool is_object_name(const char *s)
{
    size_t len = s ? strspn(s, "0123456789abcdef") : 0;

    return (len == 40 || len == 64) && s[len] == '\0';
}

static int malformed(const char *path, const char *field, struct rt_err *err)
{
    rt_err_set(err, RT_EUSAGE, "the event payload has no valid %s", field);
    rt_err_hint(err, "GITHUB_EVENT_PATH should name the payload of a pull_request event. "
                     "Unset it, or name the commit: revtwin apply COMMIT.");
    return rt_err_at(err, path, 0, 0);
}

static int read_payload(struct rt_event *out, struct rt_arena *arena, const json_t *root,
                        const char *path, struct rt_err *err)
{
    const json_t *request = json_object_get(root, "pull_request");
    const json_t *number = json_object_get(request, "number");
    const json_t *merged = json_object_get(request, "merged");
    const char *state = text_of(arena, request, "state");

    if (!json_is_object(root))
        return malformed(path, "object at its root", err);
    out->default_branch =
        text_of(arena, json_object_get(root, "repository"), "default_branch");
    if (request == NULL)
        return 0;
    if (!json_is_object(request))
        return malformed(path, "pull_request", err);
    out->action = text_of(arena, root, "action");
    if (out->action == NULL)
        return malformed(path, "action", err);
    if (!json_is_integer(number))
        return malformed(path, "pull_request.number", err);
    out->pull_request = true;
    out->closed = strcmp(out->action, "closed") == 0;
    out->closed_before = !out->closed && state && strcmp(state, "closed") == 0;
    out->number =
        rt_arena_format(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(number));
    out->commits = (unsigned)json_integer_value(json_object_get(request, "commits"));
    out->base_ref = text_of(arena, json_object_get(request, "base"), "ref");
    if (out->closed && !json_is_boolean(merged))
        return malformed(path, "pull_request.merged", err);
    out->merged = out->closed && json_is_true(merged);
    if (out->merged) {
        out->merge_commit = text_of(arena, request, "merge_commit_sha");
        if (!is_object_name(out->merge_commit))
            return malformed(path, "pull_request.merge_commit_sha", err);
    }
    return 0;
}

int rt_event_read(struct rt_event *out, struct rt_arena *arena, struct rt_err *err)
{
    const char *path = getenv("GITHUB_EVENT_PATH");
    json_t *root;
    int rc;

    *out = (struct rt_event){0};
    if (path == NULL || *path == '\0')
        return 0;
    rc = rt_json_read(&root, path, "the event payload", err);
    if (rc == 0)
        rc = read_payload(out, arena, root, path, err);
    json_decref(root);
    return rc;
}
