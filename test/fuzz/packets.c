/* packets.c: packets through the whole pipeline, up to the lines of JSON.
 *
 * First byte: the link type, and bit 3 for small limits. Then packets: seconds since the one before (bit 6:
 * it was longer on the wire), length in 2 bytes, bytes. What comes out is whole lines of valid JSON text, and
 * as many mails as the session records say. */
#include "packets.h"
#include <stdio.h>
#include "fuzz.h"
#include "intake.h"
#include "mail/charset.h"
#include "pipeline.h"
#include "sink/json.h"

struct run {
    struct buf line;
    struct packets_outcome out;
};

static void on_record(void *ctx, struct record *rec)
{
    struct run *r = ctx;
    buf_clear(&r->line);
    json_line(rec, &r->line);
    struct slice text = slice_sub(buf_slice(&r->line), 0, r->line.len - 1);
    bool bad = !utf8_valid(text) || r->line.data[r->line.len - 1] != '\n';
    for (size_t i = 0; i < text.len; i++)
        bad |= text.data[i] < ' ';
    r->out.bad_lines += bad;
    r->out.mails += rec->stream == &stream_smtp;
    if (rec->stream == &stream_session)
        r->out.promised += ((const struct session *)rec->body)->mails;
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

static void limit(struct settings *set)
{
    set->max_flows = set->max_sessions = 2;
    set->flow_bytes = 4096;
    set->total_bytes = 8192;
    set->flow_pieces = set->fragment_datagrams = 4;
    set->list_items = 3;
    set->hold_bytes = set->command_bytes = 256;
    set->transaction_bytes = set->session_bytes = 2048;
}

struct packets_outcome packets_run(const struct packet *packets, size_t count, bool small)
{
    static struct settings made[2], *set;
    struct run r = {0};
    for (int i = 0; i < 2 && !set; i++)
        settings_defaults(&made[i]);
    limit(&made[1]);
    set = &made[small];
    buf_init(&r.line, 64 << 20);
    const struct pipeline_output out = {on_record, on_event, on_mime, &r};
    struct pipeline *p = pipeline_new(set, &(struct pipeline_services){0}, &out);
    struct intake *in = intake_new(set, take, p);
    for (size_t i = 0; i < count; i++)
        intake_packet(in, &packets[i]);
    intake_flush(in);
    intake_free(&in);
    pipeline_finish(p);
    pipeline_free(&p);
    buf_free(&r.line);
    return r.out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t links[] = {1, 101, 113, 276, 0, 9, 104, 228};
    static struct packet packets[PACKETS_MOST];
    struct timespec now = {1000, 0};
    size_t count = 0;
    if (!size)
        return 0;
    uint8_t how = *data++;
    size--;
    while (size >= 3 && count < PACKETS_MOST) {
        size_t len = (size_t)data[1] << 8 | data[2];
        len = len < size - 3 ? len : size - 3;
        now.tv_sec += data[0] & 63;
        packets[count++] = (struct packet){.ts = now,
                                           .bytes = {exact_copy((struct slice){data + 3, len}), len},
                                           .wire_len = (uint32_t)len + (data[0] & 64 ? 100 : 0),
                                           .link_type = links[how % 8]};
        data += 3 + len;
        size -= 3 + len;
    }
    struct packets_outcome o = packets_run(packets, count, how & 8);
    assert(!o.bad_lines && o.mails == o.promised);
    for (size_t i = 0; i < count; i++)
        free((void *)packets[i].bytes.data);
    return 0;
}
