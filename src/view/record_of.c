/* record_of.c: rows back to records, by the tables of fields.
 * In: values of rows; JSON as the json sink prints it, from a file that anybody may have made. Out: bodies of
 * records. Owns: the memory of the latest. Limits: RECORD_BYTES a record, DEPTH objects in each other.
 * Knowingly: what a record has beside its fields is lost, but for whether text of the message was seen. */
#include "view/record_of.h"

#include <stdlib.h>
#include "base/memory.h"
#include "record/notice.h"
#include "view/text_in.h"

enum { RECORD_BYTES = 256 << 20, DEPTH = 8, MICROSECONDS = 1000000, NUMBER_TEXT = 40 };

struct record_of {
    struct arena mem;
};

struct record_of *record_of_new(void)
{
    struct record_of *r = calloc(1, sizeof *r);
    memory_check(r);
    arena_init(&r->mem, RECORD_BYTES);
    return r;
}

void record_of_free(struct record_of **r)
{
    if (*r)
        arena_free(&(*r)->mem);
    free(*r);
    *r = NULL;
}

static double number_of(struct slice text)
{
    char copy[NUMBER_TEXT];
    size_t len = text.len < sizeof copy ? text.len : sizeof copy - 1;
    memcpy(copy, text.data ? text.data : (const uint8_t *)"", len);
    copy[len] = 0;
    return strtod(copy, NULL);
}

static void read_value(struct text_in *in, const struct field *f, void *to);

static void read_object(struct text_in *in, const struct shape *of, char *object)
{
    text_in_want(in, '{');
    in->bad = in->bad || ++in->depth > DEPTH;
    while (!in->bad && !text_in_take(in, '}')) {
        struct slice name = text_in_string(in);
        size_t i = 0;
        text_in_want(in, ':');
        while (i < of->count && !slice_eq(slice_str(of->fields[i].name), name))
            i++;
        if (i < of->count)
            read_value(in, &of->fields[i], object + of->fields[i].offset);
        else
            text_in_skip(in);
        if (text_in_next(in) != '}')
            text_in_want(in, ',');
    }
    in->depth--;
}

/* The next item's place in a list; NULL: an end, or no room. All lists have the form of struct object_list.
 */
static void *next_item(struct text_in *in, struct object_list *list, size_t size)
{
    if (in->bad || text_in_take(in, ']'))
        return NULL;
    if (list->len)
        text_in_want(in, ',');
    if (list->len == list->room) {
        size_t room = list->room ? 2 * list->room : 4;
        list->items = arena_grow(in->mem, (void *)list->items, list->room * size, room * size);
        in->bad = in->bad || !list->items;
        list->room = list->items ? room : 0;
    }
    return in->bad ? NULL : (char *)list->items + list->len++ * size;
}

/* None is an empty text in a list. */
static void read_address(struct text_in *in, struct address *to)
{
    struct slice text = text_in_string(in);
    in->bad = (text.len && !address_parse(text, to)) || in->bad;
}

static void read_list(struct text_in *in, const struct field *f, struct object_list *list)
{
    void *item;
    text_in_want(in, '[');
    if (f->kind == FIELD_TEXTS)
        while ((item = next_item(in, list, sizeof(struct slice))))
            *(struct slice *)item = text_in_string(in);
    else if (f->kind == FIELD_ADDRESSES)
        while ((item = next_item(in, list, sizeof(struct address))))
            read_address(in, item);
    else
        while ((item = next_item(in, list, f->of->size)))
            read_object(in, f->of, item);
}

static void read_flags(struct text_in *in, struct flags *flags)
{
    text_in_want(in, '{');
    while (!in->bad && !text_in_take(in, '}')) {
        struct slice name = text_in_string(in);
        text_in_want(in, ':');
        bool on = slice_eq(text_in_plain(in), slice_str("true"));
        for (size_t i = 0; i < FLAG_COUNT; i++)
            if (slice_eq(slice_str(flag_table[i].name), name))
                *(bool *)((char *)flags + flag_table[i].offset) = on;
        if (text_in_next(in) != '}')
            text_in_want(in, ',');
    }
}

static void read_anomaly(struct text_in *in, enum anomaly *to)
{
    struct slice name = text_in_string(in);
    enum anomaly i = 0;
    while (i < ANOMALY_COUNT && !slice_eq(slice_str(anomaly_name(i)), name))
        i++;
    in->bad = in->bad || i == ANOMALY_COUNT;
    *to = i < ANOMALY_COUNT ? i : 0;
}

static void set_count(enum field_kind kind, uint64_t v, void *to)
{
    if (kind == FIELD_PORT || kind == FIELD_SOME_PORT)
        *(uint16_t *)to = v <= UINT16_MAX ? (uint16_t)v : 0;
    else
        *(uint64_t *)to = v;
}

static void set_real(enum field_kind kind, double v, void *to)
{
    if (kind == FIELD_SPAN)
        *(struct interval *)to = (struct interval){v, true};
    else
        *(double *)to = v;
}

