/* over_state.c: the state of a loader as a file.
 * In: windows of notices, counters, hashes of lines. Out: lines of words; bytes in hex. Owns: the file while
 * it is written. Limits: as many as its owners have. Knowingly: what scripts keep in variables is no part of
 * it. */
#include "over_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/memory.h"
#include "record/notice.h"
#include "sink/json.h"
#include "view/line_row.h"
#include "view/record_of.h"

enum { VERSION = 1, BYTES_MOST = 1024, NANOSECONDS = 1000000000 };

struct writer {
    FILE *file;
    struct line line;
};

static void put_hex(struct writer *w, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        fprintf(w->file, "%02x", bytes.data[i]);
}

static void put_fold(void *ctx, const struct fold_entry *e)
{
    struct writer *w = ctx;
    fprintf(w->file, "fold %.17g %.17g %u %" PRIu64 " ", e->from, e->until, e->actions, e->repeats);
    put_hex(w, e->key);
    line_clear(&w->line);
    if (e->last)
        json_record(&(struct record){&stream_notice, (void *)e->last, e->last->ts, NULL}, &w->line);
    else
        line_byte(&w->line, '\n');
    fprintf(w->file, " %.*s", (int)w->line.len, (const char *)w->line.data);
}

static void put_key(void *ctx, const struct counters_key *k)
{
    struct writer *w = ctx;
    fprintf(w->file, "key %.17g %" PRId64 " %" PRId64 " ", k->expire, k->first, k->value);
    put_hex(w, k->name);
    fputs(" x", w->file);
    put_hex(w, k->key);
    putc('\n', w->file);
}

static void put_seen(void *ctx, uint64_t item)
{
    fprintf(((struct writer *)ctx)->file, "seen %016" PRIx64 "\n", item);
}

static bool write_all(FILE *file, const struct over_state *state)
{
    struct writer w = {.file = file};
    fprintf(file, "mailtap load %d\nclock %lld.%09ld\nseed %016" PRIx64 "\n", VERSION,
            (long long)state->clock->tv_sec, state->clock->tv_nsec, *state->seed);
    fold_each(state->folds, put_fold, &w);
    counters_each(state->counters, put_key, &w);
    over_seen_each(state->seen, put_seen, &w);
    fputs("end\n", file);
    line_free(&w.line);
    return fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
}

int over_state_write(const char *path, const struct over_state *state, struct error *reterr)
{
    char beside[PATH_MAX];
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside)
        return error_set(reterr, -ENAMETOOLONG, "load_state: %s", strerror(ENAMETOOLONG));
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    bool good = file && write_all(file, state);
    int code = good ? 0 : errno;
    if (file)
        good = fclose(file) == 0 && good;
    else if (fd >= 0)
        close(fd);
    if (good && rename(beside, path) == 0)
        return 0;
    code = code ? code : errno;
    return error_set(reterr, -code, "load_state: %s: %s", path, strerror(code));
}

struct reader_of_state {
    const struct over_state *to;
    struct line_row *rows;
    struct record_of *records;
    uint64_t lost;
    bool ended;
};

/* The next word, which *rest loses with the blank behind it. */
static struct slice word(struct slice *rest)
{
    size_t len = slice_index(*rest, ' ');
    struct slice w = slice_sub(*rest, 0, len);
    *rest = slice_sub(*rest, len + 1 < rest->len ? len + 1 : rest->len, rest->len);
    return w;
}

static bool number(struct slice *rest, uint64_t *ret)
{
    struct slice w = word(rest);
    return w.len && slice_number(w, ret) == w.len;
}

static bool signed_number(struct slice *rest, int64_t *ret)
{
    bool minus = rest->len && rest->data[0] == '-';
    uint64_t v;
    *rest = slice_sub(*rest, minus, rest->len);
    if (!number(rest, &v) || v > INT64_MAX)
        return false;
    *ret = minus ? -(int64_t)v : (int64_t)v;
    return true;
}

static bool real(struct slice *rest, double *ret)
{
    char copy[40], *end;
    struct slice w = word(rest);
    if (!w.len || w.len >= sizeof copy)
        return false;
    memcpy(copy, w.data, w.len);
    copy[w.len] = 0;
    *ret = strtod(copy, &end);
    return !*end;
}

