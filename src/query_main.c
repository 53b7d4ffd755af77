/* query_main.c: the command `mailtap query`.
 * In: its arguments. Out: rows on standard output, what is wrong on standard error, the exit code. Owns: the
 * reader. Limits: none of its own; a terminal gets whole lines as they are found. */
#include "query_main.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/memory.h"
#include "base/nearest.h"
#include "base/now.h"
#include "command.h"
#include "read.h"
#include "sink/sink.h"
#include "stores.h"
#include "view/reader.h"
#include "view/record_of.h"

enum { FIELDS_MOST = 96, FIELD_ID = -1, SHOWN = 72, LINE_BYTES = 1 << 30 };
enum form { FORM_TEXT, FORM_JSON, FORM_CSV };

struct arguments {
    const char *directory, *text; /* the folder, or a server's URL; the query */
    struct settings_source source;
    const char **files, **assigned;
    unsigned streams;
    enum form form;
    const char *fields; /* as given; NULL: all */
    uint64_t limit;
    bool oldest, count, explain, form_given;
};

struct printing {
    const struct arguments *args;
    int fields[FIELDS_MOST]; /* indexes of the stream's fields, or FIELD_ID */
    size_t count;
    enum stream_index stream;
    struct buf out;
    struct record_of *record_of;
    struct sink *text;
    int failed; /* errno of standard output */
};

static const struct {
    const char *name;
    unsigned streams;
} stream_names[] = {{"smtp", QUERY_SMTP},     {"smtp_session", QUERY_SESSION},
                    {"notice", QUERY_NOTICE}, {"software", QUERY_SOFTWARE},
                    {"stats", QUERY_STATS},   {"scripts", QUERY_ENTRY},
                    {"all", QUERY_ALL}};
static const char *const form_names[] = {[FORM_TEXT] = "text", [FORM_JSON] = "json", [FORM_CSV] = "csv"};

static const char help[] =
    "usage: mailtap query STORE 'QUERY' [-c settings.yaml] [-s key=value]... [--stream "
    "smtp|smtp_session|notice|software|stats|scripts|all] [-f text|json|csv] "
    "[--fields a,b,c] [--limit N] [--oldest] [--count] [--explain]\n"
    "STORE: a folder of day files, or clickhouse[s]://HOST[:PORT]/DATABASE\n";

static int bad(const char *text)
{
    return command_misused(text, help);
}

static void say_near(const struct nearest *near)
{
    if (near->name && near->edits * 2 <= near->given.len)
        fprintf(stderr, "; the nearest is '%s'", near->name);
}

static void say_nearest(const struct nearest *near)
{
    say_near(near);
    fputc('\n', stderr);
}

static int take_stream(struct arguments *args, const char *name)
{
    struct nearest near = nearest_to(slice_str(name));
    for (size_t i = 0; i < sizeof stream_names / sizeof *stream_names; i++) {
        nearest_try(&near, stream_names[i].name);
        if (strcmp(name, stream_names[i].name) == 0) {
            args->streams = stream_names[i].streams;
            return -1;
        }
    }
    fprintf(stderr, "mailtap: no stream '%.60s'", name);
    say_near(&near);
    fputs("; there are smtp, smtp_session, notice, software, stats, scripts, all\n", stderr);
    return EXIT_USAGE;
}

static int take_form(struct arguments *args, const char *name)
{
    struct nearest near = nearest_to(slice_str(name));
    for (int i = FORM_TEXT; i <= FORM_CSV; i++) {
        nearest_try(&near, form_names[i]);
        if (strcmp(name, form_names[i]) == 0) {
            args->form = (enum form)i;
            args->form_given = true;
            return -1;
        }
    }
    fprintf(stderr, "mailtap: no format '%.60s'", name);
    say_near(&near);
    fputs("; there are text, json, csv\n", stderr);
    return EXIT_USAGE;
}

