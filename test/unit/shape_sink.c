/* The engine of shapes: values at the edges of what they may be, lists without repeats, objects with nothing
 * in them, and that whatever the wire held a record is one line of valid JSON. */
#include "sinks.h"
#include "record/entry.h"
#include "record/notice.h"
#include "record/software.h"
#include "record/stats.h"
#include "sink/json.h"
#include "sink/shape.h"

static const struct table_of_shape *const shapes[] = {&shape_zeek_json, &shape_ecs, &shape_ocsf, &shape_eve};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* A reader of JSON that takes what RFC 8259 takes, in valid UTF-8, and nothing else; NULL: it is none. */
static const char *value(const char *p, int depth);

static const char *text(const char *p)
{
    if (*p++ != '"')
        return NULL;
    while (*p != '"') {
        if ((unsigned char)*p < 32)
            return NULL;
        if (*p == '\\' && p[1] == 'u') {
            if (strspn(p + 2, "0123456789abcdefABCDEF") < 4)
                return NULL;
            p += 6;
        } else if (*p == '\\') {
            if (!p[1] || !strchr("\"\\/bfnrt", p[1]))
                return NULL;
            p += 2;
        } else {
            size_t n = line_utf8(slice_str(p));
            if (!n)
                return NULL;
            p += n;
        }
    }
    return p + 1;
}

static const char *members(const char *p, char end, bool keys, int depth)
{
    if (*p == end)
        return NULL; /* none of ours is empty */
    for (;; p++) {
        if (keys && (!(p = text(p)) || *p++ != ':'))
            return NULL;
        if (!(p = value(p, depth + 1)))
            return NULL;
        if (*p == end)
            return p + 1;
        if (*p != ',')
            return NULL;
    }
}

static const char *value(const char *p, int depth)
{
    char *end;
    if (depth > 20)
        return NULL;
    if (*p == '{')
        return members(p + 1, '}', true, depth);
    if (*p == '[')
        return members(p + 1, ']', false, depth);
    if (*p == '"')
        return text(p);
    if (strncmp(p, "true", 4) == 0)
        return p + 4;
    if (strncmp(p, "false", 5) == 0)
        return p + 5;
    const char *digits = p + (*p == '-');
    if (!byte_is_digit((uint8_t)*digits) || (digits[0] == '0' && byte_is_digit((uint8_t)digits[1])))
        return NULL;
    strtod(p, &end);
    return end;
}

/* The record's line; free() it. NULL: the shape has no place for it. */
static char *line_of(const struct table_of_shape *shape, const struct record *rec)
{
    struct shape_tree *tree = shape_tree_new(shape, rec->stream);
    struct line out = {0};
    if (!tree)
        return NULL;
    shape_record(tree, rec, &out);
    shape_tree_free(&tree);
    assert_null(tree);
    char *copy = malloc(out.len + 1);
    assert_non_null(copy);
    memcpy(copy, out.data, out.len);
    copy[out.len] = '\0';
    assert_int_equal(strlen(copy), out.len);
    line_free(&out);
    const char *end = value(copy, 0);
    if (!end || strcmp(end, "\n") != 0)
        print_error("%s: no JSON: %s\n", shape->name, copy);
    assert_non_null(end);
    assert_string_equal(end, "\n");
    return copy;
}

static void has(const struct table_of_shape *shape, const struct record *rec, const char *wanted)
{
    char *line = line_of(shape, rec);
    assert_non_null(line);
    if (!strstr(line, wanted))
        print_error("%s: %s\nhas no %s\n", shape->name, line, wanted);
    assert_non_null(strstr(line, wanted));
    free(line);
}

static void lacks(const struct table_of_shape *shape, const struct record *rec, const char *unwanted)
{
    char *line = line_of(shape, rec);
    assert_non_null(line);
    if (strstr(line, unwanted))
        print_error("%s: %s\nhas %s\n", shape->name, line, unwanted);
    assert_null(strstr(line, unwanted));
    free(line);
}

/* Of every stream: nothing but zeros. */
static void nothing(void **state)
{
    (void)state;
    for (size_t s = 0; s < SHAPES; s++)
        for (size_t i = 0; i < STREAMS; i++) {
            void *body = calloc(1, stream_table[i]->size);
            assert_non_null(body);
            struct record rec = {stream_table[i], body};
            free(line_of(shapes[s], &rec));
            free(body);
        }
}

