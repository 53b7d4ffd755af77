/* pcapng.c: blocks to packets.
 * In: plain bytes. Out: packets, inside of the window. Owns: the section's interfaces.
 * Limits: BLOCK_MAX bytes a block that is looked into, INTERFACES_MAX interfaces a section. Knowingly:
 * options other than if_tsresol and if_tsoffset are skipped; a packet of a simple block, which has no time,
 * has that of the packet before it; times before 1970 and after the year 9999 become the nearest inside.
 * Spec: draft-ietf-opsawg-pcapng. */
#include "capture/pcapng.h"

#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"

enum { BLOCK_MAX = 16 << 20, INTERFACES_MAX = 4096 };
static const int64_t seconds_max = 253402300799;
__extension__ typedef unsigned __int128 uint128;
enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, PACKET_OLD = 2, PACKET_SIMPLE = 3, PACKET_ENHANCED = 6 };

struct interface {
    uint16_t link_type;
    uint32_t snap_len;
    uint64_t units; /* a second; 0: the interface's block is too short, its packets cannot be understood */
    int64_t offset; /* seconds */
};

struct pcapng {
    struct window *window;
    bool swap;
    struct timespec last; /* time of the packet before */
    struct interface *interfaces;
    size_t interface_count, interface_room;
};

struct pcapng *pcapng_new(struct window *window)
{
    struct pcapng *p = calloc(1, sizeof *p);
    memory_check(p);
    p->window = window;
    return p;
}

void pcapng_free(struct pcapng **pp)
{
    struct pcapng *p = *pp;
    *pp = NULL;
    if (!p)
        return;
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

/* Beyond what 64 bits can count the finest that they can stands in; a time stamp of 64 bits says no second
 * there anyway. */
static uint64_t units_of(uint8_t resolution)
{
    unsigned power = resolution & 0x7f;
    if (resolution & 0x80)
        return 1ull << (power < 63 ? power : 63);
    uint64_t units = 1;
    for (unsigned i = 0; i < power && i < 19; i++)
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
    if (p->interface_count == INTERFACES_MAX)
        return false;
    if (p->interface_count == p->interface_room) {
        p->interface_room = p->interface_room ? p->interface_room * 2 : 4;
        p->interfaces = realloc(p->interfaces, p->interface_room * sizeof *p->interfaces);
        memory_check(p->interfaces);
    }
    struct interface *ifc = &p->interfaces[p->interface_count++];
    *ifc = (struct interface){0};
    if (body.len < 8)
        return false; /* it keeps its number all the same */
    *ifc = (struct interface){get16(p, body.data), get32(p, body.data + 4), 1000000, 0};
    interface_options(p, ifc, slice_sub(body, 8, body.len));
    return true;
}

static void set_time(const struct interface *ifc, uint64_t ticks, struct timespec *ret)
{
    uint64_t part = ticks % ifc->units, seconds = ticks / ifc->units;
    int64_t whole = seconds > (uint64_t)seconds_max ? seconds_max : (int64_t)seconds;
    if (__builtin_add_overflow(whole, ifc->offset, &whole))
        whole = ifc->offset < 0 ? 0 : seconds_max;
    ret->tv_sec = whole < 0 ? 0 : whole > seconds_max ? seconds_max : whole;
    if (ifc->units <= 1000000000)
        ret->tv_nsec = (long)(part * 1000000000 / ifc->units);
    else
        ret->tv_nsec = (long)((uint128)part * 1000000000 / ifc->units);
}

/* Fills *ret from a packet block; 0 where it names no known interface or contradicts its own length. */
static int packet_of(struct pcapng *p, uint32_t type, struct slice body, struct packet *ret)
{
    size_t header = type == PACKET_SIMPLE ? 4 : 20;
    if (body.len < header)
        return 0;
    const uint8_t *b = body.data;
    uint32_t id = type == PACKET_ENHANCED ? get32(p, b) : type == PACKET_OLD ? get16(p, b) : 0;
    if (id >= p->interface_count || !p->interfaces[id].units)
        return 0;
    const struct interface *ifc = &p->interfaces[id];
    uint32_t captured, wire;
    *ret = (struct packet){.ts = p->last, .block = window_lend(p->window), .link_type = ifc->link_type};
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
    p->last = ret->ts;
    return 1;
}

/* The byte order of a section, which the length before it is written in too. */
static int read_order(struct pcapng *p, const char **ret_reason)
{
    struct slice begin = window_look(p->window, 12);
    uint32_t magic;
    if (begin.len < 12)
        return -ENODATA;
    memcpy(&magic, begin.data + 8, 4);
    *ret_reason = "has a section of unknown byte order";
    p->swap = magic == 0x4d3c2b1a;
    return p->swap || magic == 0x1a2b3c4d ? 0 : -EINVAL;
}

static bool is_known(uint32_t type)
{
    return type == SECTION || type == INTERFACE || type == PACKET_OLD || type == PACKET_SIMPLE ||
           type == PACKET_ENHANCED;
}

/* One block: its type and body. 1, 0 at the end of the file, or < 0. A block of no use here may be of any
 * length: its body is not kept. */
static int read_block(struct pcapng *p, uint32_t *ret_type, struct slice *ret_body, const char **ret_reason)
{
    struct slice head = window_look(p->window, 8);
    if (!head.len)
        return 0;
    *ret_reason = "ends inside a block";
    if (head.len < 8)
        return -ENODATA;
    memcpy(ret_type, head.data, 4); /* a section's reads the same in both orders */
    bool section = *ret_type == SECTION;
    int err = section ? read_order(p, ret_reason) : 0;
    if (err)
        return err;
    head = window_look(p->window, 8);
    *ret_type = get32(p, head.data);
    size_t length = get32(p, head.data + 4), before = section ? 12 : 8;
    bool known = is_known(*ret_type);
    *ret_reason = "has a block of an impossible length";
    if (length % 4 || length < before + 4 || (length > BLOCK_MAX && known))
        return -EINVAL;
    *ret_reason = "ends inside a block";
    size_t inside = known ? length - 4 : 0;
    if (!known && !window_skip(p->window, length - 4))
        return -ENODATA;
    struct slice block = window_look(p->window, inside + 4);
    if (block.len < inside + 4)
        return -ENODATA;
    window_pass(p->window, block.len);
    *ret_body = slice_sub(block, before, inside);
    *ret_reason = "has a block whose two lengths differ";
    return get32(p, block.data + inside) == length ? 1 : -EINVAL;
}

/* A new section forgets the interfaces of the one before. */
static int section_begin(struct pcapng *p, struct slice body, const char **ret_reason)
{
    *ret_reason = "has a section of an unknown version";
    p->interface_count = 0;
    return body.len >= 12 && get16(p, body.data) == 1 ? 0 : -EINVAL;
}

bool pcapng_is_ready(const struct pcapng *p)
{
    struct slice there = window_there(p->window);
    return there.len >= 8 && there.len >= get32(p, there.data + 4);
}

int pcapng_next(struct pcapng *p, struct packet *ret, struct source_stats *stats, const char **ret_reason)
{
    uint32_t type;
    struct slice body;
    int got;
    while ((got = read_block(p, &type, &body, ret_reason)) > 0) {
        if (type == SECTION) {
            got = section_begin(p, body, ret_reason);
            if (got < 0)
                return got;
        } else if (type == INTERFACE) {
            stats->skipped_blocks += !interface_add(p, body);
        } else if (is_known(type) && packet_of(p, type, body, ret)) {
            return 1;
        } else {
            stats->skipped_blocks++;
        }
    }
    return got;
}
