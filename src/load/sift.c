/* sift.c: lines of messages, and what is none.
 * In: messages. Out: lines that begin as a record's do and are JSON to their end; the others, one by one, or
 * as a whole where a message has no record in it. Owns: the lines. Limits: the messages', and KEPT of those
 * without a record. Knowingly: a line that is cut, or deeper than SCAN_DEPTH, is none. */
#include "load/sift.h"

#include "clickhouse/scan.h"
#include "sink/json.h"

enum { KEPT = 1 << 20 }; /* bytes of a message that is no record */

/* What a line turns out to be. */
struct seen {
    bool object; /* all of it is one JSON object */
    bool record; /* which begins with _path */
    bool sensor; /* and names its sensor */
    size_t path; /* where the value of _path ends, and of _write_ts, which belongs behind it */
};

static struct seen look(struct slice line)
{
    struct scan s = {line.data, line.data + line.len};
    struct seen seen = {0};
    struct slice key, value;
    bool first = true, second = false;
    if (!scan_byte(&s, '{'))
        return seen;
    do {
        if (!scan_string(&s, &key) || !scan_byte(&s, ':'))
            return (struct seen){0};
        bool is_path = first && slice_eq(key, slice_str("\"_path\"")) && scan_peek(&s) == '"';
        seen.sensor |= slice_eq(key, slice_str("\"sensor\""));
        if (is_path ? !scan_string(&s, &value) : !scan_skip(&s, 1))
            return (struct seen){0};
        seen.record |= is_path;
        if (is_path || (second && slice_eq(key, slice_str("\"_write_ts\""))))
            seen.path = (size_t)(s.at - line.data);
        second = is_path;
        first = false;
    } while (scan_byte(&s, ','));
    seen.object = scan_byte(&s, '}') && !scan_peek(&s) && s.at == s.end;
    seen.record &= seen.object;
    return seen;
}

static void add_record(struct sift *s, struct slice line, const struct seen *seen, struct slice origin)
{
    bool name = !seen->sensor && origin.len;
    line_add(&s->lines, slice_sub(line, 0, seen->path));
    if (name) {
        line_str(&s->lines, ",\"sensor\":");
        json_text(origin, &s->lines);
    }
    line_add(&s->lines, slice_sub(line, seen->path, line.len));
    line_byte(&s->lines, '\n');
    s->counts->records++;
    s->counts->unnamed += !seen->sensor && !name;
}

static struct slice next_line(struct slice *rest)
{
    size_t end = slice_index(*rest, '\n');
    struct slice line = slice_sub(*rest, 0, end);
    *rest = slice_sub(*rest, end + 1, rest->len);
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

void sift_message(struct sift *s, const struct source_message *m)
{
    size_t before = s->lines.len;
    struct slice rest = m->bytes;
    s->counts->messages++;
    s->counts->again += m->again;
    /* A first pass takes what is good, so that a message of nothing good is one thing to put aside. */
    while (rest.len) {
        struct slice line = next_line(&rest);
        struct seen seen = look(line);
        if (seen.record)
            add_record(s, line, &seen, m->origin);
    }
    if (s->lines.len == before && m->bytes.len) {
        s->refuse(s->ctx, slice_sub(m->bytes, 0, KEPT), false,
                  m->bytes.len > KEPT
                      ? "a message without a record of mailtap, of which this is the first MiB"
                      : "a message without a record of mailtap");
        return;
    }
    for (rest = m->bytes; rest.len;) {
        struct slice line = next_line(&rest);
        struct seen seen = line.len ? look(line) : (struct seen){.record = true};
        if (seen.record)
            continue;
        s->refuse(s->ctx, line, seen.object,
                  "the line is no record: it does not begin with _path, or is cut");
    }
}

void sift_clear(struct sift *s)
{
    line_clear(&s->lines);
}

void sift_free(struct sift *s)
{
    line_free(&s->lines);
}
