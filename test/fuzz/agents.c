/* agents.c: a table of agents, and a text that it is asked about.
 *
 * The table stands before the first NUL, the text behind it, which is taken for a user agent and for a
 * greeting. With a table of its own a file is refused with a text, or its rows are within the limits; the
 * built-in table is asked too, and none at all. What comes out is a name out of the table or lies in the
 * text. */
#include "record/agents.h"
#include <unistd.h>
#include "fuzz.h"

static bool lies_in(struct slice part, struct slice text)
{
    return !part.len || (part.data >= text.data && part.data + part.len <= text.data + text.len);
}

static void ask(const struct agents *a, struct slice text)
{
    struct product p, again;
    for (int greeting = 0; greeting < 2; greeting++) {
        enum agent_kind kind = greeting ? agents_of_greeting(a, text, &p) : agents_of_mail(a, text, &p);
        assert(p.name.len <= PRODUCT_NAME && p.version.len <= PRODUCT_VERSION && lies_in(p.version, text));
        assert((kind < AGENT_KINDS) == (p.kind.len > 0));
        if (kind == AGENT_KINDS)
            assert(lies_in(p.name, text) && (p.name.len || !p.version.len));
        else
            assert(p.name.len && (kind >= AGENT_MTA) == (greeting > 0));
        /* The answer is the same the next time. */
        assert((greeting ? agents_of_greeting(a, text, &again) : agents_of_mail(a, text, &again)) == kind);
        assert(slice_eq(p.name, again.name) && slice_eq(p.version, again.version));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct agents *builtin;
    struct agents *own = NULL;
    struct error err = {""};
    char path[FUZZ_PATH];
    if (!builtin && agents_open(NULL, &builtin, &err) < 0)
        abort();
    struct slice input = {data, size};
    size_t nul = slice_index(input, 0);
    struct slice text = slice_sub(input, nul + 1, size);
    uint8_t *copy = exact_copy(text);
    text.data = copy;
    int fd = fuzz_file(slice_sub(input, 0, nul));
    int code = agents_open(fuzz_path(fd, path), &own, &err);
    assert(code <= 0 && (code < 0) == (err.text[0] != '\0'));
    if (!code) {
        assert(agents_rows(own) <= AGENTS_ROWS);
        ask(own, text);
        agents_close(own);
    }
    ask(builtin, text);
    ask(NULL, text);
    close(fd);
    free(copy);
    return 0;
}
