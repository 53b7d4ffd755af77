/* damage.c: damaged packets through the whole pipeline.
 * usage: damage CAPTURE ROUNDS [SEED]   prints TAP
 *
 * In each round some packets are dropped, repeated, swapped, cut, or have bytes changed; what comes out must
 * be whole lines of valid JSON text, and as many mails as the session records say. With sanitizers on, that
 * is a good deal. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "packets.h"

enum { PACKETS = PACKETS_MOST };

static uint64_t state;

static uint32_t chance(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

/* Most changes hit where the headers and the dialogue are, so that not every packet is lost at once. */
static void damage(struct packet *p, uint8_t *bytes)
{
    size_t len = p->bytes.len;
    for (uint32_t n = 1 + chance(3); n && len; n--) {
        size_t at = chance(2) ? chance((uint32_t)len) : chance(len < 120 ? (uint32_t)len : 120);
        bytes[at] = chance(3) ? (uint8_t)chance(256) : (uint8_t) "\r\n.\0 <>:\"\\=?-"[chance(14)];
    }
    if (!chance(4))
        p->bytes.len = chance((uint32_t)len + 1);
}

static size_t make_round(const struct packet *original, size_t count, struct packet *ret, uint8_t **ret_bytes)
{
    size_t made = 0;
    for (size_t i = 0; i < count && made + 2 < PACKETS; i++) {
        uint32_t fate = chance(40);
        if (fate == 0)
            continue;
        struct packet p = original[i];
        ret_bytes[made] = malloc(p.bytes.len + 1);
        memcpy(ret_bytes[made], p.bytes.data, p.bytes.len);
        p.bytes.data = ret_bytes[made];
        if (fate < 4)
            damage(&p, ret_bytes[made]);
        if (fate == 4)
            p.wire_len += chance(3000);
        ret[made++] = p;
        if (fate == 5) {
            ret_bytes[made] = NULL;
            ret[made++] = p;
        }
        if (fate == 6 && made > 1) {
            struct packet swap = ret[made - 2];
            ret[made - 2] = ret[made - 1];
            ret[made - 1] = swap;
        }
    }
    return made;
}

static size_t load(const char *path, struct packet *ret)
{
    struct source *src;
    struct error err;
    size_t count = 0;
    if (source_open(path, &src, &err) < 0) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
    while (count < PACKETS / 2 && source_next(src, &ret[count], &err) > 0) {
        uint8_t *copy = malloc(ret[count].bytes.len + 1);
        memcpy(copy, ret[count].bytes.data, ret[count].bytes.len);
        ret[count].block = NULL;
        ret[count++].bytes.data = copy;
    }
    source_close(&src);
    return count;
}

int main(int argc, char **argv)
{
    static struct packet original[PACKETS], round[PACKETS];
    static uint8_t *bytes[PACKETS];
    uint64_t seeds[] = {1, argc > 3 ? strtoull(argv[3], NULL, 10) : (uint64_t)time(NULL)};
    size_t count = load(argv[1], original);
    for (size_t s = 0; s < 2; s++) {
        uint64_t bad = 0, mails = 0, wrong = 0;
        state = seeds[s] * 0x9e3779b97f4a7c15ull + 1;
        for (long i = strtol(argv[2], NULL, 10); i > 0; i--) {
            size_t made = make_round(original, count, round, bytes);
            struct packets_outcome o = packets_run(round, made, false);
            bad += o.bad_lines;
            mails += o.mails;
            wrong += o.mails != o.promised;
            for (size_t k = 0; k < made; k++)
                free(bytes[k]);
        }
        printf("%s %zu - seed %llu: %llu mails out of damaged packets, %llu bad lines, %llu wrong sessions\n",
               bad || wrong || !mails ? "not ok" : "ok", s + 1, (unsigned long long)seeds[s],
               (unsigned long long)mails, (unsigned long long)bad, (unsigned long long)wrong);
    }
    for (size_t i = 0; i < count; i++)
        free((void *)original[i].bytes.data);
    printf("1..2\n");
    return 0;
}
