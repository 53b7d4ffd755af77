/* blocklist.c: a table of block lists, and a reply that it is asked about.
 *
 * The table stands before the first NUL, the reply behind it. With a table of its own a file is refused with
 * a text, or its rows are within the limits; the built-in table is asked too. */
#include "rule/blocklist.h"
#include <unistd.h>
#include "fuzz.h"

static void ask(struct blocklists *b, struct slice reply)
{
    const struct blocklist *row = blocklists_match(b, reply);
    assert(blocklists_counts(b).matched <= blocklists_counts(b).texts);
    if (!row)
        return;
    assert(row->name.len && row->name.len <= BLOCKLISTS_NAME && row->kind < BLOCKLIST_KINDS);
    assert(blocklist_kind_name(row->kind));
    /* The answer is the same the next time. */
    assert(blocklists_match(b, reply) == row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct blocklists *builtin;
    struct blocklists *own = NULL;
    struct error err = {""};
    char path[FUZZ_PATH];
    if (!builtin && blocklists_open(NULL, &builtin, &err) < 0)
        abort();
    struct slice input = {data, size};
    size_t nul = slice_index(input, 0);
    struct slice reply = slice_sub(input, nul + 1, size);
    uint8_t *copy = exact_copy(reply);
    reply.data = copy;
    int fd = fuzz_file(slice_sub(input, 0, nul));
    int code = blocklists_open(fuzz_path(fd, path), &own, &err);
    assert(code <= 0 && (code < 0) == (err.text[0] != '\0'));
    if (!code) {
        assert(blocklists_rows(own) <= BLOCKLISTS_ROWS);
        ask(own, reply);
        blocklists_close(own);
    }
    ask(builtin, reply);
    close(fd);
    free(copy);
    return 0;
}
