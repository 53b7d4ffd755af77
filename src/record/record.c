/* record.c: the tables of fields, made out of fields.def, and small questions about records.
 * In: nothing. Out: const tables. Owns: nothing. Limits: 64 tags a mail. */
#include <assert.h>
#include "record/entry.h"
#include "record/notice.h"
#include "record/software.h"
#include "record/stats.h"

/* A row of fields.def; what it says of its kind may be two members. A key is followed by zeros, so that
 * FIELD_KEY bytes of it can be read; a longer one does not compile. */
#define KEY_LEN(name)  (sizeof name + 3)
#define KEY_FITS(name) (0 * sizeof(char[KEY_LEN(name) <= FIELD_KEY ? 1 : -1]))
#define KEY(name)                                                                                            \
    {                                                                                                        \
        (const uint8_t *)",\"" name "\":\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",           \
            KEY_LEN(name) + KEY_FITS(name)                                                                   \
    }
#define ROW(body, name, kind, member, doc)                                                                   \
    {                                                                                                        \
        name, KEY(name), offsetof(struct body, member), doc, FIELD_##kind                                    \
    }
#define FIELD_ONE(shape)       FIELD_OBJECT, &shape_##shape
#define FIELD_LIST_OF(shape)   FIELD_LIST, &shape_##shape
#define FIELD_ONE_APART(shape) FIELD_APART, &shape_##shape
#define SHAPE(body, table)                                                                                   \
    {                                                                                                        \
        sizeof(struct body), table, sizeof table / sizeof *table                                             \
    }

static const struct field attached_fields[] = {
#define FIELD_ATTACHED(name, kind, member, doc) ROW(attached, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_ATTACHED
};
static const struct shape shape_attached = SHAPE(attached, attached_fields);

static const struct field member_fields[] = {
#define FIELD_MEMBER(name, kind, where, doc) ROW(member, name, kind, where, doc),
#include "record/fields.def"
#undef FIELD_MEMBER
};
static const struct shape shape_member = SHAPE(member, member_fields);

static const struct field file_fields[] = {
#define FIELD_FILE(name, kind, member, doc) ROW(file, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_FILE
};
/* Scripts are written for files with a name. */
static const struct shape shape_file = SHAPE(file, file_fields);

static const struct field url_fields[] = {
#define FIELD_URL(name, kind, member, doc) ROW(url, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_URL
};
static const struct shape shape_url = SHAPE(url, url_fields);

static const struct field anomaly_fields[] = {
#define FIELD_ANOMALY_FOUND(name, kind, member, doc) ROW(found_anomaly, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_ANOMALY_FOUND
};
static const struct shape shape_anomaly = SHAPE(found_anomaly, anomaly_fields);

static const struct field hop_fields[] = {
#define FIELD_HOP(name, kind, member, doc) ROW(hop, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_HOP
};
static const struct shape shape_hop = SHAPE(hop, hop_fields);

static const struct field origin_fields[] = {
#define FIELD_ORIGIN(name, kind, member, doc) ROW(origin, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_ORIGIN
};
static const struct shape shape_origin = SHAPE(origin, origin_fields);

static const struct field decision_fields[] = {
#define FIELD_DECISION(name, kind, member, doc) ROW(decision, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_DECISION
};
static const struct shape shape_decision = SHAPE(decision, decision_fields);

static const struct field recipient_fields[] = {
#define FIELD_RECIPIENT(name, kind, member, doc) ROW(recipient, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_RECIPIENT
};
static const struct shape shape_recipient = SHAPE(recipient, recipient_fields);

static const struct field mail_params_fields[] = {
#define FIELD_MAIL_PARAMS(name, kind, member, doc) ROW(mail_params, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_MAIL_PARAMS
};
static const struct shape shape_mail_params = SHAPE(mail_params, mail_params_fields);

