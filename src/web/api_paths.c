/* api_paths.c: /paths: which hosts hand mails to which.
 * In: requests. Out: answers. Owns: nothing. Limits: API_KEYS edges; the answer's limit.
 * Knowingly: a node's mails are those that came to it or those that went on from it, whichever are more, as
 * either end of a path is not seen. The sums are of whole hours. */
#include <math.h>
#include "view/top.h"
#include "web/api.h"
#include "web/say.h"
#include "web/route.h"
#include "web/table.h"

struct graph {
    struct keyed *edges, *in, *out; /* all edges; sums by the node that they lead to, and come from */
    struct keyed *shown;            /* nodes of edges that are told */
};

static void graph_init(struct graph *g)
{
    *g = (struct graph){keyed_new(API_KEYS), keyed_new(API_KEYS), keyed_new(API_KEYS), keyed_new(API_KEYS)};
}

static void graph_free(struct graph *g)
{
    keyed_free(&g->edges);
    keyed_free(&g->in);
    keyed_free(&g->out);
    keyed_free(&g->shown);
}

static void add_nodes(struct graph *g)
{
    for (size_t i = 0; i < keyed_count(g->edges); i++) {
        struct keyed_row row = keyed_row(g->edges, i);
        struct edge e;
        if (!edge_of_key(row.key, &e))
            continue;
        keyed_add(g->out, e.from, &row.sums);
        keyed_add(g->in, e.by, &row.sums);
    }
}

static bool is_wanted(const struct edge *e, struct slice host)
{
    return !host.len || slice_case_eq(e->from, host) || slice_case_eq(e->by, host);
}

static void write_edges(const struct request *r, struct table *t, struct graph *g)
{
    struct slice host = request_text(r, PARAM_host);
    uint64_t limit = request_limit(r, 60), shown = 0;
    const struct sums none = {0};
    for (size_t i = 0; i < keyed_count(g->edges) && shown < limit; i++) {
        struct keyed_row row = keyed_row(g->edges, i);
        struct edge e;
        if (!edge_of_key(row.key, &e) || !is_wanted(&e, host))
            continue;
        shown++;
        keyed_add(g->shown, e.from, &none);
        keyed_add(g->shown, e.by, &none);
        if (!table_row(t))
            return;
        table_text(t, e.from);
        table_text(t, e.by);
        table_count(t, row.sums.mails);
        if (!row.sums.delays && t->format != FORMAT_CSV)
            table_raw(t, slice_str("null"));
        else if (!row.sums.delays)
            table_absent(t);
        else
            table_seconds(t, row.sums.delay / (double)row.sums.delays);
    }
}

static void write_nodes(struct answer *a, const struct graph *g)
{
    say_key(a, "nodes");
    say_list(a);
    for (size_t i = 0; i < keyed_count(g->shown); i++) {
        struct slice node = keyed_row(g->shown, i).key;
        const struct sums *in = keyed_find(g->in, node), *out = keyed_find(g->out, node);
        uint64_t came = in ? in->mails : 0, went = out ? out->mails : 0;
        say_object(a);
        say_key(a, "id");
        say_text(a, node);
        say_key(a, "mails");
        say_count(a, came > went ? came : went);
        say_end(a);
    }
    say_end(a);
}

void handle_paths(const struct request *r, struct answer *a)
{
    static const char *const columns[] = {"from", "to", "mails", "delay"};
    struct api_span span;
    struct graph g;
    struct error err;
    struct table t;
    if (!api_span(r, a, API_DAY, &span))
        return;
    struct hours hours = hours_around(span.since / API_SECOND, (span.until + API_SECOND - 1) / API_SECOND);
    graph_init(&g);
    if (top_collect(r->reader, TOP_RELAY, hours, g.edges, &err) < 0) {
        api_failed(a, &err);
        graph_free(&g);
        return;
    }
    add_nodes(&g);
    keyed_sort(g.edges, KEYED_MAILS);
    table_open(&t, a, r, NULL, "edges", columns, sizeof columns / sizeof *columns);
    write_edges(r, &t, &g);
    const struct table_end end = api_end(r);
    table_close(&t, &end, true);
    if (t.format == FORMAT_JSON) {
        write_nodes(a, &g);
        api_key_seconds(a, "since", hours.since);
        api_key_seconds(a, "until", hours.until);
        say_end(a);
    }
    graph_free(&g);
}
