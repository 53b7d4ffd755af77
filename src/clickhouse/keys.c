/* keys.c: what mails are summed up by.
 * In: values of a row, as JSON has them. Out: the columns of keys. Owns: nothing. Limits: those of
 * view/sums_key.h. Knowingly: a text that was no UTF-8 has U+FFFD in its key here. */
#include <assert.h>
#include <math.h>
#include "clickhouse/rows_parts.h"
#include "record/record.h"
#include "view/sums_key.h"

static size_t field_of(const struct rowtable *t, const char *name)
{
    const struct chcolumn *c = chtable_find(t->columns, slice_str(name));
    assert(c && c->kind == CHCOLUMN_FIELD);
    return c->field;
}

static struct pick *key_of(const struct rowtable *t, size_t field, const char *name)
{
    struct pick *n = t->roots[field].first;
    while (n && !slice_eq(n->key, slice_str(name)))
        n = n->next;
    assert(n);
    return n;
}

void keys_begin(struct rowtable *t)
{
    struct row_mail *m = &t->mail;
    if (t->columns->stream->index != STREAM_SMTP)
        return;
    m->orig = field_of(t, "id_orig_h");
    m->resp = field_of(t, "id_resp_h");
    m->helo = field_of(t, "helo");
    m->mailfrom = field_of(t, "mailfrom");
    m->rcptto = field_of(t, "rcptto");
    m->disposition = field_of(t, "disposition");
    m->reply = field_of(t, "reply");
    m->agent = field_of(t, "agent");
    m->hops = field_of(t, "hops");
    m->code = key_of(t, m->reply, "code");
    m->enhanced = key_of(t, m->reply, "enhanced");
    m->stage = key_of(t, m->reply, "stage");
    m->name = key_of(t, m->agent, "name");
    m->rdns = key_of(t, m->hops, "from_rdns");
    m->from_helo = key_of(t, m->hops, "from_helo");
    m->from_ip = key_of(t, m->hops, "from_ip");
    m->by = key_of(t, m->hops, "by");
    m->by_ip = key_of(t, m->hops, "by_ip");
    m->delay = key_of(t, m->hops, "delay");
    t->roots[m->hops].edge = true;
}

static struct slice text_of(const struct row *row, struct slice token, size_t room)
{
    assert(room < ROW_ROOMS);
    return token.len && token.data[0] == '"' ? scan_text(token, &row->rooms[room]) : (struct slice){0};
}

static struct slice field_text(const struct row *row, size_t field, size_t room)
{
    return row_has(row, field) ? text_of(row, row->texts[field], room) : (struct slice){0};
}

static void put_edge(struct row *row, const struct sums_key *k, double delay)
{
    cells_text(row_cells(row, CHCOMPUTED_RELAYS), row->at, sums_key_slice(k));
    cells_real(row_cells(row, CHCOMPUTED_RELAY_DELAYS), row->at, delay);
}

void keys_edge(struct row *row)
{
    const struct row_mail *m = &row->t->mail;
    struct sums_key k;
    double delay;
    if (!row->edges)
        row->newest = m->by->got;
    if (row->edges++ >= SUMS_KEY_EDGES)
        return;
    const struct sums_key_end from = {text_of(row, m->rdns->got, 0), text_of(row, m->from_helo->got, 1),
                                      text_of(row, m->from_ip->got, 2)};
    const struct sums_key_end to = {text_of(row, m->by->got, 3), {0}, text_of(row, m->by_ip->got, 4)};
    if (!sums_key_edge(&k, &from, &to))
        return;
    bool known = m->delay->got.len && scan_real(m->delay->got, &delay) && delay >= 0;
    put_edge(row, &k, known ? delay : NAN);
}

static void end_reason(struct row *row)
{
    const struct row_mail *m = &row->t->mail;
    struct sums_key k = {.len = 0};
    uint64_t code = 0;
    const struct slice none = {0};
    bool reply = row_has(row, m->reply);
    if (reply && m->code->got.len)
        slice_number(m->code->got, &code);
    sums_key_reason(&k, field_text(row, m->disposition, 0), reply ? text_of(row, m->enhanced->got, 1) : none,
                    code, reply ? text_of(row, m->stage->got, 2) : none);
    if (k.len)
        cells_text(row_cells(row, CHCOMPUTED_REASON_KEY), row->at, sums_key_slice(&k));
}

void keys_end(struct row *row)
{
    const struct row_mail *m = &row->t->mail;
    const struct slice none = {0};
    struct sums_key k = {.len = 0};
    if (row_has(row, m->agent))
        sums_key_add(&k, text_of(row, m->name->got, 0));
    if (k.len)
        cells_text(row_cells(row, CHCOMPUTED_AGENT_KEY), row->at, sums_key_slice(&k));
    sums_key_domain(&k, field_text(row, m->mailfrom, 0));
    if (k.len)
        cells_text(row_cells(row, CHCOMPUTED_SENDER_KEY), row->at, sums_key_slice(&k));
    end_reason(row);
    const struct sums_key_end from = {row->edges ? text_of(row, row->newest, 0) : none,
                                      field_text(row, m->helo, 1), field_text(row, m->orig, 2)};
    const struct sums_key_end to = {none, none, field_text(row, m->resp, 3)};
    sums_key_edge(&k, &from, &to);
    put_edge(row, &k, NAN);
}
