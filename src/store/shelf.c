/* shelf.c: the days that are written to.
 * In: records with their ids. Out: rows in files of days. Owns: open files. Limits: OPEN at once; over it the
 * one that was not written to for longest is ended.
 * Knowingly: items of many days in one batch open their files one after the other, once each. */
#include "store/shelf.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "store/day.h"

enum { OPEN = 2 };

struct place {
    struct book *book;
    double used;
};

struct shelf {
    const struct book_settings *set;
    struct place places[OPEN];
    bool refused; /* that one was is said once */
};

struct shelf *shelf_new(const struct book_settings *set)
{
    struct shelf *s = calloc(1, sizeof *s);
    memory_check(s);
    s->set = set;
    return s;
}

static struct place *find(struct shelf *s, int32_t day)
{
    for (size_t i = 0; i < OPEN; i++)
        if (s->places[i].book && book_day(s->places[i].book) == day)
            return &s->places[i];
    return NULL;
}

/* A reader that holds the file keeps it as it is; the next writer, or shelf_end_days, ends it. */
static int end_book(struct place *p, struct error *reterr)
{
    int err = book_close(&p->book, true, reterr);
    return err == -EBUSY ? 0 : err;
}

static struct place *make_place(struct shelf *s)
{
    struct place *oldest = &s->places[0];
    for (size_t i = 0; i < OPEN; i++) {
        if (!s->places[i].book)
            return &s->places[i];
        if (s->places[i].used < oldest->used)
            oldest = &s->places[i];
    }
    end_book(oldest, &(struct error){{0}});
    return oldest;
}

static int open_day(struct shelf *s, int32_t day, struct place **ret, struct error *reterr)
{
    struct place *p = find(s, day);
    if (p && !book_is_there(p->book)) {
        char path[DAY_PATH];
        day_path(s->set->directory, day, path);
        fprintf(stderr, "mailtap: %s: was taken away; a new one is begun\n", path);
        book_close(&p->book, false, reterr);
        p = NULL;
    }
    int err = 0;
    if (!p) {
        p = make_place(s);
        err = book_open(s->set, day, &p->book, reterr);
    }
    p->used = now_monotonic();
    *ret = p;
    return err;
}

static int put_day(struct shelf *s, struct book *b, struct shelf_item *items, size_t count,
                   struct shelf_counts *add, struct error *reterr)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i].done || day_of_id(items[i].id) != book_day(b))
            continue;
        int64_t id = items[i].id;
        int put = book_put(b, items[i].rec, &id, reterr);
        if (put < 0)
            return put;
        if (put == BOOK_REFUSED && !s->refused)
            fprintf(stderr, "mailtap: %s; such records are counted and lost\n", reterr->text);
        s->refused |= put == BOOK_REFUSED;
        add->written += put == BOOK_PUT;
        add->known += put == BOOK_KNOWN;
        add->refused += put == BOOK_REFUSED;
        if (put == BOOK_BEYOND)
            items[i].id = id;
    }
    return 0;
}

static void mark(struct shelf_item *items, size_t count, int32_t day)
{
    for (size_t i = 0; i < count; i++)
        items[i].done |= day_of_id(items[i].id) == day;
}

static int write_day(struct shelf *s, int32_t day, struct shelf_item *items, size_t count,
                     struct shelf_counts *counts, struct error *reterr)
{
    struct place *p;
    struct shelf_counts add = {0};
    int err = open_day(s, day, &p, reterr);
    if (err)
        return err;
    err = book_begin(p->book, reterr);
    if (!err)
        err = put_day(s, p->book, items, count, &add, reterr);
    if (!err)
        err = book_commit(p->book, reterr);
    if (err) {
        /* Opened anew it is looked at anew. */
        book_roll_back(p->book);
        book_close(&p->book, false, &(struct error){{0}});
        return err;
    }
    mark(items, count, day);
    counts->written += add.written;
    counts->known += add.known;
    counts->refused += add.refused;
    return 0;
}

int shelf_write(struct shelf *s, struct shelf_item *items, size_t count, struct shelf_counts *counts,
                struct error *reterr)
{
    int err = 0;
    for (size_t i = 0; i < count && !err; i++) {
        bool again = false;
        while (!items[i].done && !err) {
            int32_t day = day_of_id(items[i].id);
            err = write_day(s, day, items, count, counts, reterr);
            if (err == -EBADMSG && !again && day_put_aside(s->set->directory, day, reterr) == 0)
                err = 0, again = true;
        }
    }
    return err;
}

void shelf_end_days(struct shelf *s, int32_t today, double before)
{
    for (size_t i = 0; i < OPEN; i++) {
        struct place *p = &s->places[i];
        if (p->book && book_day(p->book) < today && p->used < before)
            end_book(p, &(struct error){{0}});
    }
}

int shelf_free(struct shelf **ps, struct error *reterr)
{
    struct shelf *s = *ps;
    int err = 0;
    *ps = NULL;
    for (size_t i = 0; s && i < OPEN; i++) {
        struct error text;
        int failed = end_book(&s->places[i], &text);
        if (failed && !err) {
            err = failed;
            *reterr = text;
        }
    }
    free(s);
    return err;
}
