/* mime.c: a mail by push, bytes to lines.
 * In: message text. Out: lines to tree.c, sizes to transfer.c. Owns: one line at most.
 * Limits: struct mime_limits; LINE_JUDGED bytes of a line that may be a boundary.
 * A body is read in blocks of whole lines; its text is never copied.
 * Knowingly: what follows a gap up to the line's end is no field and no text, but may be seen to be a
 * boundary. Spec: RFC 5322 2.1, 2.3; RFC 2046 5.1. */
#include "mail/mime.h"

#include <stdlib.h>
#include "base/memory.h"
#include "mail/body.h"
#include "mail/odd.h"

struct mime *mime_new(const struct mime_limits *lim, struct charsets *cs, mime_fn *fn, void *ctx)
{
    struct mime *m = calloc(1, sizeof *m);
    memory_check(m);
    *m = (struct mime){.lim = lim, .cs = cs, .fn = fn, .ctx = ctx};
    /* Longer than a field may be, so that a line cut here is one that is cut there. */
    buf_init(&m->line, (lim->header_bytes > LINE_JUDGED ? lim->header_bytes : LINE_JUDGED) + LINE_ENDS);
    tree_init(m);
    return m;
}

void mime_reset(struct mime *m)
{
    tree_reset(m);
    buf_clear(&m->line);
    m->feed = FEED_FRESH;
    m->held_crs = 0;
    m->lost = false;
    m->pos = m->line_start = 0;
    m->last_end = 0;
}

void mime_tell(struct mime *m, mime_fn *fn, void *ctx)
{
    m->fn = fn;
    m->ctx = ctx;
}

size_t mime_memory(const struct mime *m)
{
    return sizeof *m + m->line.room + tree_memory(m);
}

void mime_free(struct mime **pm)
{
    struct mime *m = *pm;
    *pm = NULL;
    if (!m)
        return;
    tree_free(m);
    buf_free(&m->line);
    free(m);
}

uint64_t mime_overruns(const struct mime *m)
{
    return m->overruns;
}

static void body_text(struct mime *m, struct slice text, size_t end)
{
    if (m->state == BODY && m->part.transfer != TRANSFER_IDENTITY && !m->lost) {
        transfer_count(&m->part.size, m->part.transfer, text, end);
        body_text_of(m, text, end);
    } else if (m->state == BODY)
        m->part.size.fed += text.len + end;
}

/* A whole line, its end not in it but `end` bytes long; all there is of it after a gap. */
static void whole_line(struct mime *m, struct slice line, size_t end)
{
    bool text = m->state != HEADERS, preamble = tree_in_preamble(m) && !m->lost;
    if (text || m->lost)
        text &= !tree_boundary_line(m, line);
    else
        text = tree_header_line(m, line);
    if (text && preamble && line.len <= LINE_JUDGED)
        odd_preamble(m, line);
    if (text)
        body_text(m, line, end);
}

static void line_over(struct mime *m, size_t end)
{
    m->last_end = end;
    m->line_start = m->pos;
    m->lost = false;
    m->feed = FEED_FRESH;
}

/* The beginning of a line: must it be whole before it can be judged? */
static bool wants_whole(const struct mime *m, struct slice begin)
{
    bool dashes = tree_has_boundaries(m) && begin.data[0] == '-' && (begin.len < 2 || begin.data[1] == '-');
    return dashes || tree_in_preamble(m) || (m->state == HEADERS && !m->lost);
}

/* Text in the middle of a line. CRs at its end wait: they may belong to the line's end. */
static void stream_text(struct mime *m, struct slice text)
{
    static const uint8_t crs[] = {'\r', '\r'};
    size_t held = 0;
    while (held < 2 && held < text.len && text.data[text.len - 1 - held] == '\r')
        held++;
    size_t stay = held == text.len ? 2 - held : 0;
    if (m->held_crs > stay) {
        body_text(m, (struct slice){crs, m->held_crs - stay}, 0);
        m->held_crs = (unsigned)stay;
    }
    body_text(m, slice_sub(text, 0, text.len - held), 0);
    m->held_crs = (unsigned)(held == text.len ? m->held_crs + held : held);
}

