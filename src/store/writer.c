/* writer.c: the store as a sink, and the thread that writes it.
 * In: records. Out: rows; what went wrong on standard error, once when it begins and once when it is over.
 * Owns: the queue, the thread, the files. Limits: store_queue_bytes of records wait; what finds no room then
 * is lost and counted where the process lives on, and else its sender waits.
 * Knowingly: the thread begins with the first record or tick, as a process that gives up rights must have
 * none before. */
#include "store/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/now.h"
#include "store/day.h"
#include "store/keep.h"
#include "store/queue.h"
#include "store/shelf.h"

static const double look_every = 1, end_after = 600, keep_every = 60; /* seconds */

struct sink {
    struct sink_settings set;
    struct book_settings book;
    char *directory;
    struct queue *queue;
    bool started;
    pthread_t thread;
    atomic_ullong written, known, lost, dropped;
    atomic_bool failing, broken; /* broken: `error` says why, and nothing is written any more */
    struct error error;
    /* The thread's own. */
    int32_t today;
    double kept_at; /* when the days were last looked at */
    struct shelf *shelf;
    struct shelf_item *items;
    size_t item_room;
    struct columns columns[STREAM_ENTRY];
};

static int check_folder(const struct sink *snk, struct error *reterr)
{
    struct stat st;
    if (mkdir(snk->directory, 0777) < 0 && errno != EEXIST)
        return error_set(reterr, -errno, "%.300s: %s", snk->directory, strerror(errno));
    if (stat(snk->directory, &st) == 0 && !S_ISDIR(st.st_mode))
        return error_set(reterr, -ENOTDIR, "%.300s: %s", snk->directory, strerror(ENOTDIR));
    if (access(snk->directory, R_OK | W_OK | X_OK) < 0)
        return error_set(reterr, -errno, "%.300s: %s", snk->directory, strerror(errno));
    return 0;
}

/* What a newer program writes is not for us; it is better said now than when the first record comes. */
static int check_today(const struct sink *snk, struct error *reterr)
{
    char path[DAY_PATH];
    sqlite3 *db = NULL;
    int err = day_path(snk->directory, day_of_id(day_id(now_wall())), path)
                  ? day_open_read(path, &db, reterr)
                  : error_set(reterr, -ENAMETOOLONG, "%.200s: %s", snk->directory, strerror(ENAMETOOLONG));
    sqlite3_close(db);
    return err == -EPROTO || err == -ENAMETOOLONG ? err : 0;
}

static int sqlite_open(const struct sink_settings *set, struct sink **ret, struct error *reterr)
{
    struct sink *snk = calloc(1, sizeof *snk);
    memory_check(snk);
    *ret = snk;
    /* Nobody asks for its counts of memory, which have a lock; refused where SQLite runs already. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    snk->set = *set;
    snk->directory = strdup(set->directory);
    memory_check(snk->directory);
    for (size_t i = 0; i < STREAM_ENTRY; i++)
        columns_of(stream_table[i], &snk->columns[i]);
    snk->book = (struct book_settings){.directory = snk->directory,
                                       .keys = set->store.keys,
                                       .find_bytes = set->store.find_bytes,
                                       .cache_bytes = set->store.cache_bytes,
                                       .columns = snk->columns};
    snk->queue = queue_new(set->store.queue_bytes, set->store.commit);
    snk->shelf = shelf_new(&snk->book);
    int err = check_folder(snk, reterr);
    return err || !set->lasting ? err : check_today(snk, reterr);
}

static void take_counts(struct sink *snk, const struct shelf_counts *add)
{
    atomic_fetch_add(&snk->written, add->written);
    atomic_fetch_add(&snk->known, add->known);
    atomic_fetch_add(&snk->lost, add->refused);
}

static void begin_batch(struct sink *snk, const struct queue_batch *batch)
{
    if (batch->count > snk->item_room) {
        snk->item_room = batch->count;
        snk->items = reallocarray(snk->items, batch->count, sizeof *snk->items);
        memory_check(snk->items);
    }
    for (size_t i = 0; i < batch->count; i++)
        snk->items[i] = (struct shelf_item){batch->items[i], day_id(batch->items[i]->end), false};
}

static int write_items(struct sink *snk, size_t count, struct error *reterr)
{
    struct shelf_counts add = {0};
    int err = shelf_write(snk->shelf, snk->items, count, &add, reterr);
    take_counts(snk, &add);
    return err;
}

/* True: all of it is written. */
static bool try_until_closed(struct sink *snk, size_t count)
{
    struct error err;
    bool last = false;
    while (write_items(snk, count, &err) < 0) {
        if (!snk->set.lasting || last) {
            snk->error = err;
            return false;
        }
        if (!atomic_exchange(&snk->failing, true))
            fprintf(stderr, "mailtap: %s; what finds no room to wait is counted and lost\n", err.text);
        last = queue_pause(snk->queue, look_every);
    }
    if (atomic_exchange(&snk->failing, false))
        fprintf(stderr, "mailtap: %s: is written again; %llu records were lost\n", snk->directory,
                (unsigned long long)atomic_load(&snk->lost));
    return true;
}

/* Those of the batch that are not written. Nothing else will be. */
static void lose(struct sink *snk, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!snk->items[i].done)
            atomic_fetch_add(&snk->lost, 1);
    atomic_store(&snk->broken, true);
    queue_close(snk->queue);
}

