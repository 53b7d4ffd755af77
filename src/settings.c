/* settings.c: one table of settings, and its readers.
 * In: YAML, key=value. Out: struct settings. Owns: nothing.
 * Knowingly: every scalar is text until its row says what it is, so that "no" stays a word; anchors and aliases are refused. */
#include "settings.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <yaml.h>

enum type { CHECKSUMS, CAPTURE, NETWORKS, PORTS, COUNT, SIZE, DURATION };

static const char *const type_names[] = {
    [CHECKSUMS] = "ignore|verify", [CAPTURE] = "local|remote|all|none", [NETWORKS] = "list of networks",
    [PORTS] = "list of ports",     [COUNT] = "count",                   [SIZE] = "size (B, KiB, MiB, GiB)",
    [DURATION] = "duration (ms, s, m, h)",
};

struct row {
    const char *name;
    enum type type;
    size_t offset;
    const char *fallback, *meaning;
};

static const struct row rows[] = {
#define SETTING(name, type, fallback, meaning) {#name, type, offsetof(struct settings, name), fallback, meaning},
#include "settings.def"
#undef SETTING
};
enum { ROWS = sizeof rows / sizeof *rows };

static bool parse_word(const char *const *words, size_t count, struct slice value, uint64_t *ret)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_case_eq(value, slice_str(words[i]))) {
            *ret = i;
            return true;
        }
    }
    return false;
}

struct unit {
    const char *name;
    double factor;
};

static bool parse_unit(const struct unit *units, struct slice name, double *ret)
{
    for (; units->name; units++) {
        if (slice_case_eq(name, slice_str(units->name))) {
            *ret = units->factor;
            return true;
        }
    }
    return false;
}

static bool parse_amount(const struct unit *units, struct slice value, double *ret)
{
    uint64_t whole = 0;
    double factor = 1, amount;
    size_t n = slice_number(value, &whole);
    amount = (double)whole;
    if (n && n < value.len && value.data[n] == '.') {
        double place = 0.1;
        for (n++; n < value.len && byte_is_digit(value.data[n]); n++, place /= 10)
            amount += (value.data[n] - '0') * place;
    }
    if (!n || !parse_unit(units, slice_trim(slice_sub(value, n, value.len)), &factor))
        return false;
    *ret = amount * factor;
    return true;
}

static bool add_item(const struct row *row, void *field, struct slice item)
{
    if (row->type == NETWORKS) {
        struct network_set *set = field;
        if (set->count == SETTINGS_NETWORKS || !network_parse(item, &set->items[set->count]))
            return false;
        set->count++;
        return true;
    }
    struct port_set *set = field;
    uint64_t port = 0;
    if (set->count == SETTINGS_PORTS || slice_number(item, &port) != item.len || !port || port > 65535)
        return false;
    set->items[set->count++] = (uint16_t)port;
    return true;
}

static bool is_list(const struct row *row)
{
    return row->type == NETWORKS || row->type == PORTS;
}

static void clear_list(const struct row *row, void *field)
{
    if (row->type == NETWORKS)
        ((struct network_set *)field)->count = 0;
    else
        ((struct port_set *)field)->count = 0;
}

static bool parse_list(const struct row *row, void *field, struct slice value)
{
    clear_list(row, field);
    while (slice_trim(value).len) {
        size_t comma = slice_index(value, ',');
        if (!add_item(row, field, slice_trim(slice_sub(value, 0, comma))))
            return false;
        value = slice_sub(value, comma + 1, value.len);
    }
    return true;
}