static void gather(struct mime *m, struct slice piece)
{
    m->feed = FEED_GATHER;
    buf_add(&m->line, piece);
    if (m->state == HEADERS && !m->lost)
        return;
    /* A piece that ended behind the first dash must not make a difference. */
    bool dashes = m->line.len < 2 || m->line.data[1] == '-' || tree_in_preamble(m);
    if (dashes && m->line.len <= LINE_JUDGED + LINE_ENDS - 1)
        return;
    m->feed = FEED_STREAM;
    m->held_crs = 0;
    stream_text(m, buf_slice(&m->line));
    buf_clear(&m->line);
}

/* The rest of the input, without a line's end. */
static void partial_line(struct mime *m, struct slice piece)
{
    m->pos += piece.len;
    if (m->feed == FEED_FRESH) {
        m->held_crs = 0;
        m->feed = wants_whole(m, piece) ? FEED_GATHER : FEED_STREAM;
    }
    if (m->feed == FEED_GATHER)
        gather(m, piece);
    else
        stream_text(m, piece);
}

static void gathered_line(struct mime *m, size_t with_lf)
{
    struct slice line = buf_slice(&m->line);
    size_t end = with_lf ? transfer_line_end(line) : 0;
    whole_line(m, slice_sub(line, 0, end ? line.len - (end - 1) : line.len), end);
    buf_clear(&m->line);
    line_over(m, end);
}

static void ended_line(struct mime *m, struct slice piece)
{
    m->pos += piece.len + 1;
    if (m->feed == FEED_GATHER)
        gather(m, piece);
    else if (m->feed == FEED_STREAM)
        stream_text(m, piece);
    if (m->feed == FEED_GATHER) {
        gathered_line(m, 1);
    } else if (m->feed == FEED_STREAM) {
        size_t end = m->held_crs + 1;
        body_text(m, slice_sub(piece, 0, 0), end);
        line_over(m, end);
    } else {
        size_t end = transfer_line_end(piece);
        whole_line(m, slice_sub(piece, 0, piece.len - (end - 1)), end);
        line_over(m, end);
    }
}

/* Bytes of `text` before the first line that begins, or may yet turn out to begin, with "--". `fresh`: `text`
 * begins with a line. */
static size_t before_dashes(struct slice text, bool fresh)
{
    size_t i = 0;
    while (i < text.len) {
        size_t dash = i + slice_index(slice_sub(text, i, text.len), '-');
        if (dash == text.len)
            break;
        bool starts = dash ? text.data[dash - 1] == '\n' : fresh;
        if (starts && (dash + 1 == text.len || text.data[dash + 1] == '-'))
            return dash;
        /* Nothing else in this line can be one. */
        i = dash + slice_index(slice_sub(text, dash, text.len), '\n');
    }
    return text.len;
}

/* What follows the last line's end. */
static struct slice last_line(struct slice text)
{
    const uint8_t *lf = text.data ? memrchr(text.data, '\n', text.len) : NULL;
    return lf ? slice_sub(text, (size_t)(lf + 1 - text.data), text.len) : text;
}

/* Of `text`, the CRs at its end, as far as they may belong to a line's end; `before` were held already. */
static unsigned trailing_crs(struct slice text, unsigned before)
{
    unsigned crs = 0;
    while (crs < 2 && crs < text.len && text.data[text.len - 1 - crs] == '\r')
        crs++;
    crs += crs == text.len ? before : 0;
    return crs < 2 ? crs : 2;
}

/* Of what was fed now: digits, and what may stand between them, are counted and told. Where they are all
 * there is no boundary is among them; to look once will do. */
static size_t body_digits(struct mime *m, struct slice bytes, bool *ret_told)
{
    size_t told = m->part.body.want == WANT_ALL ? body_digits_of(m, bytes) : 0;
    *ret_told = told;
    return told || !transfer_count_digits(&m->part.size, bytes) ? told : bytes.len;
}

/* Where the text that was taken leaves its last line. `held`: CRs at the end of what was before it. */
static void text_over(struct mime *m, struct slice text, unsigned held)
{
    struct slice rest = last_line(text);
    m->pos += text.len;
    m->feed = rest.len ? FEED_STREAM : FEED_FRESH;
    if (rest.len < text.len) {
        m->last_end = 1 + trailing_crs(slice_sub(text, 0, text.len - rest.len - 1), held);
        m->line_start = m->pos - rest.len;
        held = 0;
    }
    m->held_crs = trailing_crs(rest, held);
}

/* Takes from the start of `bytes` what is body text beyond doubt, in any number of lines and parts of lines;
 * for all but quoted-printable it does not matter where they end. `first`: of what was fed now. */