/* The other days. */
static void look_after(struct sink *snk, double now)
{
    const struct keep_limits limits = {snk->set.store.days, snk->set.store.bytes};
    int32_t today = day_of_id(day_id(now_wall()));
    shelf_end_days(snk->shelf, today, now - end_after);
    if (today == snk->today && now < snk->kept_at + keep_every)
        return;
    /* What was open yesterday is the shelf's. */
    if (today != snk->today)
        keep_end(snk->directory, today - 1);
    atomic_fetch_add(&snk->dropped, keep_days(snk->directory, &limits, today));
    snk->today = today;
    snk->kept_at = now;
}

static void *run(void *arg)
{
    struct sink *snk = arg;
    struct queue_batch batch = {0};
    prctl(PR_SET_NAME, "mailtap-store");
    while (queue_take(snk->queue, look_every, &batch)) {
        begin_batch(snk, &batch);
        if (atomic_load(&snk->broken))
            lose(snk, batch.count);
        else if (batch.count && !try_until_closed(snk, batch.count))
            lose(snk, batch.count);
        queue_give_back(snk->queue, &batch);
        if (snk->set.lasting)
            look_after(snk, now_monotonic());
    }
    free(batch.items);
    return NULL;
}

static int start(struct sink *snk, struct error *reterr)
{
    if (snk->started)
        return 0;
    int err = pthread_create(&snk->thread, NULL, run, snk);
    if (err)
        return error_set(reterr, -err, "thread of the store: %s", strerror(err));
    snk->started = true;
    return 0;
}

static int sqlite_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    int err = start(snk, reterr);
    if (!err && queue_add(snk->queue, rec, !snk->set.lasting))
        return 0;
    atomic_fetch_add(&snk->lost, 1);
    if (snk->set.lasting)
        return 0;
    if (!err)
        *reterr = snk->error;
    return err ? err : -EIO;
}

static void sqlite_tick(struct sink *snk, struct timespec now)
{
    (void)now;
    if (snk->set.lasting)
        start(snk, &(struct error){{0}});
}

static void sqlite_reopen(struct sink *snk)
{
    (void)snk;
}

static void sqlite_drain(struct sink *snk)
{
    queue_close(snk->queue);
    if (snk->started)
        pthread_join(snk->thread, NULL);
    snk->started = false;
}

static struct sink_counts sqlite_counts(const struct sink *snk)
{
    return (struct sink_counts){.written = atomic_load(&snk->written),
                                .known = atomic_load(&snk->known),
                                .dropped = atomic_load(&snk->dropped),
                                .lost = atomic_load(&snk->lost),
                                .waiting = queue_waiting(snk->queue),
                                .failing = atomic_load(&snk->failing)};
}

static int sqlite_close(struct sink **psnk, struct error *reterr)
{
    struct sink *snk = *psnk;
    *psnk = NULL;
    if (!snk)
        return 0;
    sqlite_drain(snk);
    int err = atomic_load(&snk->broken) ? -EIO : 0;
    if (err)
        *reterr = snk->error;
    int ended = shelf_free(&snk->shelf, err ? &(struct error){{0}} : reterr);
    queue_free(&snk->queue);
    free(snk->items);
    free(snk->directory);
    free(snk);
    return err ? err : ended;
}

const struct sink_ops sink_sqlite = {"sqlite",      "a file of SQLite a day",
                                     sqlite_open,   sqlite_write,
                                     sqlite_close,  sqlite_tick,
                                     sqlite_reopen, sqlite_counts,
                                     sqlite_drain};
