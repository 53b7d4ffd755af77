/* pcapng.c: blocks to packets.
 * In: a stream of plain bytes. Out: packets. Owns: one block's bytes, the section's interfaces.
 * Limits: BLOCK_MAX bytes a block, INTERFACES_MAX interfaces a section. Knowingly: options other than if_tsresol and if_tsoffset are
 * skipped. Spec: draft-ietf-opsawg-pcapng. */
#include "capture/pcapng.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { BLOCK_MAX = 16 << 20, INTERFACES_MAX = 4096 };
enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, PACKET_OLD = 2, PACKET_SIMPLE = 3, PACKET_ENHANCED = 6 };

struct interface {
    uint16_t link_type;
    uint32_t snap_len;
    uint64_t units; /* a second */
    int64_t offset; /* seconds */
};

struct pcapng {
    FILE *stream;
    bool swap, in_section;
    uint8_t *block;
    size_t room;
    struct interface *interfaces;
    size_t interface_count, interface_room;
};

struct pcapng *pcapng_new(FILE *stream)
{
    struct pcapng *p = calloc(1, sizeof *p);
    assert(p);
    p->stream = stream;
    return p;
}

void pcapng_free(struct pcapng **pp)
{
    struct pcapng *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    free(p->block);
    free(p->interfaces);
    free(p);
}

static uint32_t get32(const struct pcapng *p, const uint8_t *b)
{
    uint32_t v;
    memcpy(&v, b, 4);
    return p->swap ? __builtin_bswap32(v) : v;
}

static uint16_t get16(const struct pcapng *p, const uint8_t *b)
{
    uint16_t v;
    memcpy(&v, b, 2);
    return p->swap ? __builtin_bswap16(v) : v;
}

static uint64_t units_of(uint8_t resolution)
{
    unsigned power = resolution & 0x7f;
    if (resolution & 0x80)
        return power < 63 ? 1ull << power : 1ull << 62;
    uint64_t units = 1;
    for (unsigned i = 0; i < power && i < 18; i++)
        units *= 10;
    return units;
}

static void interface_options(struct pcapng *p, struct interface *ifc, struct slice opt)
{
    while (opt.len >= 4) {
        uint16_t code = get16(p, opt.data), len = get16(p, opt.data + 2);
        size_t padded = ((size_t)len + 3) & ~(size_t)3;
        struct slice value = slice_sub(opt, 4, 4 + (size_t)len);
        if (code == 0 || value.len < len)
            return;
        if (code == 9 && len >= 1)
            ifc->units = units_of(value.data[0]);
        if (code == 14 && len >= 8) {
            uint64_t v;
            memcpy(&v, value.data, 8);
            ifc->offset = (int64_t)(p->swap ? __builtin_bswap64(v) : v);
        }
        opt = slice_sub(opt, 4 + padded, opt.len);
    }
}

static bool interface_add(struct pcapng *p, struct slice body)
{
    if (body.len < 8 || p->interface_count == INTERFACES_MAX)
        return false;
    if (p->interface_count == p->interface_room) {
        p->interface_room = p->interface_room ? p->interface_room * 2 : 4;
        p->interfaces = realloc(p->interfaces, p->interface_room * sizeof *p->interfaces);
        assert(p->interfaces);
    }
    struct interface *ifc = &p->interfaces[p->interface_count++];
    *ifc = (struct interface){get16(p, body.data), get32(p, body.data + 4), 1000000, 0};
    interface_options(p, ifc, slice_sub(body, 8, body.len));
    return true;
}

static void set_time(const struct interface *ifc, uint64_t ticks, struct timespec *ret)
{
    uint64_t part = ticks % ifc->units;
    ret->tv_sec = (time_t)(ticks / ifc->units) + (time_t)ifc->offset;
    ret->tv_nsec = ifc->units <= 1000000000 ? (long)(part * 1000000000 / ifc->units) : (long)(part / (ifc->units / 1000000000));
}

/* Fills *ret from a packet block; 0 where it names no known interface or contradicts its own length. */
static int packet_of(struct pcapng *p, uint32_t type, struct slice body, struct packet *ret)
{
    size_t header = type == PACKET_SIMPLE ? 4 : 20;
    if (body.len < header)
        return 0;
    const uint8_t *b = body.data;
    uint32_t id = type == PACKET_ENHANCED ? get32(p, b) : type == PACKET_OLD ? get16(p, b) : 0;
    if (id >= p->interface_count)
        return 0;
    const struct interface *ifc = &p->interfaces[id];
    uint32_t captured, wire;
    *ret = (struct packet){.link_type = ifc->link_type};
    if (type == PACKET_SIMPLE) {
        wire = get32(p, b);
        captured = ifc->snap_len && wire > ifc->snap_len ? ifc->snap_len : wire;
        if (captured > body.len - header)
            captured = (uint32_t)(body.len - header);
    } else {
        set_time(ifc, (uint64_t)get32(p, b + 4) << 32 | get32(p, b + 8), &ret->ts);
        captured = get32(p, b + 12);
        wire = get32(p, b + 16);
    }
    if (captured > body.len - header)
        return 0;
    ret->bytes = slice_sub(body, header, header + captured);
    ret->wire_len = wire < captured ? captured : wire;
    return 1;
}

static bool make_room(struct pcapng *p, size_t need)
{
    if (need <= p->room)
        return true;
    p->block = realloc(p->block, need);
    assert(p->block);
    p->room = need;
    return true;
}

/* One block: its type and body. 1, 0 at the end of the stream, or < 0. */
static int read_block(struct pcapng *p, uint32_t *ret_type, struct slice *ret_body, const char **ret_reason)
{
    uint8_t head[12];
    size_t got = fread(head, 1, 8, p->stream);
    if (!got)
        return 0;
    *ret_reason = "ends inside a block";
    if (got < 8)
        return -ENODATA;
    memcpy(ret_type, head, 4);
    bool section = *ret_type == SECTION;
    if (section) {
        if (fread(head + 8, 1, 4, p->stream) < 4)
            return -ENODATA;
        uint32_t magic;
        memcpy(&magic, head + 8, 4);
        p->swap = magic == 0x4d3c2b1a;
        *ret_reason = "has a section of unknown byte order";
        if (!p->swap && magic != 0x1a2b3c4d)
            return -EINVAL;
    }
    *ret_type = get32(p, head);
    size_t length = get32(p, head + 4), begun = section ? 12 : 8;
    *ret_reason = "has a block of an impossible length";
    if (length % 4 || length < begun + 4 || length > BLOCK_MAX)
        return -EINVAL;
    make_room(p, length - begun);
    *ret_reason = "ends inside a block";
    if (fread(p->block, 1, length - begun, p->stream) < length - begun)
        return -ENODATA;
    *ret_reason = "has a block whose two lengths differ";
    if (get32(p, p->block + (length - begun - 4)) != length)
        return -EINVAL;
    *ret_body = (struct slice){p->block, length - begun - 4};
    return 1;
}

int pcapng_next(struct pcapng *p, struct packet *ret, struct source_stats *stats, const char **ret_reason)
{
    uint32_t type;
    struct slice body;
    int got;
    while ((got = read_block(p, &type, &body, ret_reason)) > 0) {
        if (type == SECTION) {
            p->interface_count = 0;
        } else if (type == INTERFACE) {
            stats->skipped_blocks += !interface_add(p, body);
        } else if (type == PACKET_ENHANCED || type == PACKET_SIMPLE || type == PACKET_OLD) {
            if (packet_of(p, type, body, ret))
                return 1;
            stats->skipped_blocks++;
        } else {
            stats->skipped_blocks++;
        }
    }
    return got;
}