static int take_limit(struct arguments *args, const char *text)
{
    struct slice s = slice_str(text);
    if (!s.len || slice_number(s, &args->limit) != s.len || !args->limit || args->limit > INT64_MAX)
        return bad("--limit wants a number above 0");
    return -1;
}

static int take_option(int c, struct arguments *args, char **argv)
{
    static const char *const known[] = {"--stream",  "--fields", "--limit", "--oldest", "--count",
                                        "--explain", "-f",       "-c",      "-s",       NULL};
    switch (c) {
    case 'c':
        args->files[args->source.file_count++] = optarg;
        return -1;
    case 's':
        args->assigned[args->source.assigned_count++] = optarg;
        return -1;
    case 'S':
        return take_stream(args, optarg);
    case 'f':
        return take_form(args, optarg);
    case 'F':
        args->fields = optarg;
        return -1;
    case 'n':
        return take_limit(args, optarg);
    case 'o':
        args->oldest = true;
        return -1;
    case 'C':
        args->count = true;
        return -1;
    case 'e':
        args->explain = true;
        return -1;
    case 'h':
        fputs(help, stdout);
        return EXIT_DONE;
    }
    return command_bad_option("query", c, argv, known, help);
}

/* Behind the store stands the query, which may begin with a - too. */
static bool is_place(const struct arguments *args, const char *arg)
{
    bool form = strncmp(arg, "-f", 2) == 0 && (!arg[2] || strcmp(arg + 2, "json") == 0 ||
                                               strcmp(arg + 2, "csv") == 0 || strcmp(arg + 2, "text") == 0);
    if (arg[0] != '-' || !arg[1])
        return true;
    bool option = form || strcmp(arg, "-h") == 0 || strcmp(arg, "-c") == 0 || strcmp(arg, "-s") == 0;
    return args->directory && !args->text && arg[1] != '-' && !option;
}

static int take_place(struct arguments *args, const char *arg)
{
    if (args->text)
        return bad("query wants one query; put it between quotation marks");
    if (args->directory)
        args->text = arg;
    else
        args->directory = arg;
    return -1;
}

static int take_arguments(int argc, char **argv, struct arguments *args)
{
    static const struct option longs[] = {
        {"stream", required_argument, NULL, 'S'}, {"fields", required_argument, NULL, 'F'},
        {"limit", required_argument, NULL, 'n'},  {"oldest", no_argument, NULL, 'o'},
        {"count", no_argument, NULL, 'C'},        {"explain", no_argument, NULL, 'e'},
        {"help", no_argument, NULL, 'h'},         {0}};
    int c, code = -1;
    opterr = 0;
    while (code < 0 && optind < argc) {
        if (optind < argc && is_place(args, argv[optind]))
            code = take_place(args, argv[optind++]);
        else if ((c = getopt_long(argc, argv, "+:f:c:s:h", longs, NULL)) != -1)
            code = take_option(c, args, argv);
    }
    args->source.files = args->files;
    args->source.assigned = args->assigned;
    if (code >= 0)
        return code;
    if (!args->directory)
        return bad("query wants a store's folder or server, and a query between quotation marks");
    /* As -o takes it. */
    if (strncmp(args->directory, "sqlite:", 7) == 0)
        args->directory += 7;
    args->text = args->text ? args->text : "";
    if (args->fields && args->form_given && args->form == FORM_TEXT)
        return bad("--fields is for -f json and csv");
    if (args->fields && !args->form_given)
        args->form = FORM_CSV;
    /* As the API has it. */
    if (args->fields && strcmp(args->fields, "all") == 0)
        args->fields = NULL;
    bool many = args->streams & (args->streams - 1);
    if (many && (args->form == FORM_CSV || args->fields))
        return bad("csv and --fields want one stream");
    return -1;
}

/* Columns that a text takes, near enough for a sign under it. */
static size_t columns(struct slice s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += (s.data[i] & 0xc0) != 0x80;
    return count;
}

