#include "report/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum {
    DRAW_MS = 200,
    TELL_MS = 10000,
    RATE_MS = 5000, /* a rate is of the last one or two of these */
    PHASES = 8,     /* rows of the table; a resync has fewer */
    WIDTH = 80,     /* of a terminal that does not say */
};

struct moment {
    int64_t at;
    unsigned long long count;
};

/* A row of the table. */
struct phase {
    const char *name;
    unsigned long long tables, tables_all, bytes, bytes_all, rows;
    int64_t start, end;
};

/* What follows is changed with stderr locked, which rt_log takes too. */
struct rt_display {
    struct rt_progress *progress;
    bool live;
    int drawn; /* lines that are on the screen */
    int64_t shown_at;
    struct phase phases[PHASES];
    size_t count;
    unsigned long long rows_before; /* rows_read when the phase began */
    struct moment older, newer;     /* for the rate */
};

/* ------------------------------------------------------------------ text */

static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};

static size_t unit_of(unsigned long long bytes, double *factor)
{
    size_t unit = 0;

    for (*factor = 1; unit + 1 < RT_COUNT(units) && (double)bytes / *factor >= 1000;
         unit++)
        *factor *= 1000;
    return unit;
}

void rt_display_bytes(struct rt_str *out, unsigned long long done, unsigned long long all)
{
    double factor;
    size_t unit = unit_of(all > done ? all : done, &factor);
    int digits = unit > 0;

    rt_str_addf(out, "%.*f ", digits, (double)done / factor);
    if (all > done)
        rt_str_addf(out, "of %.*f ", digits, (double)all / factor);
    rt_str_add(out, units[unit]);
}

