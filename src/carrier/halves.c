/* halves.c: what of a batch is refused, found by halving.
 * In: lines. Out: batches, the lines that are refused. Owns: nothing. Limits: a piece is halved as often as
 * its size has bits; of n lines that are all refused 2n - 1 pieces are tried. */
#include "carrier/halves.h"

enum { ID_ROOM = HALVES_ID + 48 };

struct piece {
    const char *id; /* of the whole */
    size_t at;
    struct slice lines;
};

/* Where the first half of the lines ends; 0: there is one line. */
static size_t middle(struct slice lines)
{
    size_t at = lines.len / 2;
    while (at < lines.len && lines.data[at] != '\n')
        at++;
    if (at + 1 < lines.len)
        return at + 1;
    for (at = lines.len / 2; at && lines.data[at - 1] != '\n';)
        at--;
    return at;
}

size_t halves_count(struct slice lines)
{
    size_t n = 0;
    for (size_t at; (at = slice_index(lines, '\n')) < lines.len; n++)
        lines = slice_sub(lines, at + 1, lines.len);
    return n;
}

static bool carry_piece(const struct halves *h, const struct piece *p)
{
    struct error why;
    char id[ID_ROOM];
    snprintf(id, sizeof id, "%s-%zu-%zu", p->id, p->at, p->lines.len);
    const struct carrier_batch batch = {id, p->lines, halves_count(p->lines), h->refuse, h->ctx};
    enum carried how = h->send(h->ctx, &batch, &why);
    if (how != CARRY_REFUSED)
        return how == CARRIED;
    size_t half = middle(p->lines);
    if (!half) {
        h->refuse(h->ctx, slice_sub(p->lines, 0, p->lines.len - 1), why.text);
        return true;
    }
    const struct piece first = {p->id, p->at, slice_sub(p->lines, 0, half)};
    const struct piece second = {p->id, p->at + half, slice_sub(p->lines, half, p->lines.len)};
    return carry_piece(h, &first) && carry_piece(h, &second);
}

bool halves_carry(const struct halves *h, const char *id, struct slice lines)
{
    const struct piece all = {id, 0, lines};
    return carry_piece(h, &all);
}
