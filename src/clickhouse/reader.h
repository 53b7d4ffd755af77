/* Provisional. */
#ifndef CLICKHOUSE_READER_H
#define CLICKHOUSE_READER_H

#include "view/kind.h"

struct past;
struct chserver;

struct chreader {
    struct reader reader;
    struct chserver *server;
    struct past *past; /* NULL: sums of days are not kept */
};
static inline struct chreader *chreader_of(struct reader *r)
{
    return (struct chreader *)r;
}
/* The least id of that microsecond. */
static inline uint64_t chreader_first_id(int64_t micros)
{
    return (uint64_t)micros << 10;
}

#endif
