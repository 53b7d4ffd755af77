/* tnef.c: attachments of TNEF.
 * In: a file, in any pieces. Out: struct tnef_file. Owns: a name in its forms. Limits: TNEF_NAME. Knowingly:
 * a name in a code page is read as utf8_read does; a file inside of an attached message is not looked for.
 * Spec: MS-OXTNEF 2.1.3, MS-OXPROPS. */
#include "mail/tnef.h"

#include "mail/charset.h"

enum state {
    FILE_BEGIN, /* signature and key */
    ATTRIBUTE,  /* level, tag, length */
    TITLE,
    COUNT,    /* how many properties there are */
    PROPERTY, /* its type and number */
    NAMED,    /* a name's kind, behind a GUID */
    NAME_LENGTH,
    NUMBER, /* that it is named by, or the text */
    VALUES, /* how many values it has */
    VALUE_LENGTH,
    VALUE,
    REST,  /* of the attribute's value, to be passed over */
    CHECK, /* the attribute's checksum */
    OVER,  /* no TNEF, or none any more */
};
enum { SIGNATURE = 0x223e9f78, ATTACHMENT = 2 };
enum { ATT_RENDER = 0x9002, ATT_TITLE = 0x8010, ATT_DATA = 0x800f, ATT_PROPERTIES = 0x9005 };
enum { ID_DATA = 0x3701, ID_NAME = 0x3704, ID_LONG_NAME = 0x3707 };
enum { TYPE_OBJECT = 0x0d, TYPE_STRING = 0x1e, TYPE_UNICODE = 0x1f, TYPE_BINARY = 0x102, MULTIPLE = 0x1000 };

static void ask(struct tnef *t, enum state state, uint32_t need)
{
    t->state = state;
    pull_bytes(&t->pull, need);
}

/* The same amid an attribute's value, of which it is a part. */
static void ask_inside(struct tnef *t, enum state state, uint32_t need)
{
    if (need > t->left) {
        t->state = REST;
        pull_text(&t->pull, NULL, t->left);
        return;
    }
    t->left -= need;
    ask(t, state, need);
}

static void take_inside(struct tnef *t, enum state state, struct buf *into, uint64_t len)
{
    if (len > t->left)
        len = t->left;
    t->left -= len;
    t->state = state;
    pull_text(&t->pull, into, len);
}

void tnef_init(struct tnef *t, tnef_fn *fn, void *ctx)
{
    *t = (struct tnef){.fn = fn, .ctx = ctx};
    buf_init(&t->text, TNEF_NAME);
    buf_init(&t->title, TNEF_NAME);
    buf_init(&t->name, TNEF_NAME);
    buf_init(&t->long_name, TNEF_NAME);
    ask(t, FILE_BEGIN, 6);
}

void tnef_begin(struct tnef *t)
{
    t->open = false;
    tnef_end(t);
    ask(t, FILE_BEGIN, 6);
}

void tnef_free(struct tnef *t)
{
    buf_free(&t->text);
    buf_free(&t->title);
    buf_free(&t->name);
    buf_free(&t->long_name);
}

void tnef_end(struct tnef *t)
{
    if (t->open) {
        const struct buf *name = t->long_name.len ? &t->long_name : t->title.len ? &t->title : &t->name;
        t->fn(t->ctx, &(struct tnef_file){buf_slice(name), t->size});
    }
    t->open = false;
    t->size = 0;
    buf_clear(&t->title);
    buf_clear(&t->name);
    buf_clear(&t->long_name);
}

static void add_character(uint32_t c, struct buf *out)
{
    if (c < 0x80) {
        buf_add_byte(out, (uint8_t)c);
        return;
    }
    unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    buf_add_byte(out, (uint8_t)((0xf80 >> more & 0xff) | c >> 6 * more));
    while (more--)
        buf_add_byte(out, (uint8_t)(0x80 | (c >> 6 * more & 0x3f)));
}

static void read_utf16(struct slice s, struct buf *out)
{
    for (size_t i = 0; i + 1 < s.len; i += 2) {
        uint32_t c = (uint32_t)s.data[i] | (uint32_t)s.data[i + 1] << 8;
        if (c >= 0xd800 && c < 0xe000) {
            uint32_t low = i + 3 < s.len ? (uint32_t)s.data[i + 2] | (uint32_t)s.data[i + 3] << 8 : 0;
            bool pair = c < 0xdc00 && low >= 0xdc00 && low < 0xe000;
            c = pair ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
            i += pair ? 2 : 0;
        }
        if (!c)
            return;
        add_character(c, out);
    }
}

/* A text that was taken, up to its NUL. */
static void keep(struct tnef *t, bool unicode, struct buf *to)
{
    struct slice s = buf_slice(&t->text);
    buf_clear(to);
    if (unicode)
        read_utf16(s, to);
    else
        utf8_read(slice_sub(s, 0, slice_index(s, 0)), to);
}

