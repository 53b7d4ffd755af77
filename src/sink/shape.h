/* The same records in the shapes of others: a table of renames each, and one engine that goes by them. */
#ifndef SINK_SHAPE_H
#define SINK_SHAPE_H

#include "sink/convert.h"
#include "sink/sink.h"

/* One rename.
 *
 * `ours` names a field by its path from the record on ("ssl.certificate.sha256"); of a list's items "[]"
 * stands behind it ("files[].name"). "" is the record as a whole, "files[]" an item as a whole.
 *
 * `theirs` is the path in their object. At its end "[]" makes a list of all values of all rows with that
 * path,
 * "{}" one without repeats, and "*" takes what is left. Amid it "[]" makes a list of objects, one an item of
 * the list that `ours` goes through; "[2]" is the object of that number in a list, which is left out where
 * nothing is in it. Where a path without a list has several rows, the first that gives a value counts; of a
 * list of ours the first item that does.
 *
 * An object with nothing in it, but LABEL and LABEL_NUMBER, is left out. */
struct shape_row {
    unsigned streams; /* a bit for each, by enum stream_index */
    const char *ours, *theirs;
    enum conversion how;
    const char *with;
};

struct table_of_shape {
    const char *name;
    const struct shape_row *rows;
    size_t count;
    bool flat;  /* dots in `theirs` are a part of the name */
    bool alone; /* on standard output the first stream stands alone */
};

/* The shapes, each out of shape_NAME.def. */
extern const struct table_of_shape shape_zeek_json, shape_ecs, shape_ocsf, shape_eve;

/* What a table became for one stream: a tree of their objects. */
struct shape_tree;
/* NULL: the shape has no place for the stream. Free with the next. A row that names no field of ours is an
 * assertion that fails. */
struct shape_tree *shape_tree_new(const struct table_of_shape *table, const struct stream *stream);
void shape_tree_free(struct shape_tree **tree);
/* Adds the record as one JSON object and a line end (RFC 8259): always valid UTF-8. */
void shape_record(struct shape_tree *tree, const struct record *rec, struct line *out);

#endif