static void add_time(struct rt_str *out, int64_t ms)
{
    long long s = (ms + 500) / 1000;

    if (s >= 3600)
        rt_str_addf(out, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        rt_str_addf(out, "%lld:%02lld", s / 60, s % 60);
}

static void add_tables(struct rt_str *out, const struct phase *phase)
{
    if (phase->tables_all > 0)
        rt_str_addf(out, "%llu of %llu", phase->tables, phase->tables_all);
}

static bool counts_bytes(const struct phase *phase)
{
    return phase->bytes > 0 || phase->bytes_all > 0;
}

static void add_amount(struct rt_str *out, const struct phase *phase)
{
    if (counts_bytes(phase))
        rt_display_bytes(out, phase->bytes, phase->bytes_all);
    else if (phase->rows > 0)
        rt_str_addf(out, "%llu rows", phase->rows);
}

/* In bytes or rows a second; 0 when it is not known yet. */
static double rate_of(const struct rt_display *d, const struct phase *phase, int64_t now)
{
    unsigned long long count = counts_bytes(phase) ? phase->bytes : phase->rows;
    int64_t ms = now - d->older.at;

    if (phase->end || ms < 500 || count <= d->older.count)
        return 0;
    return (double)(count - d->older.count) * 1000 / (double)ms;
}

static void add_rate(struct rt_str *out, const struct phase *phase, double rate)
{
    if (rate <= 0)
        return;
    if (counts_bytes(phase))
        rt_display_bytes(out, (unsigned long long)rate, 0);
    else
        rt_str_addf(out, "%.0f rows", rate);
    rt_str_add(out, "/s");
}

static void add_left(struct rt_str *out, const struct phase *phase, double rate)
{
    if (rate <= 0 || phase->bytes_all <= phase->bytes)
        return;
    add_time(out, (int64_t)((double)(phase->bytes_all - phase->bytes) * 1000 / rate));
}

/* ------------------------------------------------------------------ the table */

static int width_of_terminal(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH;
    return size.ws_col;
}

/* A line that would wrap could not be taken back as one. */
static void put_line(struct rt_display *d, const char *line)
{
    int limit = width_of_terminal() - 1;

    fprintf(stderr, "%.*s\n", limit > 0 ? limit : 0, line);
    d->drawn++;
}

static void hide(void *context)
{
    struct rt_display *d = context;

    if (d->drawn > 0) /* up to its first line, and everything from there on away */
        fprintf(stderr, "\r\033[%dA\033[J", d->drawn);
    d->drawn = 0;
}

static void draw_phase(struct rt_display *d, const struct phase *phase, int64_t now)
{
    double rate = rate_of(d, phase, now);
    struct rt_str cells[5] = {{0}}, line = {0};

    add_tables(&cells[0], phase);
    add_amount(&cells[1], phase);
    add_rate(&cells[2], phase, rate);
    add_time(&cells[3], (phase->end ? phase->end : now) - phase->start);
    add_left(&cells[4], phase, rate);
    rt_str_addf(&line, "%-11s %12s %19s %12s %8s %8s", phase->name,
                rt_str_text(&cells[0]), rt_str_text(&cells[1]), rt_str_text(&cells[2]),
                rt_str_text(&cells[3]), rt_str_text(&cells[4]));
    put_line(d, rt_str_text(&line));
    for (size_t i = 0; i < RT_COUNT(cells); i++)
        rt_str_clear(&cells[i]);
    rt_str_clear(&line);
}

static void draw(struct rt_display *d, int64_t now)
{
    struct rt_str head = {0};

    hide(d);
    rt_str_addf(&head, "%-11s %12s %19s %12s %8s %8s", "", "tables", "read", "rate",
                "time", "left");
    put_line(d, rt_str_text(&head));
    rt_str_clear(&head);
    for (size_t i = 0; i < d->count; i++)
        draw_phase(d, &d->phases[i], now);
    fflush(stderr);
}

/* ------------------------------------------------------------------ lines */

static void add_part(struct rt_str *line, const char *before, struct rt_str *part,
                     const char *after)
{
    if (part->len > 0)
        rt_str_addf(line, "%s%s%s", before, part->data, after);
    rt_str_clear(part);
}

static void tell(struct rt_display *d, const struct phase *phase, int64_t now)
{
    double rate = rate_of(d, phase, now);
    struct rt_str line = {0}, part = {0};

    rt_str_addf(&line, "%s for ", phase->name);
    add_time(&line, now - phase->start);
    add_tables(&part, phase);
    add_part(&line, ", ", &part, " tables");
    add_amount(&part, phase);
    add_part(&line, ", ", &part, "");
    add_rate(&part, phase, rate);
    add_part(&line, ", ", &part, "");
    add_left(&part, phase, rate);
    add_part(&line, ", ", &part, " left");
    rt_log("%s", rt_str_text(&line));
    rt_str_clear(&line);
}

/* ------------------------------------------------------------------ showing */

/* The row of the phase that is under way, up to date; NULL: there is none. */
static struct phase *follow(struct rt_display *d, const struct rt_progress *p,
                            int64_t now)
{
    const char *name = p->phase;
    struct phase *phase = d->count ? &d->phases[d->count - 1] : NULL;
    unsigned long long count;

    if (phase && (name == NULL || strcmp(phase->name, name) != 0) && phase->end == 0)
        phase->end = now;
    if (name == NULL)
        return NULL;
    if (phase == NULL || phase->end) {
        if (d->count == PHASES)
            memmove(d->phases, d->phases + 1, --d->count * sizeof(*d->phases));
        phase = &d->phases[d->count++];
        *phase = (struct phase){.name = name, .start = now};
        d->rows_before = p->rows_read;
        d->older = d->newer = (struct moment){.at = now};
    }
    phase->tables = p->tables;
    phase->tables_all = p->tables_all;
    phase->bytes = p->bytes;
    phase->bytes_all = p->bytes_all;
    phase->rows = p->rows_read - d->rows_before;
    count = counts_bytes(phase) ? phase->bytes : phase->rows;
    if (now - d->newer.at >= RATE_MS) {
        d->older = d->newer;
        d->newer = (struct moment){.at = now, .count = count};
    }
    return phase;
}

static void show(void *context, const struct rt_progress *progress)
{
    struct rt_display *d = context;
    int64_t now = rt_clock_ms();
    struct phase *phase;

    flockfile(stderr);
    phase = follow(d, progress, now);
    if (now - d->shown_at >= (d->live ? DRAW_MS : TELL_MS)) {
        d->shown_at = now;
        if (d->live)
            draw(d, now);
        else if (phase)
            tell(d, phase, now);
    }
    funlockfile(stderr);
}

struct rt_display *rt_display_open(struct rt_progress *progress)
{
    struct rt_display *d = rt_alloc(sizeof(*d));
    const char *term = getenv("TERM");

    d->progress = progress;
    d->live = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    d->shown_at = d->live ? 0 : rt_clock_ms();
    if (d->live)
        rt_log_before(hide, d);
    progress->show = show;
    progress->context = d;
    return d;
}

void rt_display_close(struct rt_display *d)
{
    if (d == NULL)
        return;
    d->progress->show = NULL;
    rt_log_before(NULL, NULL);
    flockfile(stderr);
    hide(d);
    fflush(stderr);
    funlockfile(stderr);
    free(d);
}