static void whole_mail(void **state)
{
    struct mail m;
    (void)state;
    mail_init(&m);
    m.t.disposition = slice_str("rejected");
    m.t.reply = (struct decision){.code = 550, .text = slice_str("no")};
    has(&shape_zeek_json, &m.rec,
        "{\"ts\":1257170000.012345,\"uid\":\"C0123456789abcdefg\",\"id.orig_h\":\"198.51.100.7\"");
    has(&shape_zeek_json, &m.rec,
        "\"path\":[\"203.0.113.25\",\"198.51.100.7\",\"192.0.2.4\",\"2001:db8::1\"],");
    has(&shape_ecs, &m.rec,
        "{\"@timestamp\":\"2009-11-02T13:53:20.012345Z\",\"ecs\":{\"version\":\"9.0.0\"},");
    has(&shape_ecs, &m.rec,
        "\"type\":[\"info\",\"protocol\",\"denied\"],\"action\":\"rejected\",\"outcome\":\"failure\"");
    has(&shape_ecs, &m.rec,
        "\"message_id\":\"m1@example.org\",\"x_mailer\":\"Mailer "
        "1.0\",\"origination_timestamp\":\"2009-11-02T18:38:23Z\"");
    has(&shape_ecs, &m.rec,
        "\"attachments\":[{\"file\":{\"name\":\"a "
        "b.pdf\",\"extension\":\"pdf\",\"mime_type\":\"application/pdf\",\"size\":2048}},");
    has(&shape_ecs, &m.rec, "\"smtp\":{\"uid\":\"C0123456789abcdefg\",\"trans_depth\":2,");
    lacks(&shape_ecs, &m.rec, "\"hash\"");
    has(&shape_ocsf, &m.rec, "\"time\":1257170000012,");
    has(&shape_ocsf, &m.rec,
        "\"status_id\":2,\"status\":\"Failure\",\"status_code\":\"550\",\"status_detail\":\"no\"");
    has(&shape_ocsf, &m.rec, "\"files\":[{\"name\":\"a b.pdf\",\"type_id\":1,\"ext\":\"pdf\",");
    lacks(&shape_ocsf, &m.rec, "algorithm");
    has(&shape_eve, &m.rec, "{\"timestamp\":\"2009-11-02T13:53:20.012345+0000\",\"flow_id\":");
    has(&shape_eve, &m.rec,
        "\"tx_id\":1,\"smtp\":{\"helo\":\"client.example.org\",\"mail_from\":\"<alice@example.org>\",\"rcpt_"
        "to\":[\"<bob@example.net>\",");
    has(&shape_eve, &m.rec, "\"attachment\":[\"a b.pdf\",\"c.txt\"]");
    has(&shape_eve, &m.rec, "\"mailtap\":{\"_path\":\"smtp\",\"uid\":\"C0123456789abcdefg\"");
}

/* The published example of https://github.com/corelight/community-id-spec, in both directions. */
static void community_id(void **state)
{
    struct endpoint a = {v4(128, 232, 110, 120), 34855}, b = {v4(66, 35, 250, 204), 80};
    struct session s = {.id = {slice_str("C"), a, b}};
    struct record rec = {&stream_session, &s};
    (void)state;
    has(&shape_ecs, &rec, "\"community_id\":\"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\"");
    s.id = (struct connection){slice_str("C"), b, a};
    has(&shape_ecs, &rec, "\"community_id\":\"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\"");
    s.id.orig.addr.family = 0;
    lacks(&shape_ecs, &rec, "community_id");
    s.id.orig.addr = (struct address){6, {0x20, 1}};
    lacks(&shape_ecs, &rec, "community_id"); /* both ends are of one family */
}

