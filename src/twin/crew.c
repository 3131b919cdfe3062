#include "twin/crew.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/mem.h"
#include "base/str.h"
#include "pg/later.h"
#include "twin/projection.h"
#include "twin/snapshot.h"

enum { TICK_MS = 100, CREW_MIN = 2, CREW_MAX = 4 };

#define LOCK_TIMEOUT "55P03" /* lock_not_available */

struct queued {
    struct rt_job job;
    unsigned long long number; /* of equal weight the first comes first */
};

struct queue {
    struct queued *heap; /* the heaviest first */
    size_t count, cap;
};

struct rt_crew {
    struct rt_crew_setup setup;
    struct rt_stop stop; /* raised: no job is begun, and statements are cancelled */
    int news;            /* an eventfd: nothing is left to do, or something has failed */

    pthread_mutex_t mutex;       /* of all that follows */
    pthread_cond_t wake;         /* workers: a job was added, or it is over */
    struct queue jobs, for_help; /* the latter for helpers, if there are any */
    unsigned long long added;
    unsigned busy;         /* workers that connect, or are in a job */
    bool over;             /* the crew is to be closed */
    struct rt_err error;   /* the first one */
    struct rt_conn **idle; /* connections to production that no job has */
    size_t idle_count;
    bool released; /* none is needed any more */

    pthread_t *threads;
    struct rt_worker *workers;
    unsigned started;
};

/* ------------------------------------------------------------------ queue */

static bool before(const struct queued *a, const struct queued *b)
{
    if (a->job.weight != b->job.weight)
        return a->job.weight > b->job.weight;
    return a->number < b->number;
}

static void push(struct queue *queue, struct queued entry)
{
    size_t i = queue->count;

    queue->heap = rt_grow(queue->heap, queue->count, &queue->cap, sizeof(*queue->heap));
    for (; i > 0 && before(&entry, &queue->heap[(i - 1) / 2]); i = (i - 1) / 2)
        queue->heap[i] = queue->heap[(i - 1) / 2];
    queue->heap[i] = entry;
    queue->count++;
}

static struct rt_job pop(struct queue *queue)
{
    struct rt_job top = queue->heap[0].job;
    struct queued last = queue->heap[--queue->count];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < queue->count) {
        if (child + 1 < queue->count &&
            before(&queue->heap[child + 1], &queue->heap[child]))
            child++;
        if (before(&last, &queue->heap[child]))
            break;
        queue->heap[i] = queue->heap[child];
        i = child;
    }
    queue->heap[i] = last;
    return top;
}

void rt_crew_add(struct rt_crew *crew, const struct rt_job *job)
{
    bool help = crew->setup.helpers > 0 && job->twin_only;

    pthread_mutex_lock(&crew->mutex);
    push(help ? &crew->for_help : &crew->jobs, (struct queued){*job, crew->added++});
    pthread_cond_broadcast(&crew->wake);
    pthread_mutex_unlock(&crew->mutex);
}

static bool is_helper(const struct rt_worker *worker)
{
    return worker->number >= worker->crew->setup.size;
}

/* With the mutex held. */
static bool is_idle(const struct rt_crew *crew)
{
    return crew->busy == 0 &&
           (crew->jobs.count + crew->for_help.count == 0 || crew->stop.raised);
}

/* ------------------------------------------------------------------ workers */

static int open_prod(struct rt_worker *worker, const struct rt_crew_setup *setup,
                     struct rt_err *err)
{
    struct rt_str snapshot = {0};
    int rc = rt_conn_open(&worker->prod, setup->prod, RT_READ_ONLY, err);

    if (rc < 0)
        return rc;
    rt_str_add(&snapshot, "SET TRANSACTION SNAPSHOT ");
    rt_quote_literal(&snapshot, setup->snapshot);
    rt_later_rollback(worker->prod);
    rt_later_begin(worker->prod, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    rt_later(worker->prod, snapshot.data);
    rt_session_without_timeouts(worker->prod);
    rt_later(worker->prod, "SET LOCAL lock_timeout = '" RT_SNAPSHOT_PATIENCE "'");
    rt_projection_pin(worker->prod);
    rt_str_clear(&snapshot);
    return rt_later_run(worker->prod, err);
}

static int open_twin(struct rt_worker *worker, const struct rt_crew_setup *setup,
                     struct rt_err *err)
{
    int rc = rt_conn_open_database(&worker->twin, setup->twin, setup->database,
                                   setup->access, err);