static const struct field phases_fields[] = {
#define FIELD_PHASES(name, kind, member, doc) ROW(phases, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_PHASES
};
static const struct shape shape_phases = SHAPE(phases, phases_fields);

static const struct field mailbox_fields[] = {
#define FIELD_MAILBOX(name, kind, member, doc) ROW(mailbox, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_MAILBOX
};
static const struct shape shape_mailbox = SHAPE(mailbox, mailbox_fields);

static const struct field addresses_fields[] = {
#define FIELD_ADDRESSES_OF(name, kind, member, doc) ROW(addresses, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_ADDRESSES_OF
};
static const struct shape shape_addresses = SHAPE(addresses, addresses_fields);

static const struct field mailing_list_fields[] = {
#define FIELD_MAILING_LIST(name, kind, member, doc) ROW(mailing_list, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_MAILING_LIST
};
static const struct shape shape_mailing_list = SHAPE(mailing_list, mailing_list_fields);

static const struct field header_field_fields[] = {
#define FIELD_HEADER_FIELD(name, kind, member, doc) ROW(header_field, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_HEADER_FIELD
};
static const struct shape shape_header_field = SHAPE(header_field, header_field_fields);

static const struct field auth_result_fields[] = {
#define FIELD_AUTH_RESULT(name, kind, member, doc) ROW(auth_result, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_AUTH_RESULT
};
static const struct shape shape_auth_result = SHAPE(auth_result, auth_result_fields);

static const struct field received_spf_fields[] = {
#define FIELD_RECEIVED_SPF(name, kind, member, doc) ROW(received_spf, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_RECEIVED_SPF
};
static const struct shape shape_received_spf = SHAPE(received_spf, received_spf_fields);

static const struct field dkim_signature_fields[] = {
#define FIELD_DKIM_SIGNATURE(name, kind, member, doc) ROW(dkim_signature, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_DKIM_SIGNATURE
};
static const struct shape shape_dkim_signature = SHAPE(dkim_signature, dkim_signature_fields);

static const struct field arc_set_fields[] = {
#define FIELD_ARC_SET(name, kind, member, doc) ROW(arc_set, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_ARC_SET
};
static const struct shape shape_arc_set = SHAPE(arc_set, arc_set_fields);

static const struct field authentication_fields[] = {
#define FIELD_AUTHENTICATION(name, kind, member, doc) ROW(authentication, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_AUTHENTICATION
};
static const struct shape shape_authentication = SHAPE(authentication, authentication_fields);

static const struct field product_fields[] = {
#define FIELD_PRODUCT(name, kind, member, doc) ROW(product, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_PRODUCT
};
static const struct shape shape_product = SHAPE(product, product_fields);

static const struct field login_fields[] = {
#define FIELD_LOGIN(name, kind, member, doc) ROW(login, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_LOGIN
};
static const struct shape shape_login = SHAPE(login, login_fields);

static const struct field ssl_certificate_fields[] = {
#define FIELD_SSL_CERTIFICATE(name, kind, member, doc) ROW(ssl_certificate, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_SSL_CERTIFICATE
};
static const struct shape shape_ssl_certificate = SHAPE(ssl_certificate, ssl_certificate_fields);

static const struct field ssl_fields[] = {
#define FIELD_SSL(name, kind, member, doc) ROW(ssl, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_SSL
};
const struct shape shape_ssl = SHAPE(ssl, ssl_fields);

static const struct field smtp_fields[] = {
#define FIELD_SMTP(name, kind, member, doc) ROW(transaction, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_SMTP
};

static const struct field session_fields[] = {
#define FIELD_SESSION(name, kind, member, doc) ROW(session, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_SESSION
};

static const struct field notice_fields[] = {
#define FIELD_NOTICE(name, kind, member, doc) ROW(notice, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_NOTICE
};

static const struct field software_fields[] = {
#define FIELD_SOFTWARE(name, kind, member, doc) ROW(software, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_SOFTWARE
};

