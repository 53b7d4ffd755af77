/* Fixed amounts of bytes out of pieces, for parsers of binary formats that are fed. */
#ifndef MAIL_PULL_H
#define MAIL_PULL_H

#include "base/buf.h"

enum { PULL_BYTES = 48 };

/* One amount is asked for at a time. */
struct pull {
    uint8_t bytes[PULL_BYTES];
    uint32_t need, have; /* for `bytes` */
    struct buf *into; /* not NULL: takes as much of `left` as it has room for; else these are passed over */
    uint64_t left;
    uint64_t taken; /* bytes since the beginning */
};

/* `need` bytes, up to PULL_BYTES; those that are there stay, as the first of them. */
static inline void pull_more(struct pull *p, uint32_t need)
{
    p->need = need;
}
static inline void pull_bytes(struct pull *p, uint32_t need)
{
    p->have = 0;
    p->need = need;
}
/* `left` bytes into a buf, cleared here, or passed over. */
static inline void pull_text(struct pull *p, struct buf *into, uint64_t left)
{
    p->have = p->need = 0;
    p->into = into;
    p->left = left;
    if (into)
        buf_clear(into);
}
/* Takes from *in what was asked for. True: all of it is there. */
static inline bool pull_feed(struct pull *p, struct slice *in)
{
    size_t len = p->have < p->need ? p->need - p->have : 0;
    if (len > in->len)
        len = in->len;
    if (len)
        memcpy(p->bytes + p->have, in->data, len);
    p->have += (uint32_t)len;
    p->taken += len;
    *in = slice_sub(*in, len, in->len);
    if (p->have < p->need)
        return false;
    len = p->left < in->len ? (size_t)p->left : in->len;
    if (p->into)
        buf_add(p->into, slice_sub(*in, 0, len));
    p->left -= len;
    p->taken += len;
    *in = slice_sub(*in, len, in->len);
    return !p->left;
}

static inline uint32_t pull_u16(const struct pull *p, size_t at)
{
    return (uint32_t)p->bytes[at] | (uint32_t)p->bytes[at + 1] << 8;
}
static inline uint32_t pull_u32(const struct pull *p, size_t at)
{
    return pull_u16(p, at) | pull_u16(p, at + 2) << 16;
}
static inline uint64_t pull_u64(const struct pull *p, size_t at)
{
    return pull_u32(p, at) | (uint64_t)pull_u32(p, at + 4) << 32;
}

#endif