static void show_error(struct slice text, const struct query_error *err)
{
    size_t from = err->at > SHOWN / 2 && text.len > SHOWN ? err->at - SHOWN / 2 : 0,
           to = from + SHOWN < text.len ? from + SHOWN : text.len;
    while (from && (text.data[from] & 0xc0) == 0x80)
        from--;
    fprintf(stderr, "mailtap: %s", err->text);
    if (err->nearest[0])
        fprintf(stderr, "; the nearest is '%s'", err->nearest);
    fputs("\n  ", stderr);
    for (size_t i = from; i < to; i++)
        fputc(text.data[i] < ' ' || text.data[i] == 0x7f ? ' ' : text.data[i], stderr);
    size_t end = err->at + err->len < to ? err->at + err->len : to,
           len = columns(slice_sub(text, err->at, end));
    fprintf(stderr, "\n  %*s", (int)columns(slice_sub(text, from, err->at)), "");
    for (size_t i = 0; i < (len ? len : 1); i++)
        fputc('^', stderr);
    fputc('\n', stderr);
}

static int find_field(const struct stream *stream, struct slice name)
{
    for (size_t i = 0; i < stream->count; i++)
        if (slice_eq(slice_str(stream->fields[i].name), name))
            return (int)i;
    return -1;
}

/* True: there is such a field; it is added. */
static bool add_field(struct printing *p, const struct stream *stream, struct slice name)
{
    struct nearest near = nearest_to(name);
    int at = find_field(stream, name);
    if (p->count == FIELDS_MOST)
        return bad("too many fields"), false;
    if (at < 0 && slice_eq(name, slice_str("id")))
        at = FIELD_ID;
    else if (at < 0) {
        for (size_t i = 0; i < stream->count; i++)
            nearest_try(&near, stream->fields[i].name);
        fprintf(stderr, "mailtap: stream %s has no field '%.*s'", stream->path,
                (int)(name.len < 60 ? name.len : 60), (const char *)name.data);
        say_nearest(&near);
        return false;
    }
    for (size_t i = 0; i < p->count; i++)
        if (p->fields[i] == at)
            return true;
    p->fields[p->count++] = at;
    return true;
}

static bool choose_fields(struct printing *p)
{
    const struct stream *stream = p->stream == STREAM_ENTRY ? NULL : stream_table[p->stream];
    p->count = 0;
    if (!stream && (p->args->fields || p->args->form == FORM_CSV))
        return bad("records of scripts have no fields of their own; use -f json"), false;
    if (!p->args->fields && stream)
        for (size_t i = 0; i < stream->count; i++)
            p->fields[p->count++] = (int)i;
    for (struct slice rest = slice_str(p->args->fields ? p->args->fields : ""); rest.len;) {
        size_t comma = slice_index(rest, ',');
        if (!add_field(p, stream, slice_trim(slice_sub(rest, 0, comma))))
            return false;
        rest = slice_sub(rest, comma + 1, rest.len);
    }
    return true;
}

static void add_json(struct printing *p, const struct reader_row *row)
{
    buf_add_byte(&p->out, '{');
    for (size_t i = 0; i < p->count; i++) {
        size_t at = p->out.len;
        if (at > 1)
            buf_add_byte(&p->out, ',');
        if (p->fields[i] == FIELD_ID) {
            buf_printf(&p->out, "\"id\":\"%llu\"", (unsigned long long)reader_row_id(row));
            continue;
        }
        buf_printf(&p->out, "\"%s\":", stream_table[p->stream]->fields[p->fields[i]].name);
        if (!reader_row_json(row, (size_t)p->fields[i], &p->out))
            p->out.len = at;
    }
    buf_add_str(&p->out, "}\n");
}

static void add_csv(struct printing *p, const struct reader_row *row)
{
    for (size_t i = 0; i < p->count; i++) {
        buf_add_str(&p->out, i ? "," : "");
        if (p->fields[i] != FIELD_ID)
            reader_row_csv(row, (size_t)p->fields[i], &p->out);
        else
            buf_printf(&p->out, "%llu", (unsigned long long)reader_row_id(row));
    }
    buf_add_str(&p->out, "\r\n");
}

