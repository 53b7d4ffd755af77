/* tables.c: a file of block lists or agents as tables of C, which the program has built in.
 * usage: tables blocklists|agents IN.yaml OUT.c
 * In: the file, which the program's own reader takes or refuses. Out: C. So what is built in is found to be
 * right once, and costs no start of the program anything. Runs where the program is built. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "record/agents_rows.h"
#include "rule/blocklist_rows.h"

/* What the readers would give without a file: these tables are still to be made. */
const struct blocklist_table blocklists_builtin;
const struct agents agents_builtin;

/* A literal of C; without bytes that could join with those behind them to something else. */
static void print_quoted(FILE *out, struct slice text)
{
    putc('"', out);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\' || c == '?')
            fprintf(out, "\\%03o", c);
        else
            putc(c, out);
    }
    putc('"', out);
}

static void print_text(FILE *out, const char *member, struct slice text)
{
    if (!text.len)
        return;
    fprintf(out, ".%s = TEXT(", member);
    print_quoted(out, text);
    fputs("), ", out);
}

static void print_blocklists(FILE *out, const struct blocklist_table *is)
{
    fputs("static const struct blocklist rows[] = {\n", out);
    for (size_t i = 0; i < is->rows_len; i++) {
        const struct blocklist *row = &is->rows[i];
        fputs("    {", out);
        print_text(out, "name", row->name);
        print_text(out, "removal", row->removal);
        print_text(out, "retired", row->retired);
        fprintf(out, ".kind = %d, .domains = %d},\n", (int)row->kind, row->domains);
    }
    fputs("};\nstatic const struct blocklist_pattern patterns[] = {\n", out);
    for (size_t i = 0; i < is->patterns_len; i++) {
        const struct blocklist_pattern *p = &is->patterns[i];
        fputs("    {", out);
        print_text(out, "text", p->text);
        fprintf(out, ".literal = {%d, {", p->literal.len);
        for (size_t k = 0; k < p->literal.len || !k; k++)
            fprintf(out, "%d, ", p->literal.text[k]);
        fprintf(out, "}}, .row = %" PRIu32 "},\n", p->row);
    }
    fprintf(out, "};\nconst struct blocklist_table blocklists_builtin = {rows, patterns, %zu, %zu};\n",
            is->rows_len, is->patterns_len);
}

static int blocklists(const char *path, FILE *out, struct error *reterr)
{
    struct blocklists *lists;
    int err = blocklists_open(path, &lists, reterr);
    if (err)
        return err;
    fputs("#include \"rule/blocklist_rows.h\"\n", out);
    fputs("#define TEXT(s) {(const uint8_t *)s, sizeof s - 1}\n", out);
    print_blocklists(out, blocklists_table(lists));
    blocklists_close(lists);
    return 0;
}

static void print_agents(FILE *out, const struct agents *a)
{
    fputs("static const struct agent_row rows[] = {\n", out);
    for (size_t i = 0; i < a->count; i++) {
        const struct agent_row *row = &a->rows[i];
        fputs("    {", out);
        print_text(out, "name", row->name);
        print_text(out, "pattern", row->pattern);
        if (row->version) {
            fputs(".version = ", out);
            print_quoted(out, slice_str(row->version));
            fputs(", ", out);
        }
        fprintf(out, ".kind = %d, .line = %u, .start = %d, .word = %zu, .len = %zu, .next = %" PRIu32 "},\n",
                (int)row->kind, row->line, row->start, row->word, row->len, row->next);
    }
    fputs("};\nstatic const uint32_t heads[] = {", out);
    for (size_t i = 0; i <= a->mask; i++)
        fprintf(out, "%" PRIu32 ", ", a->heads[i]);
    fputs("};\nconst struct agents agents_builtin = {\n", out);
    fprintf(out,
            "    .rows = rows, .count = %zu, .heads = heads, .mask = %" PRIu32 ", .wordless = %" PRIu32
            "};\n",
            a->count, a->mask, a->wordless);
}

static int agents(const char *path, FILE *out, struct error *reterr)
{
    struct agents *a;
    int err = agents_open(path, &a, reterr);
    if (err)
        return err;
    fputs("#include \"record/agents_rows.h\"\n", out);
    fputs("#define TEXT(s) {(const uint8_t *)s, sizeof s - 1}\n", out);
    print_agents(out, a);
    agents_close(a);
    return 0;
}

int main(int argc, char **argv)
{
    struct error err = {""};
    bool lists = argc == 4 && strcmp(argv[1], "blocklists") == 0;
    if (argc != 4 || (!lists && strcmp(argv[1], "agents") != 0)) {
        fputs("usage: tables blocklists|agents IN.yaml OUT.c\n", stderr);
        return 2;
    }
    FILE *out = fopen(argv[3], "w");
    if (!out) {
        fprintf(stderr, "%s: %s\n", argv[3], strerror(errno));
        return 1;
    }
    int code = lists ? blocklists(argv[2], out, &err) : agents(argv[2], out, &err);
    if (code < 0)
        fprintf(stderr, "%s\n", err.text);
    bool broken = ferror(out);
    broken |= fclose(out) != 0;
    if (broken && !code) {
        fprintf(stderr, "%s: it cannot be written\n", argv[3]);
        code = -EIO;
    }
    return code < 0;
}
