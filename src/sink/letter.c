/* letter.c: a notice as text for a mail.
 * In: notices. Out: lines. Owns: nothing. Limits: the columns below, as texts come from strangers. */
#include "sink/letter.h"

#include <time.h>
#include "sink/cell.h"

enum { SUBJECT = 120, VALUE = 400 };

static void add_name(struct line *out, const char *name)
{
    enum { WIDTH = 10 };
    line_str(out, "  ");
    line_str(out, name);
    line_byte(out, ':');
    cell_pad(out, strlen(name) + 1, WIDTH);
}

static void add(struct line *out, const char *name, struct slice value)
{
    if (!value.len)
        return;
    add_name(out, name);
    cell_text(out, value, VALUE);
    line_byte(out, '\n');
}

static void add_end(struct line *out, const char *name, const struct endpoint *e)
{
    if (!e->addr.family)
        return;
    add_name(out, name);
    line_address(out, &e->addr);
    line_printf(out, e->port ? ", port %u\n" : "\n%.0u", (unsigned)e->port);
}

static void add_time(struct line *out, struct timespec ts)
{
    char text[64] = "";
    struct tm tm;
    time_t sec = ts.tv_sec;
    if (gmtime_r(&sec, &tm))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm);
    add(out, "time", slice_str(text));
}

void letter_subject(const struct notice *n, struct line *out)
{
    cell_text(out, n->msg, SUBJECT);
    if (n->list.len) {
        line_str(out, ": ");
        cell_text(out, n->list, SUBJECT);
    }
}

void letter_text(const struct notice *n, struct line *out)
{
    cell_text(out, n->msg, VALUE);
    line_byte(out, '\n');
    add(out, "note", n->note);
    add_time(out, n->ts);
    if (n->folded) {
        add_name(out, "repeats");
        line_printf(out, "%llu, of which this is the last\n", (unsigned long long)n->folded);
    }
    if (n->host.family) {
        add_name(out, "host");
        line_address(out, &n->host);
        if (n->country.len) {
            line_str(out, ", ");
            cell_text(out, n->country, 2);
        }
        if (n->asn)
            line_printf(out, ", AS%llu", (unsigned long long)n->asn);
        line_byte(out, '\n');
    }
    add_end(out, "client", &n->id.orig);
    add_end(out, "server", &n->id.resp);
    add(out, "sender", n->mailfrom);
    add(out, "list", n->list);
    add(out, "kind", n->kind);
    add(out, "removal", n->removal);
    if (n->retired.len)
        add(out, "retired", n->retired);
    if (n->code) {
        add_name(out, "code");
        line_number(out, n->code);
        line_byte(out, '\n');
    }
    add(out, n->code ? "reply" : "about", n->sub);
    add(out, "uid", n->id.uid);
    add(out, "sensor", n->sensor);
}
