/* A file of YAML that is a list of rows, each a mapping of known keys to texts: block lists, agents. */
#ifndef BASE_YAML_ROWS_H
#define BASE_YAML_ROWS_H

#include "base/nearest.h"
#include "base/yaml_file.h"

enum { YAML_ROW_KEYS = 8 };

/* The row that is read. Its texts live until the next row begins. */
struct yaml_row {
    struct buf text; /* all of them, as the YAML parser keeps none */
    bool has[YAML_ROW_KEYS];
    size_t from[YAML_ROW_KEYS], to[YAML_ROW_KEYS]; /* in `text` */
    struct yaml_place start;                       /* where it begins, for what is missing in it */
    unsigned line;
};

/* Who takes the rows. Each callback returns 0 or -errno, with the place and what is wrong in *reterr; then
 * reading ends. */
struct yaml_rows {
    const char *const *keys;
    size_t count; /* of keys, up to YAML_ROW_KEYS */
    size_t many;  /* the one key whose value may be a list of texts too; its texts go to `item`, not into the
                     row */
    void (*begin)(void *ctx);
    /* f->event is the scalar; `text` its text, which lives as long. */
    int (*value)(void *ctx, size_t key, struct slice text, struct error *reterr);
    int (*item)(void *ctx, struct yaml_row *row, struct slice text, struct error *reterr);
    int (*end)(void *ctx, const struct yaml_row *row, struct error *reterr);
    void *ctx;
};

/* Reads an open file to its end. `most`: bytes of one row's texts. 0, or -errno: of a callback, of
 * yaml_file_next, or -EINVAL where it is no such list. */
int yaml_rows_read(struct yaml_file *f, const struct yaml_rows *how, size_t most, struct error *reterr);
/* Empty where the row has none. */
struct slice yaml_row_text(const struct yaml_row *row, size_t key);
/* "no kind 'x'; the nearest is 'y'", at the event's place. Returns -EINVAL. */
int yaml_no_such(const struct yaml_file *f, const char *what, const struct nearest *near,
                 struct error *reterr);

#endif