/* Times that no form has, and numbers that no double has. */
static void times(void **state)
{
    struct session s = {.id.uid = slice_str("C"), .duration = 1e300};
    struct record rec = {&stream_session, &s};
    (void)state;
    static const struct {
        struct timespec ts;
        const char *iso, *millis;
    } cases[] = {
        {{INT64_MAX, 999999999},
         "\"@timestamp\":\"9999-12-31T23:59:59.999999Z\"",
         "\"time\":461168601842738"},
        {{INT64_MIN / 4, 0}, "\"@timestamp\":\"0000-01-01T00:00:00.000000Z\"", "\"time\":-"},
        {{-1, 500000000}, "\"@timestamp\":\"1969-12-31T23:59:59.500000Z\"", "\"time\":-500,"},
        {{951782399, 1}, "\"@timestamp\":\"2000-02-28T23:59:59.000000Z\"", "\"time\":951782399000,"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        s.ts = cases[i].ts;
        has(&shape_ecs, &rec, cases[i].iso);
        has(&shape_ocsf, &rec, cases[i].millis);
        free(line_of(&shape_eve, &rec));
    }
    static const double odd[] = {0.0 / 0.0, 1 / 0.0, -1 / 0.0, -1, 1e-9, 1e17};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        for (size_t k = 1; k < SHAPES; k++) {
            s.duration = odd[i];
            free(line_of(shapes[k], &rec));
        }
    s.ts = (struct timespec){100, 999999999};
    s.duration = 0.000001;
    has(&shape_ecs, &rec, "\"duration\":1000}");
    has(&shape_eve, &rec, "\"end\":\"1970-01-01T00:01:41.000000+0000\"");
}

/* All texts the same hostile one; and every other kind at its largest. */
static void hostile(struct mail *m, struct slice s)
{
    struct slice *texts[] = {
        &m->t.helo,        &m->t.mailfrom,    &m->t.date,       &m->t.from,        &m->t.reply_to,
        &m->t.msg_id,      &m->t.subject,     &m->t.user_agent, &m->t.queue_id,    &m->t.x_originating_ip,
        &m->t.disposition, &m->t.last_reply,  &m->t.id.uid,     &m->t.reply.text,  &m->rcptto[0],
        &m->to[0],         &m->files[0].name, &m->files[0].md5, &m->files[1].type, &m->files[1].sha256};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = s;
    m->t.trans_depth = m->t.message_bytes = m->files[0].size = UINT64_MAX;
    m->t.seconds = (struct phases){{1e300, true}, {-1, true}, {0.0 / 0.0, true}};
}

static void hostile_texts(void **state)
{
    static const char *const texts[] = {"",
                                        "\xff",
                                        "\"\\\n\r\t\x01\x7f",
                                        "\xe2\x80\xae",
                                        "<",
                                        ">",
                                        "<>",
                                        "<<>>",
                                        "@",
                                        "a@",
                                        "@b",
                                        "a@\xff",
                                        "\xc3",
                                        "..",
                                        ".",
                                        "/.a",
                                        "a.\x1f",
                                        "accepted",
                                        "*",
                                        "=?utf-8?q?=22?=",
                                        ";=;*=;",
                                        "-",
                                        "1.2.3.4",
                                        "::1",
                                        "Mon, 1 Jan 99999 00:00:00 +0000",
                                        "{\"a\":1}",
                                        "\xf4\x90\x80\x80"};
    struct mail m;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t s = 0; s < SHAPES; s++) {
            mail_init(&m);
            hostile(&m, slice_str(texts[i]));
            free(line_of(shapes[s], &m.rec));
            /* Of its size, so that a sanitizer sees what is read beyond it. */
            uint8_t *bytes = malloc(strlen(texts[i]) + 1);
            assert_non_null(bytes);
            memcpy(bytes, texts[i], strlen(texts[i]));
            hostile(&m, (struct slice){bytes, strlen(texts[i])});
            free(line_of(shapes[s], &m.rec));
            free(bytes);
        }
}

/* A NUL, and every other byte, where a text may have it. */
static void every_byte(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t bytes[5] = {'<', 'a', (uint8_t)c, '@', '>'};
        struct mail m;
        mail_init(&m);
        hostile(&m, (struct slice){bytes, 5});
        for (size_t s = 0; s < SHAPES; s++)
            free(line_of(shapes[s], &m.rec));
    }
}

static size_t count_of(const char *line, const char *needle)
{
    size_t n = 0;
    for (const char *p = line; (p = strstr(p, needle)); p++)
        n++;
    return n;
}

static void lists(void **state)
{
    enum { MANY = 3000 };
    struct slice *many = calloc(MANY, sizeof *many);
    assert_non_null(many);
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        many[i] = slice_str(i % 2 ? "a@example.org" : "b@example.org");
    struct transaction t = {.id.uid = slice_str("C"), .rcptto = {many, MANY, MANY}};
    struct record rec = {&stream_smtp, &t};
    char *line = line_of(&shape_zeek_json, &rec);
    assert_int_equal(count_of(line, "@example.org"), 2);
    free(line);
    line = line_of(&shape_eve, &rec);
    assert_int_equal(count_of(line, "@example.org"), MANY);
    free(line);
    /* Values of one length and all different: the last of them stand there once more. */
    char(*texts)[24] = calloc(MANY, sizeof *texts);
    assert_non_null(texts);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "%05zu@example.org", i);
        many[i] = slice_str(texts[i]);
    }
    many[MANY - 1] = many[MANY - 2];
    line = line_of(&shape_zeek_json, &rec);
    assert_int_equal(count_of(line, "@example.org"), MANY - 1);
    free(line);
    free(texts);
    free(many);
}

