/* Whether a receipt says anything about two servers as they are now. */
#include "twin/delta/recent.h"

/* Of the 2^31 transactions over which ages can be told apart; the server itself stops
 * some before. */
static const unsigned long long max_age = 2000000000;

/* The bounds of a snapshot's text, "xmin:xmax:...". */
static bool bounds(const char *snapshot, unsigned long long *xmin,
                   unsigned long long *xmax)
{
    char *end;

    if (snapshot == NULL)
        return false;
    *xmin = strtoull(snapshot, &end, 10);
    if (end == snapshot || *end != ':')
        return false;
    snapshot = end + 1;
    *xmax = strtoull(snapshot, &end, 10);
    return end != snapshot && *xmin > 0 && *xmin <= *xmax;
}

/* Why the transactions of one server cannot be told by those of then, or NULL. */
static const char *compare_xids(const char *then, const char *now)
{
    unsigned long long xmin, xmax, now_xmin, now_xmax;

    if (!bounds(then, &xmin, &xmax) || !bounds(now, &now_xmin, &now_xmax))
        return "does not tell its transactions";
    if (now_xmax < xmax)
        return "has gone back to earlier transactions";
    if (now_xmax - xmin > max_age)
        return "has had too many transactions since";
    return NULL;
}

/* Also what only one of them tells is a difference. */
static bool differ(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) != 0 : a != b;
}

static bool lsn_parse(unsigned long long *out, const char *lsn)
{
    char *end;
    unsigned long long high;

    if (lsn == NULL)
        return false;
    high = strtoull(lsn, &end, 16);
    if (*end != '/')
        return false;
    *out = high << 32 | strtoull(end + 1, NULL, 16);
    return true;
}

static const char *compare_prod(const struct rt_origin *then, const struct rt_origin *now)
{
    unsigned long long lsn, now_lsn;

    if (differ(then->system, now->system))
        return "is another server";
    if (differ(then->database, now->database))
        return "is another database";
    if (differ(then->timeline, now->timeline))
        return "was restored or promoted";
    if (differ(then->started, now->started))
        return "was restarted, and may have been restored";
    if (lsn_parse(&lsn, then->lsn) && lsn_parse(&now_lsn, now->lsn) && now_lsn < lsn)
        return "has gone back in its log";
    return compare_xids(then->snapshot, now->snapshot);
}

/* When the twin's server was started does not matter: a restored twin has the receipt of
 * its own rows, and a serverless one sleeps now and then. */
static const char *compare_twin(const struct rt_receipt *then,
                                const struct rt_origin *now)
{
    if (then->twin_xid == NULL)
        return "does not tell its transactions";
    if (differ(then->twin_system, now->system))
        return "is on another server";
    if (differ(then->twin_database, now->database))
        return "is another database";
    return compare_xids(then->twin_snapshot, now->snapshot);
}

const char *rt_recent_unfit(struct rt_arena *arena, const struct rt_receipt *receipt,
                            const struct rt_origin *prod, const struct rt_origin *twin)
{
    const char *why;

    if (!receipt->present)
        return "no receipt of an earlier resync";
    why = compare_prod(&receipt->origin, prod);
    if (why)
        return rt_arena_format(arena, "production %s", why);
    why = compare_twin(receipt, twin);
    return why ? rt_arena_format(arena, "the twin %s", why) : NULL;
}
