/* script.c: reads a dialogue text.
 * In: a file. Out: struct script. Owns: the bytes. Limits: SCRIPT_STEPS lines. */
#include "script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int hex(uint8_t c)
{
    c = byte_lower(c);
    return byte_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Adds the text with its escapes resolved; true where a lone backslash at its end keeps the CRLF away. */
static bool add_text(struct buf *out, struct slice text)
{
    static const char names[] = "rnt0\\", values[] = "\r\n\t\0\\";
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c != '\\') {
            buf_add_byte(out, c);
            continue;
        }
        if (i + 1 == text.len)
            return true;
        const char *name = strchr(names, text.data[++i]);
        if (text.data[i] == 'x' && i + 2 < text.len) {
            buf_add_byte(out, (uint8_t)(hex(text.data[i + 1]) << 4 | hex(text.data[i + 2])));
            i += 2;
        } else if (name) {
            buf_add_byte(out, (uint8_t)values[name - names]);
        }
    }
    return false;
}

static void add_base64(struct buf *out, uint64_t bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t state = 1;
    for (uint64_t i = 0, column = 0; i < bytes; i += 3) {
        state = state * 1664525 + 1013904223;
        uint64_t left = bytes - i;
        for (unsigned k = 0; k < 4; k++)
            buf_add_byte(out,
                         k > left ? '=' : (uint8_t)digits[state >> (8 + 6 * k) & (k == left ? 0x30 : 63)]);
        column += 4;
        if (column == 76 || left <= 3) {
            buf_add_str(out, "\r\n");
            column = 0;
        }
    }
}

static void add_step(struct script *s, enum side side, uint64_t gap, size_t from, size_t line)
{
    if (s->count < SCRIPT_STEPS)
        s->steps[s->count++] = (struct step){side, gap, from, s->bytes.len, line};
}

static void add_tls(struct script *s, size_t line)
{
    static const uint8_t hello[2][11] = {{0x16, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3},
                                         {0x16, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3}};
    for (int side = 0; side < 2; side++) {
        size_t from = s->bytes.len;
        buf_add(&s->bytes, (struct slice){hello[side], sizeof hello[side]});
        add_step(s, (enum side)side, 0, from, line);
    }
}

static bool add_line(struct script *s, struct slice line, size_t number)
{
    uint64_t n = 0;
    size_t from = s->bytes.len;
    bool server = slice_case_starts(line, "S:"), gap_server = slice_case_starts(line, "GAP S ");
    if (slice_eq(line, slice_str("@start midstream"))) {
        s->midstream = true;
    } else if (server || slice_case_starts(line, "C:")) {
        struct slice text = slice_sub(line, line.len > 2 && line.data[2] == ' ' ? 3 : 2, line.len);
        if (!add_text(&s->bytes, text))
            buf_add_str(&s->bytes, "\r\n");
        add_step(s, server ? SIDE_SERVER : SIDE_CLIENT, 0, from, number);
    } else if (slice_case_starts(line, "C64: ") && slice_number(slice_sub(line, 5, line.len), &n)) {
        add_base64(&s->bytes, n);
        add_step(s, SIDE_CLIENT, 0, from, number);
    } else if ((gap_server || slice_case_starts(line, "GAP C ")) &&
               slice_number(slice_sub(line, 6, line.len), &n)) {
        add_step(s, gap_server ? SIDE_SERVER : SIDE_CLIENT, n, from, number);
    } else if (slice_eq(line, slice_str("TLS"))) {
        add_tls(s, number);
    } else {
        return !line.len || line.data[0] == '#' || line.data[0] == '@';
    }
    return true;
}

int script_load(const char *path, struct script *ret, struct error *reterr)
{
    FILE *file = fopen(path, "rb");
    char *line = NULL;
    size_t room = 0, number = 0;
    ssize_t len;
    int err = 0;
    if (!file)
        return error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    ret->midstream = false;
    ret->count = 0;
    buf_init(&ret->bytes, 16 << 20);
    while (!err && (len = getline(&line, &room, file)) >= 0) {
        while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            len--;
        if (!add_line(ret, (struct slice){(uint8_t *)line, (size_t)len}, ++number) ||
            ret->count == SCRIPT_STEPS)
            err = error_set(reterr, -EINVAL, "%s:%zu: no line of a dialogue text, or one too many", path,
                            number);
    }
    free(line);
    fclose(file);
    return err;
}

void script_free(struct script *s)
{
    buf_free(&s->bytes);
}
