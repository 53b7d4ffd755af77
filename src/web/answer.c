/* answer.c: what is answered.
 * In: what handlers say. Out: status, headers, body, for server.c. Owns: the body. Limits: ANSWER_BYTES,
 * ANSWER_HEADERS. Knowingly: the body of a whole answer lies in memory until it is sent. */
#include "web/answer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include "web/say.h"
#include "web/outlet.h"

void answer_init(struct answer *a)
{
    *a = (struct answer){.status = 200, .type = "application/json"};
    buf_init(&a->body, ANSWER_BYTES);
}

void answer_free(struct answer *a)
{
    buf_free(&a->body);
}

void answer_nothing(struct answer *a)
{
    buf_clear(&a->body);
    a->status = 204;
    a->type = NULL;
}

/* Begins anew, unless it is too late. */
static bool restart(struct answer *a, unsigned status)
{
    a->depth = 0;
    a->key = a->over = false;
    a->rows = 0;
    buf_clear(&a->body);
    if (a->out && outlet_has_begun(a->out)) {
        outlet_break(a->out);
        return false;
    }
    a->status = status;
    a->type = "application/json";
    /* Who sees this error is the asker, not a saved file. */
    a->header_count = 0;
    return true;
}

void answer_error(struct answer *a, unsigned status, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!restart(a, status))
        return;
    say_object(a);
    say_key(a, "error");
    say_object(a);
    say_key(a, "text");
    say_str(a, text);
    say_end(a);
    say_end(a);
}

void answer_query_error(struct answer *a, struct slice text, size_t at, size_t len, struct slice nearest)
{
    if (!restart(a, 400))
        return;
    say_object(a);
    say_key(a, "error");
    say_object(a);
    say_key(a, "text");
    say_text(a, text);
    say_key(a, "at");
    say_count(a, at);
    say_key(a, "len");
    say_count(a, len);
    if (nearest.data) {
        say_key(a, "nearest");
        say_text(a, nearest);
    }
    say_end(a);
    say_end(a);
}

void answer_header(struct answer *a, const char *name, const char *format, ...)
{
    assert(a->header_count < ANSWER_HEADERS);
    struct answer_header *h = &a->headers[a->header_count++];
    va_list args;
    va_start(args, format);
    vsnprintf(h->value, sizeof h->value, format, args);
    va_end(args);
    h->name = name;
    char *to = h->value;
    for (const char *p = h->value; *p; p++)
        if (*p >= ' ' && *p < 0x7f)
            *to++ = *p;
    *to = '\0';
}

bool answer_flows(struct answer *a)
{
    if (a->over || !a->out)
        return !a->over;
    return outlet_take(a->out, a);
}