static void read_count(struct text_in *in, enum field_kind kind, void *to)
{
    struct slice text = text_in_plain(in);
    uint64_t v = 0;
    in->bad = in->bad || slice_number(text, &v) != text.len;
    set_count(kind, v, to);
}

static void set_truth(enum field_kind kind, bool on, void *to)
{
    if (kind == FIELD_MAYBE)
        *(enum maybe *)to = on ? MAYBE_YES : MAYBE_NO;
    else
        *(bool *)to = on;
}

static void read_apart(struct text_in *in, const struct shape *of, void *to)
{
    void *object = arena_alloc(in->mem, of->size);
    in->bad = in->bad || !object;
    if (in->bad)
        return;
    memcpy(to, &object, sizeof object);
    read_object(in, of, object);
}

static void read_value(struct text_in *in, const struct field *f, void *to)
{
    switch (f->kind) {
    case FIELD_TEXT:
        *(struct slice *)to = text_in_string(in);
        break;
    case FIELD_ADDRESS:
        read_address(in, to);
        break;
    case FIELD_ANOMALY:
        read_anomaly(in, to);
        break;
    case FIELD_TEXTS:
    case FIELD_ADDRESSES:
    case FIELD_LIST:
        read_list(in, f, to);
        break;
    case FIELD_FLAGS:
        read_flags(in, to);
        break;
    case FIELD_OBJECT:
        read_object(in, f->of, to);
        break;
    case FIELD_APART:
        read_apart(in, f->of, to);
        break;
    case FIELD_BOOL:
    case FIELD_TRUE:
    case FIELD_MAYBE:
        set_truth(f->kind, slice_eq(text_in_plain(in), slice_str("true")), to);
        break;
    case FIELD_TIME:
        text_in_skip(in);
        break;
    case FIELD_DOUBLE:
    case FIELD_SPAN:
        set_real(f->kind, number_of(text_in_plain(in)), to);
        break;
    case FIELD_PORT:
    case FIELD_SOME_PORT:
    case FIELD_COUNT:
    case FIELD_SOME:
        read_count(in, f->kind, to);
        break;
    }
}

static bool set_text(struct arena *mem, const struct field *f, struct slice text, void *to)
{
    struct text_in in = {.rest = text, .mem = mem};
    if (f->kind == FIELD_TEXT) {
        struct slice copy = arena_copy(mem, text);
        /* An empty text is one. */
        *(struct slice *)to = copy.data ? copy : slice_str("");
        return copy.len == text.len;
    }
    if (f->kind == FIELD_ADDRESS)
        return address_parse(text, to);
    read_value(&in, f, to);
    return !in.bad;
}

static struct timespec time_of(int64_t micros)
{
    int64_t whole = micros / MICROSECONDS, part = micros % MICROSECONDS;
    bool before = part < 0;
    return (struct timespec){(time_t)(whole - before), (long)((part + before * MICROSECONDS) * 1000)};
}

static bool set_integer(const struct field *f, int64_t v, void *to)
{
    if (f->kind == FIELD_TIME)
        *(struct timespec *)to = time_of(v);
    else if (f->kind == FIELD_BOOL || f->kind == FIELD_TRUE || f->kind == FIELD_MAYBE)
        set_truth(f->kind, v != 0, to);
    else if (f->kind == FIELD_DOUBLE || f->kind == FIELD_SPAN)
        set_real(f->kind, (double)v, to);
    else if (f->kind >= FIELD_ADDRESS || v < 0)
        return false;
    else
        set_count(f->kind, (uint64_t)v, to);
    return true;
}

static bool set_field(struct arena *mem, const struct field *f, struct reader_value v, void *to)
{
    switch (v.kind) {
    case READER_ABSENT:
        return true;
    case READER_INTEGER:
        return set_integer(f, v.integer, to);
    case READER_REAL:
        if (f->kind != FIELD_DOUBLE && f->kind != FIELD_SPAN)
            return false;
        set_real(f->kind, v.real, to);
        return true;
    case READER_TEXT:
        return f->kind >= FIELD_ADDRESS && set_text(mem, f, v.text, to);
    }
    return false;
}

bool record_of_row(struct record_of *r, enum stream_index stream, const struct reader_row *row,
                   struct record *ret)
{
    if (stream == STREAM_ENTRY)
        return false;
    const struct stream *s = stream_table[stream];
    int64_t micros = reader_row_micros(row);
    arena_reset(&r->mem);
    char *body = arena_alloc(&r->mem, s->size);
    memory_check(body);
    for (size_t i = 0; i < s->count; i++)
        if (!set_field(&r->mem, &s->fields[i], reader_row_value(row, i), body + s->fields[i].offset))
            return false;
    if (stream == STREAM_SMTP)
        ((struct transaction *)(void *)body)->message =
            ((struct transaction *)(void *)body)->message_bytes > 0;
    *ret = (struct record){s, body, time_of(micros), &r->mem};
    return true;
}