static void sessions(void **state)
{
    struct login logins[] = {{.user = slice_str("eve"), .outcome = slice_str("rejected")},
                             {.user = slice_str("alice"), .outcome = slice_str("accepted")},
                             {.user = slice_str("bob"), .outcome = slice_str("rejected")}};
    struct session s = {.id = {slice_str("C"), {v4(10, 0, 0, 1), 1}, {v4(8, 8, 8, 8), 25}},
                        .end = slice_str("rst")};
    struct record rec = {&stream_session, &s};
    (void)state;
    lacks(&shape_ecs, &rec, "\"tls\":{");
    lacks(&shape_ecs, &rec, "\"user\"");
    lacks(&shape_ocsf, &rec, "ja3");
    has(&shape_ecs, &rec, "\"direction\":\"outbound\"");
    has(&shape_ocsf, &rec, "\"activity_id\":3,\"activity_name\":\"Reset\",\"type_uid\":400103");
    s.logins = (struct login_list){logins, 3, 3};
    s.ssl = (struct ssl){.version = slice_str("TLSv10"),
                         .ja3 = slice_str("00ff"),
                         .established = MAYBE_NO,
                         .certificate = {.serial = slice_str("0fe"),
                                         .sha256 = slice_str("ab01"),
                                         .not_valid_after = UINT64_MAX}};
    has(&shape_ecs, &rec, "\"user\":{\"name\":\"alice\"}");
    has(&shape_ecs, &rec, "\"user\":[\"eve\",\"alice\",\"bob\"]");
    has(&shape_ecs, &rec,
        "\"tls\":{\"version\":\"1.0\",\"version_protocol\":\"tls\",\"established\":false,\"client\":{\"ja3\":"
        "\"00ff\"},");
    has(&shape_ecs, &rec, "\"hash\":{\"sha256\":\"AB01\"}");
    lacks(&shape_ecs, &rec, "not_after\":\"");
    has(&shape_ocsf, &rec, "\"ja3_hash\":{\"algorithm_id\":1,\"algorithm\":\"MD5\",\"value\":\"00ff\"}");
    lacks(&shape_ocsf, &rec, "ja3s_hash");
    has(&shape_ocsf, &rec,
        "\"fingerprints\":[{\"algorithm_id\":3,\"algorithm\":\"SHA-256\",\"value\":\"ab01\"}]");
    has(&shape_eve, &rec, "\"serial\":\"00:FE\"");
    has(&shape_eve, &rec, "\"version\":\"TLSv1\"");
    /* What stands elsewhere as it is stands there alone. */
    has(&shape_ecs, &rec,
        "\"ssl\":{\"version\":\"TLSv10\",\"certificate\":{\"not_valid_after\":18446744073709551615}}");
}

static void notices(void **state)
{
    struct slice actions[] = {slice_str("log"), slice_str("e-mail")};
    struct notice n = {.ts = {1, 0},
                       .note = slice_str("SMTP::Smuggling_Attempt"),
                       .identifier = slice_str("1.2.3.4 \"x\""),
                       .removal = slice_str("mail@example.org"),
                       .actions = {actions, 2, 2},
                       .suppress_for = 3600};
    struct record rec = {&stream_notice, &n};
    (void)state;
    has(&shape_zeek_json, &rec,
        "\"actions\":[\"Notice::ACTION_LOG\",\"Notice::ACTION_E_MAIL\"],\"suppress_for\":3600.0}");
    lacks(&shape_zeek_json, &rec, "proto");
    lacks(&shape_ecs, &rec, "\"network\":{");
    lacks(&shape_ecs, &rec, "\"event\":{\"reference\"");
    has(&shape_ocsf, &rec,
        "\"uid\":\"SMTP::Smuggling_Attempt:1.2.3.4 \\\"x\\\"\",\"title\":\"SMTP::Smuggling_Attempt\"");
    has(&shape_ocsf, &rec, "\"severity_id\":4,\"severity\":\"High\"");
    has(&shape_eve, &rec, "\"alert\":{\"action\":\"allowed\",\"gid\":2525,\"signature_id\":");
    lacks(&shape_eve, &rec, "proto");
    n.note = slice_str("Mine");
    has(&shape_ocsf, &rec, "\"severity_id\":0,\"severity\":\"Unknown\"");
    has(&shape_eve, &rec, "\"category\":\"\",\"severity\":3}");
}

