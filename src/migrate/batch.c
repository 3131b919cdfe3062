#include "migrate/batch.h"

#include "base/mem.h"

void rt_batch_reset(struct rt_batch *batch)
{
    batch->count = batch->sent = batch->replied = 0;
    free(batch->answer);
    batch->answer = NULL;
}

void rt_batch_add_message(struct rt_batch *batch, enum rt_part part, size_t place,
                          struct rt_message message)
{
    batch->items =
        rt_grow(batch->items, batch->count, &batch->cap, sizeof(*batch->items));
    batch->items[batch->count++] = (struct rt_batch_item){message, part, place};
}

void rt_batch_add(struct rt_batch *batch, enum rt_part part, const char *sql, int nparams,
                  const char *const *params)
{
    rt_batch_add_message(
        batch, part, 0,
        (struct rt_message){
            .sql = sql, .len = strlen(sql), .nparams = nparams, .params = params});
}

static int next_message(void *context, struct rt_message *out)
{
    struct rt_batch *batch = context;

    if (batch->sent == batch->count)
        return 0;
    *out = batch->items[batch->sent++].message;
    return 1;
}

static int take_reply(void *context, const char *tag, const char *value,
                      struct rt_err *err)
{
    struct rt_batch *batch = context;

    (void)tag;
    (void)err;
    if (value) {
        free(batch->answer);
        batch->answer = rt_strdup(value);
    }
    batch->replied++;
    return 0;
}

int rt_batch_send(struct rt_batch *batch, struct rt_conn *conn, bool one_by_one,
                  struct rt_err *err)
{
    const struct rt_sender sender = {next_message, take_reply, batch};

    return one_by_one ? rt_send_one_by_one(conn, &sender, err)
                      : rt_send_pipelined(conn, &sender, err);
}

enum rt_part rt_batch_part(const struct rt_batch *batch)
{
    return batch->replied < batch->count ? batch->items[batch->replied].part
                                         : RT_PART_STATEMENT;
}

void rt_batch_clear(struct rt_batch *batch)
{
    free(batch->items);
    free(batch->answer);
    *batch = (struct rt_batch){0};
}
