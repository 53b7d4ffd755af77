/* A file of YAML that a person wrote, event by event, with the place of each for messages. */
#ifndef BASE_YAML_FILE_H
#define BASE_YAML_FILE_H

#include <yaml.h>
#include "base/buf.h"
#include "base/error.h"

enum { YAML_WHERE = 256 };

/* A place in a file, as libyaml counts: both from 0. */
struct yaml_place {
    size_t line, column;
};
/* "path:line:column: ", a long path by its end. */
struct yaml_where {
    char text[YAML_WHERE];
};

struct yaml_file {
    const char *path, *noun;
    struct buf bytes;
    yaml_parser_t parser;
    yaml_event_t event; /* the last one; lives until the next call */
    unsigned documents;
};

/* Reads the whole file, at most `most` bytes of it. `noun` is what the file is made of, in the plural, for
 * messages; it and `path` are the caller's and must outlive the file. 0: yaml_file_close() is owed; a
 * negative errno: nothing is. -EFBIG: larger than `most`. */
int yaml_file_open(struct yaml_file *f, const char *path, const char *noun, size_t most,
                   struct error *reterr);
/* The same of a text in memory, which is copied; `name` stands for the path. */
int yaml_file_open_text(struct yaml_file *f, const char *name, struct slice text, const char *noun,
                        size_t most, struct error *reterr);
/* The next event. -EINVAL: no YAML 1.1; or an anchor, an alias, a tag or a second document, as each could
 * hide what the file says. After YAML_STREAM_END_EVENT there is nothing to ask for. */
int yaml_file_next(struct yaml_file *f, struct error *reterr);
/* The text of a scalar event; lives as long as the event. */
struct slice yaml_file_scalar(const struct yaml_file *f);
/* Of a scalar event: nothing was written there, not even quotes. */
bool yaml_file_is_nothing(const struct yaml_file *f);
/* Where the event begins; and as messages say a place, also of a file that is closed. */
struct yaml_place yaml_file_place(const struct yaml_file *f);
struct yaml_where yaml_file_say(const struct yaml_file *f, struct yaml_place place);
struct yaml_where yaml_file_where(const struct yaml_file *f);
void yaml_file_close(struct yaml_file *f);

#endif