static void others(void **state)
{
    struct entry_pair pairs[] = {{slice_str("who"), ENTRY_TEXT, {.text = slice_str("x\"")}},
                                 {slice_str("n"), ENTRY_INTEGER, {.integer = -5}}};
    struct entry e = {{1, 0}, slice_str("seen"), pairs, 2};
    struct record rec = {&stream_entry, &e};
    struct stats stats = {.ts = {1, 0}};
    struct record counted = {&stream_stats, &stats};
    struct software sw = {.host = v4(192, 0, 2, 1),
                          .product = {slice_str("X"), slice_str("8.15.2.1.7-p1"), {0}}};
    struct record seen = {&stream_software, &sw};
    (void)state;
    has(&shape_ecs, &rec, "\"dataset\":\"mailtap.seen\"");
    has(&shape_ecs, &rec, "\"smtp\":{\"who\":\"x\\\"\",\"n\":-5}");
    has(&shape_ocsf, &rec, "\"unmapped\":{\"who\":\"x\\\"\",\"n\":-5}");
    has(&shape_eve, &rec, "\"event_type\":\"mailtap_seen\",\"mailtap\":{\"_path\":\"seen\",\"who\":");
    assert_null(line_of(&shape_zeek_json, &rec));
    has(&shape_ecs, &counted, "\"kind\":\"metric\"");
    has(&shape_ocsf, &counted, "\"class_uid\":0,");
    has(&shape_zeek_json, &seen,
        "\"version.major\":8,\"version.minor\":15,\"version.minor2\":2,\"version.minor3\":1,\"version.addl\":"
        "\"7-p1\"");
    has(&shape_ocsf, &seen, "\"device\":{\"ip\":\"192.0.2.1\",\"type_id\":0}");
}

/* Each is a file of its own, and on standard output Zeek's mails stand alone. */
static void through_sinks(void **state)
{
    struct mail m;
    struct session s = {.id.uid = slice_str("C")};
    struct record recs[2];
    static const char *const begins[] = {
        "{\"ts\":", "{\"@timestamp\":", "{\"class_uid\":", "{\"timestamp\":"};
    static const char *const names[SHAPES] = {"zeek-json", "ecs", "ocsf", "eve"};
    (void)state;
    mail_init(&m);
    recs[0] = m.rec;
    recs[1] = (struct record){&stream_session, &s};
    for (size_t i = 0; i < SHAPES; i++) {
        struct buf out;
        const struct sink_ops *ops = sink_find(names[i]);
        assert_non_null(ops);
        buf_init(&out, 1 << 20);
        sink_run(ops, recs, 2, false, &out);
        assert_memory_equal(out.data, begins[i], strlen(begins[i]));
        size_t lines = 0;
        for (size_t k = 0; k < out.len; k++)
            lines += out.data[k] == '\n';
        assert_int_equal(lines, i ? 2 : 1);
        buf_free(&out);
    }
}

/* A process that lives on has files for its statistics and its scripts' lines as well. */
static void lasting_sink(void **state)
{
    char folder[] = "mailtap-shape-XXXXXX";
    static const char *const names[] = {"mine", "notice", "smtp", "smtp_session", "software", "stats"};
    struct entry e = {{1, 0}, slice_str("mine"), NULL, 0};
    struct stats stats = {.ts = {1, 0}};
    struct record recs[] = {{&stream_entry, &e}, {&stream_stats, &stats}};
    struct sink_settings set = {.directory = folder, .lasting = true, .output_bytes = 1 << 20};
    struct sink *snk = NULL;
    struct error err;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(sink_ecs.open(&set, &snk, &err), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(sink_ecs.write(snk, &recs[i], &err), 0);
    sink_ecs.tick(snk, (struct timespec){100, 0});
    assert_int_equal(sink_ecs.counts(snk).written, 2);
    assert_int_equal(sink_ecs.close(&snk, &err), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s/%s.log", folder, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
    /* And the error of a folder that cannot be is told, not kept. */
    set.directory = "/dev/null/no";
    assert_true(sink_eve.open(&(struct sink_settings){.directory = "/dev/null/no"}, &snk, &err) < 0);
    assert_null(snk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing), cmocka_unit_test(whole_mail),    cmocka_unit_test(community_id),
        cmocka_unit_test(times),   cmocka_unit_test(hostile_texts), cmocka_unit_test(every_byte),
        cmocka_unit_test(lists),   cmocka_unit_test(sessions),      cmocka_unit_test(notices),
        cmocka_unit_test(others),  cmocka_unit_test(through_sinks), cmocka_unit_test(lasting_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
