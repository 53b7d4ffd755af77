/* packets.c: damaged packets through the whole pipeline.
 * usage: packets CAPTURE ROUNDS [SEED]   prints TAP
 *
 * In each round some packets are dropped, repeated, swapped, cut, or have bytes changed; what comes out must
 * be whole lines of valid JSON text, and as many mails as the session records say. With sanitizers on, that
 * is a good deal. As a libFuzzer target (LLVMFuzzerTestOneInput) the input is the packets, each behind two
 * bytes of length. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "intake.h"
#include "mail/charset.h"
#include "pipeline.h"
#include "sink/json.h"

enum { PACKETS = 4096 };

struct outcome {
    struct buf line;
    uint64_t mails, promised, bad_lines;
};

static void on_record(void *ctx, struct record *rec)
{
    struct outcome *o = ctx;
    buf_clear(&o->line);
    json_line(rec, &o->line);
    struct slice text = slice_sub(buf_slice(&o->line), 0, o->line.len - 1);
    bool bad = !utf8_valid(text) || o->line.data[o->line.len - 1] != '\n';
    for (size_t i = 0; i < text.len; i++)
        bad |= text.data[i] < ' ';
    o->bad_lines += bad;
    o->mails += rec->stream == &stream_smtp;
    if (rec->stream == &stream_session)
        o->promised += ((const struct session *)rec->body)->mails;
}

static void on_event(void *ctx, struct slice uid, const struct smtp_event *ev)
{
    char line[600];
    (void)ctx, (void)uid;
    smtp_dump(ev, line, sizeof line);
}

static void on_mime(void *ctx, struct slice uid, uint32_t mail, const struct mime_event *ev)
{
    char line[600];
    (void)ctx, (void)uid, (void)mail;
    mime_dump(ev, line, sizeof line);
}

static void take(void *ctx, struct parcel *parcels, size_t count, struct block *block)
{
    (void)block;
    pipeline_take(ctx, parcels, count);
}

static struct outcome run(const struct packet *packets, size_t count)
{
    static struct settings set;
    struct outcome o = {0};
    settings_defaults(&set);
    buf_init(&o.line, 64 << 20);
    const struct pipeline_output out = {on_record, on_event, on_mime, &o};
    struct pipeline *p = pipeline_new(&set, &(struct pipeline_services){0}, &out);
    struct intake *in = intake_new(&set, take, p);
    for (size_t i = 0; i < count; i++)
        intake_packet(in, &packets[i]);
    intake_flush(in);
    intake_free(&in);
    pipeline_finish(p);
    pipeline_free(&p);
    buf_free(&o.line);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct packet packets[PACKETS];
    size_t count = 0;
    while (size >= 2 && count < PACKETS) {
        size_t len = (size_t)data[0] << 8 | data[1];
        len = len < size - 2 ? len : size - 2;
        packets[count] = (struct packet){.ts = {1000 + (time_t)count, 0},
                                         .bytes = {data + 2, len},
                                         .wire_len = (uint32_t)len,
                                         .link_type = 1};
        count++;
        data += 2 + len;
        size -= 2 + len;
    }
    struct outcome o = run(packets, count);
    assert(!o.bad_lines && o.mails == o.promised);
    return 0;
}

#ifndef LIBFUZZER
static uint64_t state;

static uint32_t chance(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

/* Most changes hit where the headers and the dialogue are, so that not every packet is lost at once. */
static void damage(struct packet *p, uint8_t *bytes)
{
    size_t len = p->bytes.len;
    for (uint32_t n = 1 + chance(3); n && len; n--) {
        size_t at = chance(2) ? chance((uint32_t)len) : chance(len < 120 ? (uint32_t)len : 120);
        bytes[at] = chance(3) ? (uint8_t)chance(256) : (uint8_t) "\r\n.\0 <>:\"\\=?-"[chance(14)];
    }
    if (!chance(4))
        p->bytes.len = chance((uint32_t)len + 1);
}

static size_t make_round(const struct packet *original, size_t count, struct packet *ret, uint8_t **ret_bytes)
{
    size_t made = 0;
    for (size_t i = 0; i < count && made + 2 < PACKETS; i++) {
        uint32_t fate = chance(40);
        if (fate == 0)
            continue;
        struct packet p = original[i];
        ret_bytes[made] = malloc(p.bytes.len + 1);
        memcpy(ret_bytes[made], p.bytes.data, p.bytes.len);
        p.bytes.data = ret_bytes[made];
        if (fate < 4)
            damage(&p, ret_bytes[made]);
        if (fate == 4)
            p.wire_len += chance(3000);
        ret[made++] = p;
        if (fate == 5) {
            ret_bytes[made] = NULL;
            ret[made++] = p;
        }
        if (fate == 6 && made > 1) {
            struct packet swap = ret[made - 2];
            ret[made - 2] = ret[made - 1];
            ret[made - 1] = swap;
        }
    }
    return made;
}

static size_t load(const char *path, struct packet *ret)
{
    struct source *src;
    struct error err;
    size_t count = 0;
    if (source_open(path, &src, &err) < 0) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
    while (count < PACKETS / 2 && source_next(src, &ret[count], &err) > 0) {
        uint8_t *copy = malloc(ret[count].bytes.len + 1);
        memcpy(copy, ret[count].bytes.data, ret[count].bytes.len);
        ret[count].block = NULL;
        ret[count++].bytes.data = copy;
    }
    source_close(&src);
    return count;
}

int main(int argc, char **argv)
{
    static struct packet original[PACKETS], round[PACKETS];
    static uint8_t *bytes[PACKETS];
    uint64_t seeds[] = {1, argc > 3 ? strtoull(argv[3], NULL, 10) : (uint64_t)time(NULL)};
    size_t count = load(argv[1], original);
    for (size_t s = 0; s < 2; s++) {
        uint64_t bad = 0, mails = 0, wrong = 0;
        state = seeds[s] * 0x9e3779b97f4a7c15ull + 1;
        for (long i = strtol(argv[2], NULL, 10); i > 0; i--) {
            size_t made = make_round(original, count, round, bytes);
            struct outcome o = run(round, made);
            bad += o.bad_lines;
            mails += o.mails;
            wrong += o.mails != o.promised;
            for (size_t k = 0; k < made; k++)
                free(bytes[k]);
        }
        printf("%s %zu - seed %llu: %llu mails out of damaged packets, %llu bad lines, %llu wrong sessions\n",
               bad || wrong || !mails ? "not ok" : "ok", s + 1, (unsigned long long)seeds[s],
               (unsigned long long)mails, (unsigned long long)bad, (unsigned long long)wrong);
    }
    for (size_t i = 0; i < count; i++)
        free((void *)original[i].bytes.data);
    printf("1..2\n");
    return 0;
}
#endif
