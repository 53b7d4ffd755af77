/* locus.c: paths into records as columns.
 * In: places.def, the tables of fields. Out: names of columns. Owns: nothing. */
#include "clickhouse/locus.h"

#include <assert.h>
#include "record/record.h"

static char joint(char c)
{
    return c == '.' ? '_' : c;
}

/* A path begins with a column's name, in which _ stands for a dot. */
static bool begins(const struct slice column, const char *field)
{
    if (column.len != strlen(field))
        return false;
    for (size_t i = 0; i < column.len; i++)
        if ((char)column.data[i] != joint(field[i]))
            return false;
    return true;
}

static const struct field *find(const struct field *fields, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (begins(name, fields[i].name))
            return &fields[i];
    return NULL;
}

/* Each piece of the path that is a name goes on in the column's name. */
static void name_of(const char *path, char ret[static LOCUS_NAME])
{
    size_t len = 0;
    for (; *path; path++) {
        if (strchr("[]{}#", *path))
            continue;
        assert(len + 1 < LOCUS_NAME);
        ret[len++] = joint(*path);
    }
    ret[len] = '\0';
}

static enum field_kind kind_of_one(enum field_kind kind)
{
    return kind == FIELD_TEXTS || kind == FIELD_FLAGS ? FIELD_TEXT
           : kind == FIELD_ADDRESSES                  ? FIELD_ADDRESS
                                                      : kind;
}

void locus_of(const struct place *p, struct locus *ret)
{
    const struct stream *s = stream_table[p->stream];
    struct slice column = place_column(p);
    const struct field *f = find(s->fields, s->count, column);
    *ret = (struct locus){.kind = FIELD_TEXT};
    name_of(p->path, ret->name);
    if (!f) {
        assert(p->stream == STREAM_ENTRY); /* of whose lines nobody knows the fields */
        return;
    }
    for (const char *at = p->path + column.len; *at;) {
        if (*at == '#') {
            ret->counted = true;
            at++;
        } else if (*at == '[' || *at == '{') {
            ret->many = true;
            at += 2;
        } else {
            size_t len = strcspn(at + 1, ".[{#");
            f = find(f->of->fields, f->of->count, (struct slice){(const uint8_t *)at + 1, len});
            assert(f);
            at += 1 + len;
        }
    }
    ret->kind = kind_of_one(f->kind);
}
