/* Notices over all sensors and nothing else, led by standard input. `over-run [-s key=value]... [-c
 * FILE]...`: lines are gathered into a batch; `!take` gives it, `!tick SECONDS` says how late it is by a
 * clock of its own,
 * `!save`, `!save now`, `!finish`, `!counts` do as they say; the end without a word is that of a process that
 * was killed. `over-run --rows`: each line is read as a record and printed again, or `!none`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include "over.h"
#include "sink/json.h"
#include "view/line_row.h"
#include "view/record_of.h"

static void put(struct line *out)
{
    if (out->len)
        fwrite(out->data, 1, out->len, stdout);
    line_clear(out);
}

static void rows(void)
{
    struct line_row *lines = line_row_new();
    struct record_of *records = record_of_new();
    struct line out = {0};
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    while ((len = getline(&text, &room, stdin)) > 0) {
        struct line_head head;
        struct record rec;
        len -= text[len - 1] == '\n';
        /* Its own memory, so that a byte behind it is one too many. */
        uint8_t *copy = malloc((size_t)len + !len);
        memcpy(copy, text, (size_t)len);
        struct slice line = {copy, (size_t)len};
        const struct reader_row *row = line_row_take(lines, line);
        if (row && line_head_of(line, &head) && record_of_row(records, head.stream, row, &rec))
            json_record(&rec, &out);
        else
            line_str(&out, "!none\n");
        put(&out);
        free(copy);
    }
    free(text);
    line_free(&out);
    record_of_free(&records);
    line_row_free(&lines);
}

static void counts(const struct over *o)
{
    struct over_counts c = over_counts(o);
    printf("!counts "
           "{\"lines\":%llu,\"unread\":%llu,\"again\":%llu,\"late\":%llu,\"ahead\":%llu,\"notices\":%llu,"
           "\"folded\":%llu,\"dropped\":%llu,\"raised\":%llu,\"left\":%llu,\"made\":%llu,\"shed\":%llu,"
           "\"script_errors\":%llu}\n",
           (unsigned long long)c.lines, (unsigned long long)c.unread, (unsigned long long)c.again,
           (unsigned long long)c.late, (unsigned long long)c.ahead, (unsigned long long)c.notices,
           (unsigned long long)c.folded, (unsigned long long)c.dropped, (unsigned long long)c.raised,
           (unsigned long long)c.left, (unsigned long long)c.made, (unsigned long long)c.shed,
           (unsigned long long)c.script_errors);
}

static void do_word(struct over *o, const char *word, struct line *batch, struct line *out)
{
    struct error err;
    if (strcmp(word, "take") == 0)
        over_take(o, line_slice(batch), out), line_clear(batch);
    else if (strncmp(word, "tick ", 5) == 0)
        over_tick(o, atof(word + 5), out);
    else if (strncmp(word, "save", 4) == 0 && over_save(o, word[4], &err) < 0)
        printf("!error %s\n", err.text);
    else if (strcmp(word, "finish") == 0)
        over_finish(o, out);
    else if (strcmp(word, "counts") == 0)
        counts(o);
    put(out);
}

int main(int argc, char **argv)
{
    static struct settings set;
    struct error err;
    const char *assigned[64], *files[64];
    size_t count = 0, file_count = 0;
    struct over *o;
    struct line batch = {0}, out = {0};
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    if (argc == 2 && strcmp(argv[1], "--rows") == 0)
        return rows(), 0;
    for (int i = 2; i < argc && i < 64; i += 2) {
        if (strcmp(argv[i - 1], "-c") == 0)
            files[file_count++] = argv[i];
        else
            assigned[count++] = argv[i];
    }
    const struct settings_source source = {files, file_count, assigned, count};
    if (settings_collect(&source, &set, &err) < 0 ||
        over_new(&(struct over_settings){&set, NULL}, &o, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    while ((len = getline(&text, &room, stdin)) > 0) {
        if (text[0] == '!') {
            text[len - (text[len - 1] == '\n')] = 0;
            do_word(o, text + 1, &batch, &out);
        } else {
            line_add(&batch, (struct slice){(uint8_t *)text, (size_t)len});
        }
    }
    free(text);
    line_free(&batch);
    line_free(&out);
    over_free(&o);
    return 0;
}