    if (rc < 0)
        return rc;
    if (setup->access == RT_READ_ONLY) {
        rt_later_rollback(worker->twin);
        rt_later(worker->twin, "SET default_transaction_read_only = on");
    }
    rt_session_without_timeouts(worker->twin);
    rt_projection_pin(worker->twin);
    return setup->twin_settings ? rt_exec(NULL, worker->twin, setup->twin_settings, err)
                                : rt_later_run(worker->twin, err);
}

static int connect_worker(struct rt_worker *worker, struct rt_err *err)
{
    const struct rt_crew_setup *setup = &worker->crew->setup;
    int rc = setup->prod && !is_helper(worker) ? open_prod(worker, setup, err) : 0;

    return rc == 0 && setup->twin ? open_twin(worker, setup, err) : rc;
}

/* The next two with the mutex held. There is a connection for each who needs one. */
static void take_prod(struct rt_worker *worker)
{
    struct rt_crew *crew = worker->crew;

    if (crew->idle_count > 0)
        worker->prod = crew->idle[--crew->idle_count];
}

/* Returns one that is to be closed, or NULL. */
static struct rt_conn *give_prod(struct rt_worker *worker)
{
    struct rt_crew *crew = worker->crew;
    struct rt_conn *conn = worker->prod;

    worker->prod = NULL;
    if (conn == NULL || crew->released)
        return conn;
    crew->idle[crew->idle_count++] = conn;
    return NULL;
}

void rt_crew_release(struct rt_crew *crew)
{
    size_t count;

    pthread_mutex_lock(&crew->mutex);
    crew->released = true;
    count = crew->idle_count;
    crew->idle_count = 0;
    pthread_mutex_unlock(&crew->mutex);
    for (size_t i = 0; i < count; i++)
        rt_conn_close(crew->idle[i]);
}

/* With the mutex held. What comes after the first error is only a consequence of it. */
static void note_end(struct rt_crew *crew, int rc, struct rt_err *err)
{
    crew->busy--;
    if (rc < 0 && !crew->stop.raised) {
        rt_err_move(&crew->error, err);
        rt_stop_raise(&crew->stop);
    }
    rt_err_clear(err);
    if (is_idle(crew) && eventfd_write(crew->news, 1) < 0)
        abort(); /* it would have to be full */
}

/* With the mutex held, which is let go of meanwhile. */
static void do_job(struct rt_worker *worker, struct queue *queue)
{
    struct rt_crew *crew = worker->crew;
    struct rt_job job = pop(queue);
    struct rt_err err = {0};
    struct rt_conn *over;
    int rc;

    crew->busy++;
    if (!job.twin_only)
        take_prod(worker);
    pthread_mutex_unlock(&crew->mutex);
    rc = job.run(worker, job.context, &err);
    if (rt_err_is(&err, LOCK_TIMEOUT)) {
        rt_err_hint(&err, RT_CREW_MADE_WAY);
        err.sqlstate[0] = '\0'; /* so that none takes it for a lock of the twin's */
    }
    pthread_mutex_lock(&crew->mutex);
    over = give_prod(worker);
    if (over) {
        pthread_mutex_unlock(&crew->mutex);
        rt_conn_close(over);
        pthread_mutex_lock(&crew->mutex);
    }
    note_end(crew, rc, &err);
}

static void *run_worker(void *argument)
{
    struct rt_worker *worker = argument;
    struct rt_crew *crew = worker->crew;
    struct queue *queue = is_helper(worker) ? &crew->for_help : &crew->jobs;
    struct rt_err err = {0};
    int rc;

    rt_cancel_listen(&crew->stop);
    rc = connect_worker(worker, &err);
    pthread_mutex_lock(&crew->mutex);
    if (give_prod(worker) != NULL)
        abort(); /* nobody adds jobs before all have connected */
    note_end(crew, rc, &err);
    while (!crew->over) {
        if (queue->count == 0 || crew->stop.raised)
            pthread_cond_wait(&crew->wake, &crew->mutex);
        else
            do_job(worker, queue);
    }
    pthread_mutex_unlock(&crew->mutex);
    rt_conn_close(worker->twin);
    return NULL;
}

/* Signals are for the main thread, which tells the workers. */
static int start_threads(struct rt_crew *crew, unsigned count, struct rt_err *err)
{
    sigset_t all, before;
    int rc = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; rc == 0 && i < count; i++) {
        crew->workers[i] = (struct rt_worker){.crew = crew, .number = i};
        rc = pthread_create(&crew->threads[i], NULL, run_worker, &crew->workers[i]);
        crew->started += rc == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0
               ? 0
               : rt_err_set(err, RT_EINTERNAL, "cannot start a thread: %s", strerror(rc));
}

/* ------------------------------------------------------------------ the crew */

/* Whether nobody is at work any more. */
static bool is_quiet(struct rt_crew *crew)
{
    bool quiet;

    pthread_mutex_lock(&crew->mutex);
    quiet = is_idle(crew);
    pthread_mutex_unlock(&crew->mutex);
    return quiet;
}

int rt_crew_finish(struct rt_crew *crew, struct rt_err *err)
{
    struct rt_err signal = {0};
    int rc = 0;

    while (!is_quiet(crew)) {
        struct pollfd fds[2] = {{.fd = crew->news, .events = POLLIN},
                                {.fd = rc < 0 ? -1 : rt_cancel_fd(), .events = POLLIN}};
        eventfd_t ignored;

        poll(fds, RT_COUNT(fds), crew->setup.tick ? TICK_MS : -1);
        if (fds[0].revents && eventfd_read(crew->news, &ignored) < 0)
            continue;
        if (rc == 0 && (rc = rt_cancel_check(&signal)) < 0)
            rt_stop_raise(&crew->stop);
        if (crew->setup.tick)
            crew->setup.tick(crew->setup.context);
    }
    if (rc < 0)
        rt_err_move(err, &signal);
    else if (crew->error.status != RT_DONE)
        rt_err_move(err, &crew->error);
    else if (crew->stop.raised)
        rt_err_set(err, RT_EINTERNAL, "the workers have stopped before");
    rt_err_clear(&signal);
    return crew->stop.raised ? -(int)err->status : 0;
}

unsigned rt_crew_size(unsigned asked)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (asked > 0)
        return asked;
    return processors < CREW_MIN   ? CREW_MIN
           : processors > CREW_MAX ? CREW_MAX
                                   : (unsigned)processors;
}