static const struct field stats_fields[] = {
#define FIELD_STATS(name, kind, member, doc) ROW(stats, name, kind, member, doc),
#include "record/fields.def"
#undef FIELD_STATS
};

static const struct field entry_fields[] = {
    ROW(entry, "ts", TIME, ts, "Packet time at which the script wrote it.")};

#define FIELDS(body, table) sizeof(struct body), table, sizeof table / sizeof *table
const struct stream stream_smtp = {STREAM_SMTP, "smtp", "One record per mail transaction.",
                                   FIELDS(transaction, smtp_fields)};
const struct stream stream_session = {STREAM_SESSION, "smtp_session", "One record per SMTP connection.",
                                      FIELDS(session, session_fields)};
const struct stream stream_notice = {STREAM_NOTICE, "notice", "One record per finding.",
                                     FIELDS(notice, notice_fields)};
const struct stream stream_software = {
    STREAM_SOFTWARE, "software",
    "One record per program that a host shows for the first time, or in another version.",
    FIELDS(software, software_fields)};
const struct stream stream_stats = {
    STREAM_STATS, "stats",
    "How a sensor fares: what it has counted since it began. One record for all of it and one per worker.",
    FIELDS(stats, stats_fields)};
const struct stream stream_entry = {STREAM_ENTRY, "",
                                    "What a script writes by log(): the stream's name and the fields are its "
                                    "own. With setting sensor its name stands behind them, as sensor.",
                                    FIELDS(entry, entry_fields)};
#undef FIELDS
const struct stream *const stream_table[STREAMS] = {&stream_smtp,     &stream_session, &stream_notice,
                                                    &stream_software, &stream_stats,   &stream_entry};

const struct flag flag_table[FLAG_COUNT] = {
#define FLAG(name, of_session, doc) {#name, offsetof(struct flags, name), of_session, doc},
#include "record/fields.def"
#undef FLAG
};

bool entry_name_fits(struct slice name)
{
    if (!name.len || name.len > ENTRY_STREAM_NAME || name.data[0] < 'a' || name.data[0] > 'z')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        if (!(c >= 'a' && c <= 'z') && !byte_is_digit(c) && c != '_')
            return false;
    }
    for (size_t i = 0; i < STREAM_ENTRY; i++)
        if (slice_eq(name, slice_str(stream_table[i]->path)))
            return false;
    /* Files of these names are written beside those of the streams. */
    return !slice_eq(name, slice_str("events")) && !slice_eq(name, slice_str("mails"));
}

void entry_name_sensor(struct entry *e, struct entry_pair room[static ENTRY_PAIRS + 1], struct slice sensor)
{
    assert(e->count <= ENTRY_PAIRS);
    for (size_t i = 0; i < e->count; i++) {
        if (slice_eq(e->pairs[i].name, slice_str("sensor")))
            return;
        room[i] = e->pairs[i];
    }
    room[e->count++] = (struct entry_pair){.name = slice_str("sensor"), .kind = ENTRY_TEXT, .text = sensor};
    e->pairs = room;
}

bool record_tag(struct text_list *tags, struct arena *mem, struct slice tag)
{
    enum { MOST = 64 };
    for (size_t i = 0; i < tags->len; i++)
        if (slice_eq(tags->items[i], tag))
            return true;
    if (tags->len == MOST || !mem)
        return false;
    if (tags->len == tags->room) {
        size_t more = tags->room ? tags->room * 2 : 4;
        struct slice *grown = arena_alloc(mem, more * sizeof *grown);
        if (!grown)
            return false;
        if (tags->len)
            memcpy(grown, tags->items, tags->len * sizeof *grown);
        tags->items = grown;
        tags->room = more;
    }
    struct slice copy = arena_copy(mem, tag);
    if (copy.len != tag.len)
        return false;
    tags->items[tags->len++] = copy;
    return true;
}
