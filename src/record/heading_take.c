/* heading_take.c: names, ids and URIs of header fields into the record.
 * In: MIME_HEADER events. Out: fields of struct transaction. Owns: nothing; texts go to the draft's arena.
 * Limits: header_items, list_items, the arena's budget. Spec: RFC 5322 3.6.4, RFC 2369, RFC 2919. */
#include "record/heading_take.h"

#include "mail/hidden.h"

/* Names are short and many, so they share pieces of memory. */
static struct slice keep_name(struct draft *d, struct slice name, struct buf *scratch)
{
    enum { PIECE = 256, PLACES = 16 };
    struct text_list *list = &d->t.header_names;
    if (!list->items && (list->items = arena_alloc(&d->mem, PLACES * sizeof *list->items)))
        list->room = PLACES;
    bool shares = name.len && name.len <= PIECE / 4 && ascii_only(name);
    if (!shares) {
        d->names_room = 0;
        return draft_text(d, name, scratch);
    }
    const struct slice *last = list->len ? &list->items[list->len - 1] : NULL;
    uint8_t *to;
    if (last && d->names_room >= name.len) {
        to = (uint8_t *)last->data + last->len;
    } else {
        to = arena_alloc(&d->mem, PIECE);
        d->names_room = to ? PIECE : 0;
        if (!to)
            return draft_utf8(d, name);
    }
    memcpy(to, name.data, name.len);
    d->names_room = (uint16_t)(d->names_room - name.len);
    return (struct slice){to, name.len};
}

void heading_take_name(struct draft *d, const struct builder_settings *set, struct charsets *cs,
                       const struct mime_event *ev, struct buf *scratch)
{
    struct text_list *names = &d->t.header_names;
    struct header_field_list *fields = &d->t.headers;
    if (names->len == set->header_items) {
        d->t.flags.truncated = true;
        return;
    }
    struct slice name = keep_name(d, ev->name, scratch);
    if (!draft_list_room(d, set->header_items, (void **)&names->items, names->len, &names->room, sizeof name))
        return;
    names->items[names->len++] = name;
    if (!set->all_headers || !draft_list_room(d, set->header_items, (void **)&fields->items, fields->len,
                                              &fields->room, sizeof *fields->items))
        return;
    struct slice value =
        ev->decoded.len ? draft_utf8(d, ev->decoded) : draft_readable(d, cs, ev->value, scratch);
    fields->items[fields->len++] = (struct header_field){name, value};
}

struct slice heading_bracketed(struct draft *d, struct charsets *cs, const struct mime_event *ev,
                               struct buf *scratch)
{
    struct slice value = ev->value;
    const uint8_t *lt = value.data ? memrchr(value.data, '<', value.len) : NULL;
    if (!lt)
        return draft_readable(d, cs, value, scratch);
    struct slice inside = slice_sub(value, (size_t)(lt + 1 - value.data), value.len);
    inside = slice_trim(slice_sub(inside, 0, slice_index(inside, '>')));
    return inside.len ? draft_text(d, inside, scratch) : draft_utf8(d, slice_str("<>"));
}

static bool is_between(uint8_t c)
{
    return byte_is_blank(c) || c == ',';
}

/* Takes the next of *rest: what stands in angle brackets, with them, or a word. */
static bool next_id(struct slice *rest, struct slice *ret)
{
    struct slice s = *rest;
    size_t from = 0;
    while (from < s.len && is_between(s.data[from]))
        from++;
    if (from == s.len)
        return false;
    size_t to = s.data[from] == '<' ? hidden_angle(s, from) : from;
    if (to > from)
        to++;
    else
        for (to = from + 1; to < s.len && !is_between(s.data[to]) && s.data[to] != '<';)
            to++;
    *ret = slice_sub(s, from, to);
    *rest = slice_sub(s, to, s.len);
    return true;
}

void heading_take_ids(struct draft *d, const struct builder_settings *set, const struct mime_event *ev,
                      struct text_list *list, struct buf *scratch)
{
    struct slice rest = ev->value, id;
    while (next_id(&rest, &id))
        if (!draft_add_text(d, set, list, draft_text(d, id, scratch)))
            break;
}

/* Blanks in it came from folding. */
static struct slice uri_text(struct draft *d, struct slice uri, struct buf *scratch)
{
    bool blank = false;
    for (size_t i = 0; i < uri.len; i++)
        blank |= byte_is_blank(uri.data[i]);
    if (!blank && utf8_valid(uri))
        return draft_utf8(d, uri);
    struct buf plain;
    buf_init(&plain, uri.len);
    for (size_t i = 0; i < uri.len; i++)
        if (!byte_is_blank(uri.data[i]))
            buf_add_byte(&plain, uri.data[i]);
    struct slice text = draft_text(d, buf_slice(&plain), scratch);
    buf_free(&plain);
    return text;
}

void heading_take_uris(struct draft *d, const struct builder_settings *set, const struct mime_event *ev,
                       struct text_list *list, struct buf *scratch)
{
    struct slice s = ev->value;
    size_t i = 0, begun = list->len;
    while (i < s.len) {
        size_t end = s.data[i] == '<' ? hidden_angle(s, i) : i, past = hidden_past(s, i);
        if (end > i && !draft_add_text(d, set, list, uri_text(d, slice_sub(s, i + 1, end), scratch)))
            return;
        i = end > i ? end + 1 : past > i ? past : i + 1;
    }
    if (list->len == begun && s.len)
        draft_add_text(d, set, list, draft_text(d, s, scratch));
}