static bool parse_value(const struct row *row, void *field, struct slice value)
{
    static const char *const checksums[] = {"ignore", "verify"}, *const captures[] = {"local", "remote", "all", "none"};
    static const struct unit sizes[] = {{"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {NULL, 0}};
    static const struct unit times[] = {{"s", 1}, {"ms", 0.001}, {"m", 60}, {"h", 3600}, {NULL, 0}};
    double amount = 0;
    switch (row->type) {
    case CHECKSUMS:
        return parse_word(checksums, 2, value, field);
    case CAPTURE:
        return parse_word(captures, 4, value, field);
    case NETWORKS:
    case PORTS:
        return parse_list(row, field, value);
    case COUNT:
        return value.len && slice_number(value, field) == value.len && *(uint64_t *)field > 0 && *(uint64_t *)field < UINT32_MAX;
    case SIZE:
        if (!parse_amount(sizes, value, &amount) || amount < 1 || amount > 1e15)
            return false;
        *(uint64_t *)field = (uint64_t)amount;
        return true;
    case DURATION:
        return parse_amount(times, value, (double *)field);
    }
    return false;
}

/* Edits to turn one name into the other (Levenshtein), for the nearest name. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64], la = strlen(a), lb = strlen(b);
    if (la > 60 || lb > 60)
        return 99;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t edit = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < edit ? change : edit;
        }
    }
    return row[lb];
}

static const struct row *row_find(const char *name, const char *where, struct error *reterr)
{
    const struct row *nearest = rows;
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
        if (distance(name, rows[i].name) < distance(name, nearest->name))
            nearest = &rows[i];
    }
    error_set(reterr, 0, "%sno setting '%.60s'; the nearest is '%s'", where, name, nearest->name);
    return NULL;
}

static int bad_value(const struct row *row, const char *where, const char *value, struct error *reterr)
{
    return error_set(reterr, -EINVAL, "%s'%.60s' is no value for %s: wants %s", where, value, row->name,
                     type_names[row->type]);
}

void settings_defaults(struct settings *ret)
{
    *ret = (struct settings){0};
    for (size_t i = 0; i < ROWS; i++) {
        bool ok = parse_value(&rows[i], (char *)ret + rows[i].offset, slice_str(rows[i].fallback));
        assert(ok);
    }
}

int settings_assign(struct settings *set, const char *assignment, struct error *reterr)
{
    const char *equals = strchr(assignment, '=');
    char name[64];
    if (!equals || equals == assignment || (size_t)(equals - assignment) >= sizeof name)
        return error_set(reterr, -EINVAL, "-s wants key=value, not '%.60s'", assignment);
    memcpy(name, assignment, (size_t)(equals - assignment));
    name[equals - assignment] = '\0';
    const struct row *row = row_find(name, "-s: ", reterr);
    if (!row)
        return -EINVAL;
    if (!parse_value(row, (char *)set + row->offset, slice_trim(slice_str(equals + 1))))
        return bad_value(row, "-s: ", equals + 1, reterr);
    return 0;
}

struct reader {
    struct settings *set;
    const char *path;
    yaml_parser_t yaml;
    yaml_event_t event;
    char where[256];
};

static int reader_next(struct reader *r, struct error *reterr)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->yaml, &r->event)) {
        memset(&r->event, 0, sizeof r->event);
        return error_set(reterr, -EINVAL, "%s:%zu:%zu: %s", r->path, r->yaml.problem_mark.line + 1,
                         r->yaml.problem_mark.column + 1, r->yaml.problem ? r->yaml.problem : "not YAML");
    }
    snprintf(r->where, sizeof r->where, "%s:%zu:%zu: ", r->path, r->event.start_mark.line + 1,
             r->event.start_mark.column + 1);
    return 0;
}

static struct slice scalar(const struct reader *r)
{
    return (struct slice){r->event.data.scalar.value, r->event.data.scalar.length};
}

static int read_list(struct reader *r, const struct row *row, struct error *reterr)
{
    void *field = (char *)r->set + row->offset;
    clear_list(row, field);
    for (;;) {
        int err = reader_next(r, reterr);
        if (err)
            return err;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return 0;
        if (r->event.type != YAML_SCALAR_EVENT || !add_item(row, field, slice_trim(scalar(r))))
            return bad_value(row, r->where, r->event.type == YAML_SCALAR_EVENT ? (char *)r->event.data.scalar.value : "?",
                             reterr);
    }
}

static int read_pair(struct reader *r, struct error *reterr)
{
    const struct row *row = row_find((const char *)r->event.data.scalar.value, r->where, reterr);
    if (!row)
        return -EINVAL;
    int err = reader_next(r, reterr);
    if (err)
        return err;
    if (r->event.type == YAML_SEQUENCE_START_EVENT && is_list(row))
        return read_list(r, row, reterr);
    if (r->event.type != YAML_SCALAR_EVENT)
        return error_set(reterr, -EINVAL, "%s%s wants %s", r->where, row->name, type_names[row->type]);
    if (!parse_value(row, (char *)r->set + row->offset, slice_trim(scalar(r))))
        return bad_value(row, r->where, (char *)r->event.data.scalar.value, reterr);
    return 0;
}

static int read_document(struct reader *r, struct error *reterr)
{
    unsigned depth = 0;
    for (;;) {
        int err = reader_next(r, reterr);
        if (err)
            return err;
        yaml_event_type_t type = r->event.type;
        if (type == YAML_STREAM_END_EVENT)
            return 0;
        if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT || type == YAML_DOCUMENT_END_EVENT)
            continue;
        if (type == YAML_MAPPING_START_EVENT && depth == 0)
            depth++;
        else if (type == YAML_MAPPING_END_EVENT)
            depth--;
        else if (type == YAML_SCALAR_EVENT && depth == 1)
            err = read_pair(r, reterr);
        else if (type != YAML_SCALAR_EVENT || r->event.data.scalar.length)
            err = error_set(reterr, -EINVAL, "%swants 'name: value' lines", r->where);
        if (err)
            return err;
    }
}

int settings_load(struct settings *set, const char *path, struct error *reterr)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    struct reader r = {.set = set, .path = path};
    yaml_parser_initialize(&r.yaml);
    yaml_parser_set_input_file(&r.yaml, file);
    int err = read_document(&r, reterr);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.yaml);
    fclose(file);
    return err;
}

void settings_print(FILE *out)
{
    for (size_t i = 0; i < ROWS; i++)
        fprintf(out, "%s: %s\n    %s\n    %s\n", rows[i].name, rows[i].fallback[0] ? rows[i].fallback : "[]",
                type_names[rows[i].type], rows[i].meaning);
}