static bool flush_out(struct printing *p)
{
    if (!p->failed && fwrite(p->out.data, 1, p->out.len, stdout) != p->out.len)
        p->failed = errno;
    buf_clear(&p->out);
    return !p->failed;
}

/* What the text form has no line for: of `read`, a session's mails are its lines; who asks for sessions wants
 * each of them. */
static bool has_text(const struct record *rec)
{
    enum stream_index i = rec->stream->index;
    if (i == STREAM_SESSION)
        return !((const struct session *)rec->body)->mails;
    return i != STREAM_SOFTWARE && i != STREAM_STATS;
}

static int print_row(void *ctx, const struct reader_row *row)
{
    struct printing *p = ctx;
    struct error err;
    struct record rec;
    if (p->args->form == FORM_TEXT) {
        if (!record_of_row(p->record_of, p->stream, row, &rec)) {
            reader_row_line(row, &p->out);
            return !flush_out(p);
        }
        if (!p->failed && has_text(&rec)) {
            p->failed = -sink_text.write(p->text, &rec, &err);
            return p->failed != 0;
        }
        reader_row_line(row, &p->out);
        return !flush_out(p);
    }
    if (p->args->form == FORM_CSV)
        add_csv(p, row);
    else if (p->args->fields)
        add_json(p, row);
    else
        reader_row_line(row, &p->out);
    return !flush_out(p);
}

static void csv_head(struct printing *p)
{
    for (size_t i = 0; i < p->count; i++)
        buf_printf(&p->out, "%s%s", i ? "," : "",
                   p->fields[i] == FIELD_ID ? "id" : stream_table[p->stream]->fields[p->fields[i]].name);
    buf_add_str(&p->out, "\r\n");
    flush_out(p);
}

static void say_left_out(const struct reader_result *res)
{
    if (res->left_out)
        fprintf(stderr, "mailtap: %s\nmailtap: %zu of %zu files left out\n", res->problem, res->left_out,
                res->files);
}

/* One stream. Returns an exit code. */
static int run(struct reader *r, struct printing *p, const struct query *q)
{
    struct reader_result res = {0};
    struct error err;
    size_t fields[FIELDS_MOST], count = 0;
    for (size_t i = 0; i < p->count; i++)
        if (p->fields[i] != FIELD_ID)
            fields[count++] = (size_t)p->fields[i];
    struct reader_question question = {
        .stream = p->stream, .query = q, .oldest_first = p->args->oldest, .limit = p->args->limit};
    if (p->args->fields && !p->args->count) {
        question.fields = fields;
        question.field_count = count;
    }
    if (p->args->form == FORM_CSV && !p->args->count)
        csv_head(p);
    int code = p->args->count ? reader_count(r, &question, &res, &err)
                              : reader_find(r, &question, print_row, p, &res, &err);
    if (code < 0) {
        fprintf(stderr, "mailtap: %s\n", err.text);
        return EXIT_PARTLY;
    }
    say_left_out(&res);
    if (p->args->count && p->args->streams & (p->args->streams - 1))
        printf("%s %llu\n", p->stream == STREAM_ENTRY ? "scripts" : stream_table[p->stream]->path,
               (unsigned long long)res.rows);
    else if (p->args->count)
        printf("%llu\n", (unsigned long long)res.rows);
    return res.complete && !p->failed ? EXIT_DONE : EXIT_PARTLY;
}

static void explain(struct reader *r, const struct printing *p, const struct query *q)
{
    struct buf out;
    buf_init(&out, LINE_BYTES);
    reader_explain(r, p->stream, q, &out);
    fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
}