static void attribute(struct tnef *t)
{
    bool attached = t->pull.bytes[0] == ATTACHMENT;
    if (t->pull.bytes[0] != 1 && !attached) {
        t->state = OVER;
        return;
    }
    t->attribute = pull_u16(&t->pull, 1);
    t->length = pull_u32(&t->pull, 5);
    t->left = t->length;
    if (attached && t->attribute == ATT_RENDER) {
        tnef_end(t);
        t->open = true;
    }
    t->open |= attached;
    if (attached && t->attribute == ATT_DATA)
        t->size = t->length;
    if (attached && t->attribute == ATT_TITLE)
        take_inside(t, TITLE, &t->text, t->left);
    else if (attached && t->attribute == ATT_PROPERTIES)
        ask_inside(t, COUNT, 4);
    else
        take_inside(t, REST, NULL, t->left);
}

static void next_property(struct tnef *t)
{
    if (!t->properties) {
        take_inside(t, REST, NULL, t->left);
        return;
    }
    t->properties--;
    ask_inside(t, PROPERTY, 4);
}

/* Bytes of one value of a type, padding included; 0: it says so itself. */
static uint32_t size_of(uint32_t type)
{
    switch (type & ~(uint32_t)MULTIPLE) {
    case TYPE_OBJECT:
    case TYPE_STRING:
    case TYPE_UNICODE:
    case TYPE_BINARY:
        return 0;
    case 0x05: /* double */
    case 0x06: /* currency */
    case 0x07: /* time as a number */
    case 0x14: /* eight bytes */
    case 0x40: /* time */
        return 8;
    case 0x48: /* GUID */
        return 16;
    default:
        return 4;
    }
}

static void value_begins(struct tnef *t)
{
    uint32_t size = size_of(t->type);
    if (!size || t->type & MULTIPLE) {
        ask_inside(t, VALUES, 4);
        return;
    }
    t->values = 0;
    take_inside(t, VALUE, NULL, size);
}

static void next_value(struct tnef *t)
{
    if (!t->values) {
        next_property(t);
        return;
    }
    t->values--;
    ask_inside(t, VALUE_LENGTH, 4);
}

static void values(struct tnef *t)
{
    uint32_t size = size_of(t->type);
    t->values = pull_u32(&t->pull, 0);
    if (!size) {
        next_value(t);
        return;
    }
    uint64_t all = (uint64_t)size * t->values;
    t->values = 0;
    take_inside(t, VALUE, NULL, all);
}

static struct buf *place_of(struct tnef *t)
{
    if ((t->type != TYPE_STRING && t->type != TYPE_UNICODE) || (t->id != ID_NAME && t->id != ID_LONG_NAME))
        return NULL;
    return t->id == ID_NAME ? &t->name : &t->long_name;
}

/* One value of its own length, up to four bytes. */
static void value_length(struct tnef *t)
{
    uint64_t len = pull_u32(&t->pull, 0);
    if (t->id == ID_DATA && !t->size)
        t->size = len;
    take_inside(t, VALUE, place_of(t) ? &t->text : NULL, (len + 3) & ~(uint64_t)3);
}

static void property(struct tnef *t)
{
    t->type = pull_u16(&t->pull, 0);
    t->id = pull_u16(&t->pull, 2);
    if (t->id & 0x8000)
        ask_inside(t, NAMED, 20);
    else
        value_begins(t);
}

/* Its name is a number, or a text of a length. */
static void named(struct tnef *t)
{
    bool by_text = pull_u32(&t->pull, 16);
    ask_inside(t, by_text ? NAME_LENGTH : NUMBER, 4);
}

static void step(struct tnef *t)
{
    switch ((enum state)t->state) {
    case FILE_BEGIN:
        if (pull_u32(&t->pull, 0) == SIGNATURE)
            ask(t, ATTRIBUTE, 9);
        else
            t->state = OVER;
        break;
    case ATTRIBUTE:
        attribute(t);
        break;
    case TITLE:
        keep(t, false, &t->title);
        take_inside(t, REST, NULL, t->left);
        break;
    case COUNT:
        t->properties = pull_u32(&t->pull, 0);
        next_property(t);
        break;
    case PROPERTY:
        property(t);
        break;
    case NAMED:
        named(t);
        break;
    case NAME_LENGTH:
        take_inside(t, NUMBER, NULL, ((uint64_t)pull_u32(&t->pull, 0) + 3) & ~(uint64_t)3);
        break;
    case NUMBER:
        value_begins(t);
        break;
    case VALUES:
        values(t);
        break;
    case VALUE_LENGTH:
        value_length(t);
        break;
    case VALUE:
        if (place_of(t))
            keep(t, t->type == TYPE_UNICODE, place_of(t));
        next_value(t);
        break;
    case REST:
        ask(t, CHECK, 2);
        break;
    case CHECK:
        ask(t, ATTRIBUTE, 9);
        break;
    case OVER:
        break;
    }
}

void tnef_feed(struct tnef *t, struct slice bytes)
{
    while (t->state != OVER && pull_feed(&t->pull, &bytes))
        step(t);
}
