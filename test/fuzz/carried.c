/* carried.c: what carriers read: lines of an outbox, which may be of another hand, and answers of a server.
 *
 * What is said of a line is a part of it; a line made short is JSON where it was, and fits; a message of
 * syslog is no longer than it may be; an answer of _bulk tells of no more items than it has brackets. */
#include "carrier/bulk_answer.h"
#include "carrier/form.h"
#include "carrier/shorten.h"
#include "carrier/syslog_line.h"
#include "clickhouse/scan.h"
#include "fuzz.h"

static bool is_within(struct slice part, struct slice whole)
{
    return !part.len || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static bool is_json(struct slice s)
{
    struct scan scan = {s.data, s.data + s.len};
    return scan_skip(&scan, 0) && !scan_peek(&scan);
}

static void check_facts(struct slice line)
{
    struct form_facts facts;
    form_look(line, &facts);
    assert(is_within(facts.path, line) && is_within(form_uid(line), line));
    assert(!*facts.time || (strlen(facts.time) == FORM_TIME - 1 && facts.time[26] == 'Z'));
}

static void check_short(struct slice line)
{
    for (size_t room = 1; room < line.len; room += room / 2 + 7) {
        struct line out = {0};
        struct error why;
        bool fits = shorten(line, room, &out, &why);
        assert(fits ? out.len <= room && is_json(line_slice(&out)) : out.len == 0);
        line_free(&out);
    }
}

static void check_message(struct slice line)
{
    const struct carrier_syslog set = {.facility = 2, .severity = 6, .notice_severity = 4, .bytes = 480};
    struct syslog_head head;
    struct line out = {0};
    struct error why;
    syslog_head_init(&head, &set, 65507, "fuzz");
    enum syslog_fit fit = syslog_message(&head, line, &out, &why);
    assert(out.len <= 480 && (fit == SYSLOG_NONE) == (out.len == 0));
    line_free(&out);
}

struct told {
    struct slice answer;
    size_t items;
};

static void tell(void *ctx, const struct bulk_item *item)
{
    struct told *t = ctx;
    t->items++;
    assert(item->status < 1000 && is_within(item->type, t->answer) && is_within(item->reason, t->answer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = exact_copy((struct slice){data, size});
    const struct slice text = {copy, size};
    struct told told = {text, 0};
    check_facts(text);
    check_short(text);
    check_message(text);
    size_t brackets = 0;
    for (size_t i = 0; i < size; i++)
        brackets += copy[i] == '{';
    bool whole = bulk_answer(text, tell, &told);
    assert(told.items <= brackets &&
           (!whole || is_json((struct slice){copy, size}) || memchr(copy, '}', size)));
    assert(is_within(bulk_reason(text), text));
    free(copy);
    return 0;
}