static int run_streams(struct reader *r, struct printing *p, const struct query *q)
{
    int worst = EXIT_DONE;
    for (int i = 0; i < STREAMS && worst != EXIT_USAGE && !p->failed; i++) {
        if (!(p->args->streams & 1u << i))
            continue;
        p->stream = (enum stream_index)i;
        int code = EXIT_USAGE;
        if (p->args->explain)
            explain(r, p, q), code = EXIT_DONE;
        else if (choose_fields(p))
            code = run(r, p, q);
        worst = code > worst ? code : worst;
    }
    return worst;
}

/* "Nothing was found" of a folder of logs would mislead. */
static bool is_store(struct reader *r, const struct stores *stores)
{
    struct reader_span span;
    struct error err;
    if (reader_span(r, &span, &err) < 0 || span.files)
        return true;
    if (!stores_folder(stores))
        fprintf(stderr, "mailtap: %s has no records yet\n", stores_name(stores));
    else
        fprintf(stderr,
                "mailtap: %s has no records: there is no file of a day in it, as 2026-11-30.sqlite; "
                "'-o sqlite:DIR' of read and watch makes them\n",
                stores_name(stores));
    return false;
}

static int ask(const struct arguments *args, const struct settings *set, const struct query *q)
{
    const struct sink_settings sink = {.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR")};
    struct printing p = {.args = args};
    struct stores *stores = NULL;
    struct reader *r = NULL;
    struct error err;
    int code = EXIT_USAGE;
    if (stores_open_by(set, args->directory, 0, &stores, &err) < 0 || stores_reader(stores, &r, &err) < 0) {
        fprintf(stderr, "mailtap: %s\n", err.text);
        stores_close(&stores);
        /* What stands alone and looks like no place was meant as the query. */
        if (!*args->text && !strchr(args->directory, '/'))
            return bad("query wants a store's folder or server before the query");
        return EXIT_USAGE;
    }
    buf_init(&p.out, LINE_BYTES);
    p.record_of = record_of_new();
    if (sink_text.open(&sink, &p.text, &err) == 0)
        code = run_streams(r, &p, q);
    if (code == EXIT_DONE && !args->explain && !is_store(r, stores))
        code = EXIT_PARTLY;
    int closed = p.text ? sink_text.close(&p.text, &err) : 0;
    if (closed < 0 && !p.failed)
        p.failed = -closed;
    record_of_free(&p.record_of);
    buf_free(&p.out);
    reader_close(&r);
    stores_close(&stores);
    if (!p.failed && (fflush(stdout) || ferror(stdout)))
        p.failed = errno;
    if (p.failed == EPIPE)
        return EXIT_UNREAD;
    if (p.failed) {
        fprintf(stderr, "mailtap: standard output: %s\n", strerror(p.failed));
        return code > EXIT_PARTLY ? code : EXIT_PARTLY;
    }
    return code;
}

static int run_query(struct arguments *args, struct settings *set, int argc, char **argv)
{
    struct query *q = NULL;
    struct query_error wrong;
    struct error err;
    int code = take_arguments(argc, argv, args);
    if (code >= 0)
        return code;
    if (settings_collect(&args->source, set, &err) < 0) {
        fprintf(stderr, "mailtap: %s\n", err.text);
        return EXIT_USAGE;
    }
    const struct query_options opt = {args->streams, now_wall()};
    if (query_parse(slice_str(args->text), &opt, &q, &wrong)) {
        show_error(slice_str(args->text), &wrong);
        return EXIT_USAGE;
    }
    code = ask(args, set, q);
    query_free(&q);
    return code;
}

int query_main(int argc, char **argv)
{
    struct settings *set = malloc(sizeof *set);
    const char **lists = calloc(2 * (size_t)argc, sizeof *lists);
    memory_check(set);
    memory_check(lists);
    struct arguments args = {.streams = QUERY_SMTP,
                             .form = isatty(STDOUT_FILENO) ? FORM_TEXT : FORM_JSON,
                             .files = lists,
                             .assigned = lists + argc};
    int code = run_query(&args, set, argc, argv);
    free(set);
    free(lists);
    return code;
}
