/* lines.c: pieces of a message to whole lines.
 * In: text without stuffed dots, gaps. Out: lines without their end (LF or CRLF). Owns: the line that is not
 * whole yet. Limits: `most` bytes a line. Knowingly: most lines lie in one piece and are not copied. A line
 * that a gap broke is left out, its piece before the gap too; where the empty line behind the header was
 * lost, what follows is called header up to the next empty one. */
#include "script/lines.h"

void lines_init(struct lines *l, size_t most)
{
    *l = (struct lines){.most = most};
    /* One more, for a CR that may belong to the end. */
    buf_init(&l->line, most + 1);
}

void lines_free(struct lines *l)
{
    buf_free(&l->line);
}

void lines_begin(struct lines *l, bool unseen)
{
    buf_clear(&l->line);
    l->body = l->skip = unseen;
}

static struct slice without_end(const struct lines *l, struct slice line)
{
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    return slice_sub(line, 0, l->most);
}

struct lines_reader lines_feed(struct lines *l, struct slice piece)
{
    struct lines_reader r = {.of = l, .body = l->body};
    size_t end = l->skip || l->line.len ? slice_index(piece, '\n') : piece.len;
    bool whole = end < piece.len;
    if (l->skip) {
        l->skip = !whole;
        r.rest = slice_sub(piece, end + 1, piece.len);
    } else if (l->line.len) {
        buf_add(&l->line, slice_sub(piece, 0, end));
        r.has_first = whole;
        if (whole)
            r.first = without_end(l, buf_slice(&l->line));
        r.rest = slice_sub(piece, end + 1, piece.len);
    } else {
        r.rest = piece;
    }
    return r;
}

bool lines_next(struct lines_reader *r, struct slice *ret, bool *ret_body)
{
    if (r->has_first) {
        *ret = r->first;
        r->has_first = false;
    } else {
        size_t end = slice_index(r->rest, '\n');
        if (end == r->rest.len)
            return false;
        *ret = without_end(r->of, slice_sub(r->rest, 0, end));
        r->rest = slice_sub(r->rest, end + 1, r->rest.len);
    }
    *ret_body = r->body;
    r->body |= !ret->len;
    return true;
}

void lines_took(struct lines *l, const struct lines_reader *end)
{
    /* A first line that was whole is heard by now; one that is not stays. */
    if (end->first.data || end->rest.len)
        buf_clear(&l->line);
    l->body = end->body;
    buf_add(&l->line, end->rest);
}

void lines_gap(struct lines *l)
{
    buf_clear(&l->line);
    l->skip = true;
}

struct lines_reader lines_end(struct lines *l)
{
    struct lines_reader r = {.of = l, .body = l->body, .has_first = l->line.len > 0};
    r.first = slice_sub(buf_slice(&l->line), 0, l->most);
    return r;
}
