/* Words that stand in one mail of a connection alone: a record that has those of two is mixed up. */
#ifndef TEST_GAPS_WORDS_H
#define TEST_GAPS_WORDS_H

#include "base/slice.h"

enum { WORDS = 4096, WORD_MIN = 5, COMMON = 255 };

/* Words, each of one mail alone. */
struct words {
    struct slice items[WORDS];
    uint8_t mail[WORDS];
    size_t count;
};

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static bool next_word(struct slice *rest, struct slice *ret)
{
    size_t i = 0, end;
    while (i < rest->len && !is_word(rest->data[i]))
        i++;
    for (end = i; end < rest->len && is_word(rest->data[end]);)
        end++;
    *ret = slice_sub(*rest, i, end);
    *rest = slice_sub(*rest, end, rest->len);
    return ret->len > 0;
}

static size_t find_word(const struct words *w, struct slice word)
{
    size_t i = 0;
    while (i < w->count && !slice_eq(w->items[i], word))
        i++;
    return i;
}

/* What mailtap itself says of a mail, which words of the mail may be too; and the names of fields that the
 * mails before and behind it have. */
static void learn_own(struct words *w)
{
    static const char *const own[] = {
        "accepted", "rejected", "deferred", "aborted", "unknown",     "content",  "application",
        "octet",    "stream",   "message",  "rfc822",  "multipart",   "Received", "Message",
        "Reply",    "Subject",  "Agent",    "Content", "Originating", "Transfer", "Encoding"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        w->items[w->count] = slice_str(own[i]);
        w->mail[w->count++] = COMMON;
    }
}

/* True where it has words of one mail only. */
static bool is_pure(const struct words *w, struct slice line, struct slice *ret_other)
{
    struct slice rest = line, word;
    int mail = -1;
    while (next_word(&rest, &word)) {
        size_t i = word.len < WORD_MIN ? w->count : find_word(w, word);
        if (i == w->count || w->mail[i] == COMMON)
            continue;
        if (mail >= 0 && mail != w->mail[i]) {
            *ret_other = word;
            return false;
        }
        mail = w->mail[i];
    }
    return true;
}

#endif
