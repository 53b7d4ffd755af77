/* A record with every field set, and one record through one sink into memory. */
#ifndef UNIT_SINKS_H
#define UNIT_SINKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/buf.h"
#include "sink/sink.h"

struct mail {
    struct slice rcptto[4], to[2], cc[1];
    struct address path[4];
    struct file files[2];
    struct transaction t;
    struct record rec;
};

static inline struct address v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct address){4, {a, b, c, d}};
}

static inline void mail_init(struct mail *m)
{
    *m = (struct mail){
        .rcptto = {slice_str("bob@example.net"), slice_str("carol@example.net")},
        .to = {slice_str("Bob <bob@example.net>"), slice_str("\"C, D\" <carol@example.net>")},
        .cc = {slice_str("dave@example.net")},
        .path = {v4(203, 0, 113, 25),
                 v4(198, 51, 100, 7),
                 v4(192, 0, 2, 4),
                 {6, {0x20, 1, 0xd, 0xb8, [15] = 1}}},
        .files = {{.name = slice_str("a b.pdf"), .type = slice_str("application/pdf"), .size = 2048},
                  {.name = slice_str("c.txt"), .type = slice_str("text/plain"), .size = 7}},
    };
    m->t = (struct transaction){
        .ts = {1257170000, 12345678},
        .id = {slice_str("C0123456789abcdefg"), {v4(198, 51, 100, 7), 40000}, {v4(203, 0, 113, 25), 25}},
        .trans_depth = 2,
        .helo = slice_str("client.example.org"),
        .mailfrom = slice_str("alice@example.org"),
        .rcptto = {m->rcptto, 2, 4},
        .date = slice_str("Mon, 2 Nov 2009 13:38:23 -0500"),
        .from = slice_str("Alice <alice@example.org>"),
        .to = {m->to, 2, 2},
        .cc = {m->cc, 1, 1},
        .reply_to = slice_str("replies@example.org"),
        .msg_id = slice_str("<m1@example.org>"),
        .in_reply_to = slice_str("<m0@example.net>"),
        .subject = slice_str("hello"),
        .x_originating_ip = slice_str("192.0.2.9"),
        .first_received = slice_str("from a by b"),
        .second_received = slice_str("from b by c"),
        .last_reply = slice_str("250 2.0.0 Ok"),
        .answered = true,
        .last_error = slice_str("450 4.2.0 later"),
        .path = {m->path, 4, 4},
        .received_from_originating_ip = slice_str("2001:db8::1"),
        .user_agent = slice_str("Mailer 1.0"),
        .tls = false,
        .is_webmail = true,
        .files = {m->files, 2, 2},
        .flags = {.gap = true, .truncated = true},
    };
    m->rec = (struct record){&stream_smtp, &m->t};
}

/* What the sink writes for these records, all files one after the other in the order of their names. */
static inline void sink_run(const struct sink_ops *ops, const struct record *recs, size_t count, bool color,
                            struct buf *ret)
{
    char folder[] = "mailtap-sink-XXXXXX", path[512];
    struct sink *snk = NULL;
    struct error err;
    struct dirent **names;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(ops->open(&(struct sink_settings){folder, color}, &snk, &err), 0);
    for (size_t i = 0; i < count; i++)
        assert_true(ops->write(snk, &recs[i], &err) >= 0);
    assert_int_equal(ops->close(&snk, &err), 0);
    assert_null(snk);
    int found = scandir(folder, &names, NULL, alphasort);
    assert_true(found > 2);
    for (int i = 0; i < found; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        FILE *file = names[i]->d_name[0] == '.' ? NULL : fopen(path, "rb");
        uint8_t part[4096];
        size_t n;
        while (file && (n = fread(part, 1, sizeof part, file)) > 0)
            buf_add(ret, (struct slice){part, n});
        if (file) {
            fclose(file);
            unlink(path);
        }
        free(names[i]);
    }
    free(names);
    rmdir(folder);
}

/* The n-th line from the end, 1 being the last; without its end. */
static inline struct slice line_from_end(struct slice all, size_t n)
{
    struct slice line = {0};
    for (; n; n--) {
        size_t end = all.len;
        assert_true(end && all.data[end - 1] == '\n');
        size_t from = end - 1;
        while (from && all.data[from - 1] != '\n')
            from--;
        line = slice_sub(all, from, end - 1);
        all = slice_sub(all, 0, from);
    }
    return line;
}

/* The n-th cell of a row of tabs, the first being 0. */
static inline struct slice column(struct slice row, size_t n)
{
    for (; n; n--) {
        size_t tab = slice_index(row, '\t');
        assert_true(tab < row.len);
        row = slice_sub(row, tab + 1, row.len);
    }
    return slice_sub(row, 0, slice_index(row, '\t'));
}

static inline void assert_slice(struct slice got, const char *wanted)
{
    char *text = strndup((const char *)got.data, got.len);
    assert_string_equal(text, wanted);
    free(text);
}

/* A small generator, the same on every run. */
static inline uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* Bytes of every kind, those that matter to a format more often. */
static inline struct slice random_text(uint64_t *state, uint8_t *room, size_t most)
{
    static const char hot[] = "\t\n\r\\\"',-<>{} \x1b\x7f\xc2\x9b\xe2\x80\xae\xf0\x9f\x98\x80";
    size_t len = next_random(state) % most;
    for (size_t i = 0; i < len; i++) {
        uint32_t r = next_random(state), pick = r / 3;
        room[i] = (uint8_t)pick;
        if (r % 3 == 0)
            room[i] = (uint8_t)hot[pick % (sizeof hot - 1)];
        else if (r % 3 == 1)
            room[i] = (uint8_t)('a' + pick % 26);
    }
    return (struct slice){room, len};
}

#endif
