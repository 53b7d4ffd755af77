/* smtp.c: the dialogue of both sides, with cuts and gaps, up to the records.
 *
 * First byte: bit 0 the beginning was not seen, bit 1 small limits. Then a play (fuzz.h) that the client
 * begins. However the bytes of it are cut, the events and records must be the same; every mail that begins
 * ends once; a record is one line of valid JSON text. */
#include "../dialog/player.h"
#include "fuzz.h"
#include "mail/charset.h"
#include "mail/smtp.h"

enum cut { AS_WRITTEN, WHOLE, BYTES };

static const struct smtp_limits small = {
    .command_bytes = 24, .reply_bytes = 32, .hold_bytes = 64, .pending = 4, .waiting = 2};

static struct player *play(const struct play *p, uint8_t how, enum cut cut)
{
    struct player *player = player_new_limited(how & 1, how & 2 ? &small : NULL);
    for (size_t i = 0, next; i < p->count; i = next) {
        struct piece a = p->pieces[i];
        enum side side = a.second ? SIDE_SERVER : SIDE_CLIENT;
        next = i + 1;
        if (a.gap) {
            player_gap(player, side, a.gap);
            continue;
        }
        while (cut == WHOLE && next < p->count && !p->pieces[next].gap && p->pieces[next].second == a.second)
            a.to = p->pieces[next++].to;
        size_t step = cut == BYTES ? 1 : a.to - a.from;
        for (size_t at = a.from; at < a.to; at += step) {
            struct slice bytes = slice_sub(buf_slice(&p->bytes), at, at + step);
            uint8_t *copy = exact_copy(bytes);
            player_feed(player, side, (struct slice){copy, bytes.len});
            free(copy);
        }
    }
    player_finish(player);
    return player;
}

static void check(struct player *p)
{
    uint32_t begun, ended;
    player_counts(p, &begun, &ended);
    assert(begun == ended);
    struct slice records = player_records(p);
    assert(utf8_valid(records));
    for (size_t i = 0; i < records.len; i++)
        assert(records.data[i] >= ' ' || records.data[i] == '\n');
    size_t lines = 0;
    for (struct slice rest = records; rest.len; lines++) {
        size_t lf = slice_index(rest, '\n');
        assert(lf > 1 && lf < rest.len && rest.data[0] == '{' && rest.data[lf - 1] == '}');
        rest = slice_sub(rest, lf + 1, rest.len);
    }
    assert(lines == begun + 1); /* and the session's own */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct play p;
    if (!size)
        return 0;
    play_read(&p, (struct slice){data + 1, size - 1});
    struct player *gold = play(&p, *data, WHOLE);
    check(gold);
    for (enum cut cut = AS_WRITTEN; cut <= BYTES; cut += BYTES - AS_WRITTEN) {
        struct player *other = play(&p, *data, cut);
        expect_same(player_events(gold), player_events(other));
        expect_same(player_records(gold), player_records(other));
        player_free(&other);
    }
    player_free(&gold);
    play_free(&p);
    return 0;
}
