/* yaml_file.c: a file of YAML, event by event.
 * In: a path. Out: libyaml's events, or file:line:column and what is wrong there. Owns: the bytes, the
 * parser, the last event. Limits: the caller's, in bytes. Knowingly: anchors, aliases, tags and second
 * documents are refused, as each could hide what the file says. Spec: YAML 1.1, by libyaml. */
#include "base/yaml_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static int read_bytes(struct yaml_file *f, struct error *reterr)
{
    uint8_t part[16384];
    struct stat st;
    FILE *file = fopen(f->path, "rb");
    if (!file)
        return error_set(reterr, -errno, "%s: %s", f->path, strerror(errno));
    int err = 0;
    bool fits = true;
    size_t n;
    if (fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode))
        err = error_set(reterr, -EISDIR, "%s: %s", f->path, strerror(EISDIR));
    while (!err && fits && (n = fread(part, 1, sizeof part, file)) > 0)
        fits = buf_add(&f->bytes, (struct slice){part, n});
    if (!err && ferror(file))
        err = error_set(reterr, -errno, "%s: %s", f->path, strerror(errno));
    if (!err && !fits)
        err = error_set(reterr, -EFBIG, "%s: larger than %zu bytes, which no file of %s is", f->path,
                        f->bytes.max, f->noun);
    fclose(file);
    return err;
}

/* `err`: how it went to get the bytes. */
static int start(struct yaml_file *f, int err, struct error *reterr)
{
    static const uint8_t nothing[1];
    if (!err && !yaml_parser_initialize(&f->parser))
        err = error_set(reterr, -ENOMEM, "%s: no memory", f->path);
    if (err) {
        buf_free(&f->bytes);
        return err;
    }
    yaml_parser_set_input_string(&f->parser, f->bytes.len ? f->bytes.data : nothing, f->bytes.len);
    return 0;
}

int yaml_file_open(struct yaml_file *f, const char *path, const char *noun, size_t most, struct error *reterr)
{
    *f = (struct yaml_file){.path = path, .noun = noun};
    buf_init(&f->bytes, most);
    return start(f, read_bytes(f, reterr), reterr);
}

int yaml_file_open_text(struct yaml_file *f, const char *name, struct slice text, const char *noun,
                        size_t most, struct error *reterr)
{
    *f = (struct yaml_file){.path = name, .noun = noun};
    buf_init(&f->bytes, most);
    int err =
        buf_add(&f->bytes, text) ? 0 : error_set(reterr, -EFBIG, "%s: larger than %zu bytes", name, most);
    return start(f, err, reterr);
}

struct yaml_where yaml_file_say(const struct yaml_file *f, struct yaml_place place)
{
    struct yaml_where ret;
    size_t len = strlen(f->path), most = YAML_WHERE - 64;
    snprintf(ret.text, sizeof ret.text, "%s%s:%zu:%zu: ", len > most ? "..." : "",
             f->path + (len > most ? len - most : 0), place.line + 1, place.column + 1);
    return ret;
}

struct yaml_place yaml_file_place(const struct yaml_file *f)
{
    return (struct yaml_place){f->event.start_mark.line, f->event.start_mark.column};
}

struct yaml_where yaml_file_where(const struct yaml_file *f)
{
    return yaml_file_say(f, yaml_file_place(f));
}

/* libyaml says where a byte that is no text stands by its offset alone. */
static struct yaml_place place_of(const struct yaml_file *f, size_t offset)
{
    struct slice before = slice_sub(buf_slice(&f->bytes), 0, offset);
    size_t line = 0, lf;
    while ((lf = slice_index(before, '\n')) < before.len) {
        before = slice_sub(before, lf + 1, before.len);
        line++;
    }
    return (struct yaml_place){line, before.len};
}

static int not_yaml(struct yaml_file *f, struct error *reterr)
{
    const char *problem = f->parser.problem ? f->parser.problem : "no memory";
    struct yaml_place place = {f->parser.problem_mark.line, f->parser.problem_mark.column};
    if (f->parser.error == YAML_READER_ERROR)
        place = place_of(f, f->parser.problem_offset);
    return error_set(reterr, -EINVAL, "%snot YAML: %s", yaml_file_say(f, place).text, problem);
}

static bool is_marked(const yaml_event_t *ev)
{
    if (ev->type == YAML_SCALAR_EVENT)
        return ev->data.scalar.anchor || ev->data.scalar.tag;
    if (ev->type == YAML_SEQUENCE_START_EVENT)
        return ev->data.sequence_start.anchor || ev->data.sequence_start.tag;
    if (ev->type == YAML_MAPPING_START_EVENT)
        return ev->data.mapping_start.anchor || ev->data.mapping_start.tag;
    return ev->type == YAML_ALIAS_EVENT;
}

int yaml_file_next(struct yaml_file *f, struct error *reterr)
{
    yaml_event_delete(&f->event);
    if (!yaml_parser_parse(&f->parser, &f->event)) {
        memset(&f->event, 0, sizeof f->event);
        return not_yaml(f, reterr);
    }
    const yaml_event_t *ev = &f->event;
    if (is_marked(ev))
        return error_set(reterr, -EINVAL, "%sanchors (&), aliases (*) and tags (!) have no place in %s",
                         yaml_file_where(f).text, f->noun);
    if (ev->type != YAML_DOCUMENT_START_EVENT)
        return 0;
    if (ev->data.document_start.tag_directives.start != ev->data.document_start.tag_directives.end)
        return error_set(reterr, -EINVAL, "%stags have no place in %s", yaml_file_where(f).text, f->noun);
    if (f->documents++)
        return error_set(reterr, -EINVAL, "%sa second document; %s are one", yaml_file_where(f).text,
                         f->noun);
    return 0;
}

struct slice yaml_file_scalar(const struct yaml_file *f)
{
    return (struct slice){f->event.data.scalar.value, f->event.data.scalar.length};
}

bool yaml_file_is_nothing(const struct yaml_file *f)
{
    return !f->event.data.scalar.length && f->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

void yaml_file_close(struct yaml_file *f)
{
    yaml_event_delete(&f->event);
    yaml_parser_delete(&f->parser);
    buf_free(&f->bytes);
}
