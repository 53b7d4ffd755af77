/* copy.c: copies of records, by the tables of fields.
 * In: records. Out: copies. Owns: nothing. Knowingly: where there is no room it goes on to count. */
#include "record/copy.h"

#include <stdlib.h>
#include "base/memory.h"
#include "record/entry.h"

struct copier {
    uint8_t *to; /* NULL: only counts */
    size_t used, room, most;
    struct slice piece; /* what was copied as a whole before all else */
    uint8_t *piece_to;  /* where it went; NULL: it was counted */
};

static size_t padded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/* Where the bytes went; NULL where it counts, or they find no room. */
static void *put(struct copier *c, const void *from, size_t len)
{
    size_t at = (uintptr_t)from - (uintptr_t)c->piece.data;
    if (at < c->piece.len)
        return c->piece_to ? c->piece_to + at : NULL;
    at = c->used;
    c->used += padded(len);
    if (!c->to || c->used > c->room)
        return NULL;
    return len ? memcpy(c->to + at, from, len) : c->to + at;
}

/* Cut to `most`, and then to a whole character. */
static size_t kept(struct slice s, size_t most)
{
    size_t len = s.len < most ? s.len : most;
    while (len < s.len && len && (s.data[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static void put_text(struct copier *c, const struct slice *from, struct slice *to)
{
    size_t len = kept(*from, c->most);
    const uint8_t *at = put(c, from->data, len);
    if (to)
        *to = (struct slice){from->data ? at : NULL, len};
}

static void put_texts(struct copier *c, const struct text_list *from, struct text_list *to)
{
    struct slice *items = put(c, from->items, from->len * sizeof *items);
    for (size_t i = 0; i < from->len; i++)
        put_text(c, &from->items[i], items ? &items[i] : NULL);
    if (to)
        *to = (struct text_list){items, from->len, from->len};
}

static void put_addresses(struct copier *c, const struct address_list *from, struct address_list *to)
{
    struct address *items = put(c, from->items, from->len * sizeof *items);
    if (to)
        *to = (struct address_list){items, from->len, from->len};
}

static void put_object(struct copier *c, const struct shape *of, const void *from, void *to);

static void put_list(struct copier *c, const struct shape *of, const struct object_list *from,
                     struct object_list *to)
{
    char *items = put(c, from->items, from->len * of->size);
    for (size_t i = 0; i < from->len; i++)
        put_object(c, of, (const char *)from->items + i * of->size, items ? items + i * of->size : NULL);
    if (to)
        *to = (struct object_list){items, from->len, from->len};
}

static void put_apart(struct copier *c, const struct shape *of, const void *from, void *to)
{
    void *object = put(c, from, of->size);
    put_object(c, of, from, object);
    if (to)
        memcpy(to, &object, sizeof object);
}

/* What the field points to, whose kind is one that has something; `to` is there once the bytes are. */
static void put_field(struct copier *c, const struct field *f, const void *from, void *to)
{
    switch (f->kind) {
    case FIELD_TEXT:
        put_text(c, from, to);
        break;
    case FIELD_TEXTS:
        put_texts(c, from, to);
        break;
    case FIELD_ADDRESSES:
        put_addresses(c, from, to);
        break;
    case FIELD_OBJECT:
        put_object(c, f->of, from, to);
        break;
    case FIELD_LIST:
        put_list(c, f->of, from, to);
        break;
    case FIELD_APART:
        put_apart(c, f->of, field_pointer(from), to);
        break;
    case FIELD_TIME:
    case FIELD_DOUBLE:
    case FIELD_ADDRESS:
    case FIELD_PORT:
    case FIELD_COUNT:
    case FIELD_SOME_PORT:
    case FIELD_SOME:
    case FIELD_BOOL:
    case FIELD_TRUE:
    case FIELD_MAYBE:
    case FIELD_SPAN:
    case FIELD_ANOMALY:
    case FIELD_FLAGS:
        break;
    }
}

static void put_fields(struct copier *c, const struct field *fields, size_t count, const void *from, void *to)
{
    for (const struct field *f = fields; f < fields + count; f++) {
        const char *value = (const char *)from + f->offset;
        if (f->kind >= FIELD_OBJECT && (f->kind < FIELD_TEXT || field_pointer(value)))
            put_field(c, f, value, to ? (char *)to + f->offset : NULL);
    }
}

static void put_object(struct copier *c, const struct shape *of, const void *from, void *to)
{
    put_fields(c, of->fields, of->count, from, to);
}

static void put_entry(struct copier *c, const struct entry *from, struct entry *to)
{
    struct entry_pair *pairs = put(c, from->pairs, from->count * sizeof *pairs);
    put_text(c, &from->stream, to ? &to->stream : NULL);
    for (size_t i = 0; i < from->count; i++) {
        const struct entry_pair *p = &from->pairs[i];
        put_text(c, &p->name, pairs ? &pairs[i].name : NULL);
        if (p->kind == ENTRY_TEXT)
            put_text(c, &p->text, pairs ? &pairs[i].text : NULL);
        else if (p->kind == ENTRY_TEXTS)
            put_texts(c, &p->texts, pairs ? &pairs[i].texts : NULL);
    }
    if (to)
        to->pairs = pairs;
}

static void put_body(struct copier *c, const struct stream *stream, const void *from, void *to)
{
    put_fields(c, stream->fields, stream->count, from, to);
    if (stream == &stream_entry)
        put_entry(c, from, to);
}

/* Most of what a body points to lies together; to copy all of that at once takes less than text by text. */
static void put_piece(struct copier *c, struct slice piece)
{
    c->piece_to = put(c, piece.data, piece.len);
    c->piece = piece;
}

/* A body, behind it the piece of memory that texts of it are in, and its other texts. True: all of it is
 * there; in any case *ret_size is what it takes. */
static bool copy_body(const struct stream *stream, const void *body, struct slice piece, size_t most,
                      void *to, size_t room, size_t *ret_size)
{
    size_t head = padded(stream->size);
    struct copier c = {.most = most};
    if (head <= room) {
        c.to = (uint8_t *)to + head;
        c.room = room - head;
        memcpy(to, body, stream->size);
    }
    put_piece(&c, piece);
    put_body(&c, stream, body, c.to ? to : NULL);
    *ret_size = head + c.used;
    return *ret_size <= room;
}

void *record_body_copy(const struct stream *stream, const void *body, size_t most)
{
    const struct slice none = {NULL, 0};
    size_t size;
    copy_body(stream, body, none, most, NULL, 0, &size);
    void *copy = malloc(size);
    memory_check(copy);
    copy_body(stream, body, none, most, copy, size, &size);
    return copy;
}

void *record_object_copy(const struct shape *of, const void *object)
{
    struct copier count = {.most = SIZE_MAX};
    put_object(&count, of, object, NULL);
    size_t head = padded(of->size);
    char *copy = malloc(head + count.used);
    memory_check(copy);
    struct copier c = {.to = (uint8_t *)copy + head, .room = count.used, .most = SIZE_MAX};
    memcpy(copy, object, of->size);
    put_object(&c, of, object, copy);
    return copy;
}

struct copied {
    _Alignas(16) struct record rec;
    struct arena mem;
};

struct record *record_copy(const struct record *rec, void *to, size_t room, size_t *ret_size)
{
    struct copied *copy = to;
    size_t head = sizeof *copy < room ? sizeof *copy : room;
    struct slice piece = rec->mem ? arena_piece(rec->mem) : (struct slice){NULL, 0};
    bool whole = copy_body(rec->stream, rec->body, piece, SIZE_MAX, (char *)to + head, room - head, ret_size);
    *ret_size += sizeof *copy;
    if (!whole)
        return NULL;
    copy->rec = *rec;
    copy->rec.body = copy + 1;
    copy->rec.mem = rec->mem ? &copy->mem : NULL;
    arena_init(&copy->mem, rec->mem ? rec->mem->budget - rec->mem->used : 0);
    return &copy->rec;
}

void record_drop(struct record *rec)
{
    arena_free(&((struct copied *)rec)->mem);
}
