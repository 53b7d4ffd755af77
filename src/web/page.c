/* page.c: the page's files.
 * In: page/built, embedded by tools/embed. Out: bytes, plain and compressed, by path. Owns: the compressed
 * ones. Knowingly: addresses have no hash in them, so each file is asked for again each time, by its tag. */
#include "web/page.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/memory.h"
#include "web/gzip.h"

#define PAGE_FILE(path, type, name)                                                                          \
    extern const unsigned char page_##name[];                                                                \
    extern const size_t page_##name##_len;
#include "web/page.def"

static const struct {
    const char *path, *type;
    const unsigned char *data;
    const size_t *len;
} embedded[] = {
#define PAGE_FILE(path, type, name) {path, type, page_##name, &page_##name##_len},
#include "web/page.def"
};
enum { FILES = sizeof embedded / sizeof *embedded, MOST = 64 << 20 };

static const char *const views[] = {
#define PAGE_VIEW(pattern) pattern,
#include "web/page.def"
};

struct page {
    struct page_file files[FILES];
    struct buf packed[FILES];
};

struct page *page_open(void)
{
    struct page *p = calloc(1, sizeof *p);
    memory_check(p);
    for (size_t i = 0; i < FILES; i++) {
        struct page_file *f = &p->files[i];
        uint8_t hash[SHA256_DIGEST_LENGTH];
        f->type = embedded[i].type;
        f->plain = (struct slice){embedded[i].data, *embedded[i].len};
        buf_init(&p->packed[i], MOST);
        if (gzip_whole(f->plain, &p->packed[i]))
            f->gzip = buf_slice(&p->packed[i]);
        SHA256(f->plain.data, f->plain.len, hash);
        f->tag[0] = '"';
        for (size_t b = 0; b < 12; b++)
            snprintf(f->tag + 1 + 2 * b, 4, "%02x\"", hash[b]);
    }
    return p;
}

void page_close(struct page *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < FILES; i++)
        buf_free(&p->packed[i]);
    free(p);
}

/* "/mails/{id}": all before the brace, and one segment more. */
static bool is_view(const char *pattern, struct slice path)
{
    struct slice want = slice_str(pattern);
    size_t brace = slice_index(want, '{');
    if (brace == want.len)
        return slice_eq(want, path);
    struct slice part = slice_sub(path, brace, path.len);
    return slice_eq(slice_sub(path, 0, brace), slice_sub(want, 0, brace)) && part.len &&
           slice_index(part, '/') == part.len;
}

const struct page_file *page_find(const struct page *p, struct slice path)
{
    for (size_t i = 0; i < FILES; i++)
        if (slice_eq(path, slice_str(embedded[i].path)))
            return &p->files[i];
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (is_view(views[i], path))
            return &p->files[0];
    return NULL;
}

bool page_is_known(const struct page_file *f, struct slice header)
{
    while (header.len) {
        size_t comma = slice_index(header, ',');
        struct slice tag = slice_trim(slice_sub(header, 0, comma));
        header = slice_sub(header, comma + 1, header.len);
        if (slice_case_starts(tag, "W/"))
            tag = slice_sub(tag, 2, tag.len);
        if (slice_eq(tag, slice_str(f->tag)) || slice_eq(tag, slice_str("*")))
            return true;
    }
    return false;
}