int rt_crew_start(struct rt_crew **out, const struct rt_crew_setup *setup,
                  struct rt_err *err)
{
    struct rt_crew *crew = rt_alloc(sizeof(*crew));
    unsigned count = setup->size + setup->helpers;
    int rc;

    crew->setup = *setup;
    crew->busy = count; /* they connect */
    crew->threads = rt_alloc(count * sizeof(*crew->threads));
    crew->workers = rt_alloc(count * sizeof(*crew->workers));
    crew->idle = rt_alloc(setup->size * sizeof(struct rt_conn *));
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->wake, NULL);
    crew->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = rt_stop_open(&crew->stop, err);
    if (rc == 0 && crew->news < 0)
        rc = rt_err_set(err, RT_EINTERNAL, "cannot make a descriptor: %s",
                        strerror(errno));
    if (rc == 0)
        rc = start_threads(crew, count, err);
    if (rc < 0) {
        rt_crew_close(crew);
        crew = NULL;
    }
    *out = crew;
    return rc;
}

int rt_crew_open(struct rt_crew **out, const struct rt_crew_setup *setup,
                 struct rt_err *err)
{
    int rc = rt_crew_start(out, setup, err);

    if (rc == 0)
        rc = rt_crew_finish(*out, err);
    if (rc < 0) {
        rt_crew_close(*out);
        *out = NULL;
    }
    return rc;
}

void rt_crew_close(struct rt_crew *crew)
{
    if (crew == NULL)
        return;
    pthread_mutex_lock(&crew->mutex);
    crew->over = true;
    if (crew->busy > 0)
        rt_stop_raise(&crew->stop);
    pthread_cond_broadcast(&crew->wake);
    pthread_mutex_unlock(&crew->mutex);
    for (unsigned i = 0; i < crew->started; i++)
        pthread_join(crew->threads[i], NULL);
    rt_crew_release(crew);
    rt_err_clear(&crew->error);
    rt_stop_close(&crew->stop);
    if (crew->news >= 0)
        close(crew->news);
    pthread_cond_destroy(&crew->wake);
    pthread_mutex_destroy(&crew->mutex);
    free(crew->idle);
    free(crew->jobs.heap);
    free(crew->for_help.heap);
    free(crew->threads);
    free(crew->workers);
    free(crew);
}