static size_t body_bytes(struct mime *m, struct slice bytes, bool first)
{
    if (m->state == HEADERS || m->feed == FEED_GATHER || m->lost || tree_in_preamble(m))
        return 0;
    bool counts = m->state == BODY && m->part.transfer != TRANSFER_IDENTITY, told = false;
    if (counts && m->part.transfer != TRANSFER_BASE64)
        return 0;
    size_t len = first && counts ? body_digits(m, bytes, &told) : 0;
    bool counted = len;
    if (counted)
        bytes.len = len;
    else if (tree_has_boundaries(m))
        bytes.len = before_dashes(bytes, m->feed == FEED_FRESH);
    if (!bytes.len)
        return 0;
    if (counts && !counted)
        transfer_count(&m->part.size, m->part.transfer, bytes, 0);
    if (counts && !told && m->part.body.want)
        body_text_of(m, bytes, 0);
    text_over(m, bytes, m->feed == FEED_STREAM ? m->held_crs : 0);
    return bytes.len;
}

/* Takes whole lines of quoted-printable that are body text beyond doubt from the start of `lines`, which
 * ends with a line's end. */
static size_t body_lines(struct mime *m, struct slice lines)
{
    if (m->state != BODY || m->part.transfer != TRANSFER_QP || m->feed != FEED_FRESH || m->lost)
        return 0;
    lines = slice_sub(lines, 0, tree_has_boundaries(m) ? before_dashes(lines, true) : lines.len);
    if (!lines.len)
        return 0;
    transfer_count_lines(&m->part.size, m->part.transfer, lines);
    body_lines_of(m, lines);
    m->pos += lines.len;
    line_over(m, transfer_line_end(slice_sub(lines, 0, lines.len - 1)));
    return lines.len;
}

/* Takes whole lines of a header block from the start of `bytes`; one alone where its bytes are wanted. */
static size_t header_lines(struct mime *m, struct slice bytes)
{
    size_t taken = 0;
    bool more = m->feed == FEED_FRESH && !m->lost;
    while (more && m->state == HEADERS) {
        struct slice line = slice_sub(bytes, taken, bytes.len);
        size_t lf = slice_index(line, '\n');
        if (lf == line.len)
            break;
        line.len = lf;
        size_t end = transfer_line_end(line);
        line.len -= end - 1;
        taken += lf + 1;
        m->pos += lf + 1;
        if (tree_header_line(m, line))
            body_text(m, line, end);
        line_over(m, end);
        more = !m->raw_parts;
    }
    return taken;
}

/* A line, or what there is of one. */
static size_t one_line(struct mime *m, struct slice rest)
{
    size_t lf = slice_index(rest, '\n');
    if (lf == rest.len) {
        partial_line(m, rest);
        return lf;
    }
    ended_line(m, slice_sub(rest, 0, lf));
    return lf + 1;
}

void mime_feed(struct mime *m, struct slice bytes)
{
    size_t whole = SIZE_MAX; /* behind the last line's end, once it is wanted */
    for (size_t i = 0; i < bytes.len;) {
        struct slice rest = slice_sub(bytes, i, bytes.len);
        size_t taken = m->state == HEADERS ? header_lines(m, rest) : body_bytes(m, rest, i == 0);
        if (!taken && m->part.transfer == TRANSFER_QP) {
            if (whole == SIZE_MAX)
                whole = bytes.len - last_line(bytes).len;
            taken = body_lines(m, slice_sub(bytes, i, whole));
        }
        if (!taken)
            taken = one_line(m, rest);
        i += taken;
        if (m->raw_parts)
            body_raw(m, slice_sub(rest, 0, taken));
    }
}

void mime_gap(struct mime *m, uint64_t len)
{
    bool begun = m->line.len && !byte_is_blank(m->line.data[0]);
    m->pos += len;
    buf_clear(&m->line);
    m->feed = FEED_FRESH;
    m->held_crs = 0;
    m->lost = m->gaps = true;
    m->line_start = m->pos;
    m->last_end = 0;
    tree_gap(m, begun);
}

void mime_utf8(struct mime *m)
{
    m->utf8 = true;
}

void mime_finish(struct mime *m, bool whole)
{
    if (m->feed == FEED_GATHER)
        gathered_line(m, 0);
    else if (m->feed == FEED_STREAM)
        body_text(m, (struct slice){(const uint8_t *)"\r\r", m->held_crs}, 0);
    m->last_end = 0;
    tree_finish(m, whole);
}
