/* Records of any stream with values of all kinds and sizes, by the tables of fields. */
#ifndef UNIT_ANY_RECORD_H
#define UNIT_ANY_RECORD_H

#include <math.h>
#include <stdlib.h>
#include "record/record.h"

enum { ANY_DEPTH = 2, ANY_LIST = 40 };

struct any {
    uint64_t state;
    void **pieces;
    size_t count, room;
};

static inline uint64_t any_draw(struct any *a, uint64_t below)
{
    a->state = a->state * 6364136223846793005u + 1442695040888963407u;
    return (a->state >> 33) % below;
}

static inline void *any_piece(struct any *a, size_t size)
{
    if (a->count == a->room) {
        a->room = a->room ? 2 * a->room : 1024;
        a->pieces = realloc(a->pieces, a->room * sizeof *a->pieces);
    }
    return a->pieces[a->count++] = calloc(1, size ? size : 1);
}

static inline void any_free(struct any *a)
{
    while (a->count)
        free(a->pieces[--a->count]);
    free(a->pieces);
    a->pieces = NULL;
    a->room = 0;
}

/* Absent, empty, of odd characters, long. */
static inline struct slice any_text(struct any *a)
{
    static const char *const odd[] = {"\"",
                                      "\\",
                                      "\n",
                                      "\r",
                                      "\t",
                                      "\x01",
                                      "\0",
                                      "/",
                                      "\xc3\xa4",
                                      "\xe2\x80\xae",
                                      "\xf0\x9f\x98\x80",
                                      "'",
                                      ";",
                                      "%",
                                      "\xef\xbf\xbd",
                                      "\x7f"};
    uint64_t kind = any_draw(a, 8);
    if (kind == 0)
        return (struct slice){0};
    size_t count = kind == 1 ? 0 : kind == 2 ? 3000 : any_draw(a, 40);
    uint8_t *text = any_piece(a, count * 4);
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        if (any_draw(a, kind == 3 ? 2 : 100) == 0) {
            const char *c = odd[any_draw(a, sizeof odd / sizeof *odd)];
            size_t n = *c ? strlen(c) : 1;
            memcpy(text + len, c, n);
            len += n;
        } else {
            text[len++] = (uint8_t)('a' + any_draw(a, 26));
        }
    }
    return (struct slice){text, len};
}

static inline uint64_t any_number(struct any *a)
{
    static const uint64_t some[] = {0,        1, 9, 10, 255, 65535, 4294967295, 4294967296, INT64_MAX - 1,
                                    INT64_MAX};
    return any_draw(a, 2) ? some[any_draw(a, sizeof some / sizeof *some)] : any_draw(a, 1 << 20);
}

static inline double any_double(struct any *a)
{
    const double some[] = {0,    -0.0, 1,        -1,        0.5,        1e-7,    -1e-7,      1e15,
                           1e18, NAN,  HUGE_VAL, -HUGE_VAL, 123456.789, 1.0 / 3, 1e6 - 1e-6, 4.483199999};
    return some[any_draw(a, sizeof some / sizeof *some)];
}

static inline struct address any_address(struct any *a)
{
    struct address ret = {.family = (uint8_t)(any_draw(a, 3) * 2)};
    ret.family = ret.family == 2 ? 4 : ret.family ? 6 : 0;
    for (size_t i = 0; i < (ret.family == 4 ? 4u : 16u) && ret.family; i++)
        ret.bytes[i] = any_draw(a, 3) ? 0 : (uint8_t)any_draw(a, 256);
    return ret;
}

static inline void any_fields(struct any *a, const struct field *fields, size_t count, char *body, int depth);

static inline void any_field(struct any *a, const struct field *f, char *value, int depth)
{
    struct object_list *list = (struct object_list *)value;
    struct text_list *texts = (struct text_list *)value;
    struct address_list *addresses = (struct address_list *)value;
    size_t len = any_draw(a, 3) ? any_draw(a, 3) : any_draw(a, depth ? 4 : ANY_LIST);
    switch (f->kind) {
    case FIELD_TIME:
        *(struct timespec *)value =
            (struct timespec){(time_t)any_draw(a, 4000000000), (long)any_draw(a, 1000000000)};
        break;
    case FIELD_DOUBLE:
        *(double *)value = any_double(a);
        break;
    case FIELD_TEXT:
        *(struct slice *)value = any_text(a);
        break;
    case FIELD_ADDRESS:
        *(struct address *)value = any_address(a);
        break;
    case FIELD_PORT:
    case FIELD_SOME_PORT:
        *(uint16_t *)value = (uint16_t)any_number(a);
        break;
    case FIELD_COUNT:
    case FIELD_SOME:
        *(uint64_t *)value = any_number(a);
        break;
    case FIELD_BOOL:
    case FIELD_TRUE:
        *(bool *)value = any_draw(a, 2);
        break;
    case FIELD_MAYBE:
        *(enum maybe *)value = (enum maybe)any_draw(a, 3);
        break;
    case FIELD_SPAN:
        *(struct interval *)value = (struct interval){any_double(a), any_draw(a, 2)};
        break;
    case FIELD_TEXTS:
        *texts = (struct text_list){any_piece(a, len * sizeof(struct slice)), len, len};
        for (size_t i = 0; i < len; i++) {
            texts->items[i] = any_text(a);
            if (!texts->items[i].data)
                texts->items[i] = slice_str("");
        }
        break;
    case FIELD_ADDRESSES:
        *addresses = (struct address_list){any_piece(a, len * sizeof(struct address)), len, len};
        for (size_t i = 0; i < len; i++)
            addresses->items[i] = any_address(a);
        break;
    case FIELD_ANOMALY:
        *(enum anomaly *)value = (enum anomaly)any_draw(a, ANOMALY_COUNT);
        break;
    case FIELD_FLAGS:
        for (size_t i = 0; i < FLAG_COUNT; i++)
            *(bool *)(value + flag_table[i].offset) = any_draw(a, 4) == 0;
        break;
    case FIELD_OBJECT:
        any_fields(a, f->of->fields, f->of->count, value, depth + 1);
        break;
    case FIELD_APART:
        if (any_draw(a, 3)) {
            char *object = any_piece(a, f->of->size);
            any_fields(a, f->of->fields, f->of->count, object, depth + 1);
            memcpy(value, &object, sizeof object);
        }
        break;
    case FIELD_LIST:
        *list = (struct object_list){any_piece(a, len * f->of->size), len, len};
        for (size_t i = 0; i < len; i++)
            any_fields(a, f->of->fields, f->of->count, (char *)list->items + i * f->of->size, depth + 1);
        break;
    }
}

static inline void any_fields(struct any *a, const struct field *fields, size_t count, char *body, int depth)
{
    for (size_t i = 0; i < count; i++)
        if (depth < ANY_DEPTH || fields[i].kind != FIELD_LIST)
            any_field(a, &fields[i], body + fields[i].offset, depth);
}

/* A body of the stream, which has fields of its own; with `empty` nothing is set. Lives until any_free. */
static inline void *any_body(struct any *a, const struct stream *stream, bool empty)
{
    void *body = any_piece(a, stream->size);
    if (!empty)
        any_fields(a, stream->fields, stream->count, body, 0);
    return body;
}

#endif