static int digit(uint8_t c)
{
    c = byte_lower(c);
    return byte_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool bytes(struct slice hex, uint8_t room[static BYTES_MOST], struct slice *ret)
{
    if (hex.len % 2 || hex.len > 2 * BYTES_MOST)
        return false;
    for (size_t i = 0; i < hex.len; i += 2) {
        int high = digit(hex.data[i]), low = digit(hex.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        room[i / 2] = (uint8_t)(high << 4 | low);
    }
    *ret = (struct slice){room, hex.len / 2};
    return true;
}

static bool get_hash(struct slice w, uint64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < w.len; i++) {
        if (digit(w.data[i]) < 0)
            return false;
        *ret = *ret << 4 | (uint64_t)digit(w.data[i]);
    }
    return w.len == 16;
}

static bool get_clock(struct slice rest, struct timespec *ret)
{
    uint64_t whole, part;
    size_t point = slice_index(rest, '.');
    struct slice behind = slice_sub(rest, point + 1 < rest.len ? point + 1 : rest.len, rest.len);
    rest = slice_sub(rest, 0, point);
    if (!number(&rest, &whole) || !number(&behind, &part) || part >= NANOSECONDS)
        return false;
    *ret = (struct timespec){(time_t)whole, (long)part};
    return true;
}

static bool get_fold(struct reader_of_state *r, struct slice rest)
{
    struct fold_entry e = {0};
    uint8_t room[BYTES_MOST];
    uint64_t actions;
    struct record rec;
    if (!real(&rest, &e.from) || !real(&rest, &e.until) || !number(&rest, &actions) ||
        !number(&rest, &e.repeats) || !bytes(word(&rest), room, &e.key))
        return false;
    e.actions = (unsigned)actions & 15;
    const struct reader_row *row = rest.len ? line_row_take(r->rows, rest) : NULL;
    if (rest.len && (!row || !record_of_row(r->records, STREAM_NOTICE, row, &rec)))
        return false;
    e.last = rest.len ? rec.body : NULL;
    fold_put(r->to->folds, &e);
    return true;
}

static bool get_key(struct reader_of_state *r, struct slice rest)
{
    struct counters_key k;
    uint8_t name[BYTES_MOST], key[BYTES_MOST];
    if (!real(&rest, &k.expire) || !signed_number(&rest, &k.first) || !signed_number(&rest, &k.value) ||
        !bytes(word(&rest), name, &k.name) || !rest.len || rest.data[0] != 'x' ||
        !bytes(slice_sub(rest, 1, rest.len), key, &k.key))
        return false;
    r->lost += !counters_put(r->to->counters, &k);
    return true;
}

static bool get_line(struct reader_of_state *r, struct slice line)
{
    uint64_t item;
    struct slice what = word(&line);
    if (slice_eq(what, slice_str("clock")))
        return get_clock(line, r->to->clock);
    if (slice_eq(what, slice_str("seed")))
        return get_hash(line, r->to->seed);
    if (slice_eq(what, slice_str("fold")))
        return get_fold(r, line);
    if (slice_eq(what, slice_str("key")))
        return get_key(r, line);
    r->ended = slice_eq(what, slice_str("end"));
    if (r->ended || !slice_eq(what, slice_str("seen")) || !get_hash(line, &item))
        return r->ended;
    over_seen_again(r->to->seen, item);
    return true;
}

static bool read_all(FILE *file, struct reader_of_state *r)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t len = getline(&text, &room, file);
    bool good = len > 0 && strcmp(text, "mailtap load 1\n") == 0;
    while (good && !r->ended && (len = getline(&text, &room, file)) > 0)
        good = text[len - 1] == '\n' && get_line(r, (struct slice){(uint8_t *)text, (size_t)len - 1});
    free(text);
    return good && r->ended;
}

int over_state_read(const char *path, const struct over_state *state, uint64_t *ret_lost,
                    struct error *reterr)
{
    FILE *file = fopen(path, "re");
    *ret_lost = 0;
    if (!file && errno == ENOENT)
        return 1;
    if (!file)
        return error_set(reterr, -errno, "load_state: %s: %s", path, strerror(errno));
    struct reader_of_state r = {state, line_row_new(), record_of_new(), 0, false};
    int err = read_all(file, &r) ? 0 : -EBADMSG;
    if (err)
        error_set(reterr, err, "load_state: %s: not what mailtap load has written", path);
    fclose(file);
    *ret_lost = r.lost;
    line_row_free(&r.rows);
    record_of_free(&r.records);
    return err;
}
