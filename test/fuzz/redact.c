/* redact.c: records that are to lose their persons, and texts.
 *
 * What comes out is JSON of the same shape, in UTF-8, whatever the record; no @ keeps a local part before it,
 * by any way of hiding; what is no JSON gives nothing. */
#include "base/utf8.h"
#include "fuzz.h"
#include "web/json_read.h"
#include "web/redact.h"

static const char *const streams[] = {"smtp", "smtp_session", "notice", "stats", "own"};
static const char *const paths[] = {
    "", "subject", "files", "rcptto", "msg", "urls.url", "authentication.results.properties"};

/* What stands before an @ is hidden, or is no part of an address. */
static void check_text(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        size_t end = i;
        if (s.data[i] != '@')
            continue;
        while (end && byte_is_blank(s.data[end - 1]))
            end--;
        if (!end || s.data[end - 1] <= ' ' || strchr("\"(),:;<>@[]\\\x7f", s.data[end - 1]))
            continue;
        /* Another form of it stands there, before which the same holds. */
        const uint8_t *before = end < 3 ? NULL : s.data + end - 3;
        if (before && (memcmp(before, "\xef\xbc\xa0", 3) == 0 || memcmp(before, "\xef\xb9\xab", 3) == 0 ||
                       memcmp(before, "%40", 3) == 0))
            continue;
        assert(before && memcmp(before, "***", 3) == 0);
    }
}

static void check_hows(struct slice in)
{
    for (enum redact_how how = REDACT_TEXT; how <= REDACT_PROPERTY; how++) {
        struct buf out, again;
        buf_init(&out, 1 << 20);
        buf_init(&again, 1 << 20);
        redact_text(how, in, &out);
        assert(!out.len == !in.len && out.len <= 5 * in.len + 8);
        if (how != REDACT_PROPERTY && how != REDACT_URL)
            check_text(buf_slice(&out));
        redact_text(how, buf_slice(&out), &again);
        assert(how == REDACT_URL || how == REDACT_MAILBOXES || slice_eq(buf_slice(&out), buf_slice(&again)));
        buf_free(&out);
        buf_free(&again);
    }
}

static void check_same_shape(struct slice in, struct slice out)
{
    struct json_reader a = json_reader_of(in), b = json_reader_of(out);
    for (;;) {
        enum json_token t = json_read(&a);
        assert(json_read(&b) == t && t != JSON_WRONG);
        if (t == JSON_NUMBER)
            assert(slice_eq(a.raw, b.raw));
        if (t == JSON_END)
            return;
        if (t != JSON_TEXT && t != JSON_KEY)
            continue;
        struct buf text;
        buf_init(&text, 1 << 20);
        json_unescape(b.raw, &text);
        assert(utf8_is_valid(buf_slice(&text)));
        if (t == JSON_KEY)
            check_text(buf_slice(&text));
        buf_free(&text);
    }
}

static bool is_json(struct slice in)
{
    struct json_reader j = json_reader_of(in);
    enum json_token t;
    do
        t = json_read(&j);
    while (t != JSON_WRONG && t != JSON_END);
    return t == JSON_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    uint8_t *copy = exact_copy((struct slice){data + 1, size - 1});
    const struct slice in = {copy, size - 1};
    struct buf out;
    buf_init(&out, 1 << 20);
    bool good = redact_json(slice_str(streams[data[0] % 5]), slice_str(paths[data[0] / 5 % 7]), in, &out);
    assert(good == is_json(in));
    if (good) {
        assert(utf8_is_valid(buf_slice(&out)));
        check_same_shape(in, buf_slice(&out));
    } else {
        assert(!out.len);
    }
    check_hows(in);
    buf_free(&out);
    free(copy);
    return 0;
}
