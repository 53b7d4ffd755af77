/* The tree that a table of a shape becomes for one stream. */
#ifndef SINK_SHAPE_TREE_H
#define SINK_SHAPE_TREE_H

#include "sink/shape.h"

enum node_kind {
    NODE_VALUE,  /* one value; `first`: rows that take its place where it has none */
    NODE_OBJECT, /* members */
    NODE_LIST,   /* an object for each item of our list at the end of `via`; members */
    NODE_ARRAY,  /* objects, each where something is in it */
    NODE_GATHER, /* a list of the values of its nodes */
    NODE_REST,   /* what is left */
};

enum { NODE_VIA = 6 };

struct node {
    enum node_kind kind;
    char *name; /* as it is in `theirs` */
    char *key;  /* with comma, quotes and colon; NULL: it has none */
    size_t key_len;
    bool distinct;                     /* of GATHER */
    const struct shape_row *row;       /* of VALUE and REST */
    const struct field *via[NODE_VIA]; /* from the record, or the item of the list around it, to the value */
    size_t via_count;
    struct node *first, *last, *next;
};

/* Of our fields, those that are left: whole where it has no members. */
struct rest {
    const struct field *field;
    struct rest *members;
    size_t count;
};

/* For `distinct`: the last values of a list. */
enum { SHAPE_SEEN = 1000 };
struct shape_seen {
    uint64_t hash;
    size_t at, len; /* in the line */
};

struct shape_tree {
    struct node root;
    struct rest rest;
    /* What a record under construction needs. */
    size_t content;            /* values so far that are no labels */
    const struct node *gather; /* NULL: none */
    size_t gathered;
    struct shape_seen seen[SHAPE_SEEN];
};

#endif
