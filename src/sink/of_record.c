/* of_record.c: values that no single field has.
 * In: records. Out: one JSON value. Owns: nothing. Knowingly: a machine whose OpenSSL has no SHA-1 gives no
 * Community ID. Spec: Community ID 1, https://github.com/corelight/community-id-spec. */
#include "sink/of_record.h"

#include <openssl/evp.h>
#include "record/entry.h"
#include "record/notice.h"
#include "record/software.h"
#include "sink/json.h"

const struct connection *convert_connection(const struct record *rec)
{
    const struct connection *id = NULL;
    if (rec->stream == &stream_smtp)
        id = &((const struct transaction *)rec->body)->id;
    else if (rec->stream == &stream_session)
        id = &((const struct session *)rec->body)->id;
    else if (rec->stream == &stream_notice)
        id = &((const struct notice *)rec->body)->id;
    return id && id->uid.len ? id : NULL;
}

bool of_client(const struct record *rec)
{
    if (rec->stream == &stream_notice) {
        const struct notice *n = rec->body;
        return n->host.family && address_eq(&n->host, &n->src);
    }
    if (rec->stream != &stream_smtp)
        return false;
    const struct transaction *t = rec->body;
    return t->origin && t->origin->ip.family && address_eq(&t->origin->ip, &t->id.orig.addr);
}

static void add_base64(struct line *out, const uint8_t *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)data[i] << 16 | (i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0) |
                     (i + 2 < len ? data[i + 2] : 0);
        for (size_t k = 0; k < 4; k++)
            line_byte(out, i + k <= len ? (uint8_t)digits[v >> (18 - 6 * k) & 63] : '=');
    }
}

static bool add_community_id(struct line *out, const struct connection *id)
{
    enum { TCP = 6 };
    const struct endpoint *a = &id->orig, *b = &id->resp;
    size_t size = a->addr.family == 4 ? 4 : 16, len = 0;
    uint8_t bytes[40] = {0, 0}; /* the seed */
    uint8_t hash[EVP_MAX_MD_SIZE];
    if (!a->addr.family || a->addr.family != b->addr.family)
        return false;
    int order = memcmp(a->addr.bytes, b->addr.bytes, size);
    if (order > 0 || (order == 0 && a->port > b->port)) {
        a = &id->resp;
        b = &id->orig;
    }
    len = 2;
    memcpy(bytes + len, a->addr.bytes, size);
    memcpy(bytes + len + size, b->addr.bytes, size);
    len += 2 * size;
    bytes[len++] = TCP;
    bytes[len++] = 0;
    bytes[len++] = (uint8_t)(a->port >> 8);
    bytes[len++] = (uint8_t)a->port;
    bytes[len++] = (uint8_t)(b->port >> 8);
    bytes[len++] = (uint8_t)b->port;
    if (!EVP_Digest(bytes, len, hash, NULL, EVP_sha1(), NULL))
        return false;
    line_str(out, "\"1:");
    add_base64(out, hash, 20);
    line_byte(out, '"');
    return true;
}

static const char *direction(const struct connection *id)
{
    bool from = address_is_public(&id->orig.addr), to = address_is_public(&id->resp.addr);
    return from ? to ? "external" : "inbound" : to ? "outbound" : "internal";
}

static bool add_direction(struct line *out, const struct connection *id, const char *with, bool number)
{
    struct slice found;
    if (!convert_mapped(slice_str(direction(id)), with, &found))
        return false;
    if (number)
        line_add(out, found);
    else
        json_text(found, out);
    return true;
}

static bool add_event_id(struct line *out, const struct record *rec, const struct connection *id)
{
    json_text(id->uid, out);
    if (rec->stream == &stream_session)
        return true;
    if (rec->stream != &stream_smtp)
        return false;
    out->len--; /* the closing quote */
    line_byte(out, '-');
    line_number(out, ((const struct transaction *)rec->body)->trans_depth);
    line_byte(out, '"');
    return true;
}

static struct timespec later(struct timespec t, double seconds)
{
    if (!(seconds > 0 && seconds < 1e9))
        return t;
    /* To the microsecond, as a sum of doubles would be told a little too early. */
    int64_t micros = t.tv_nsec / 1000 + (int64_t)(seconds * 1e6 + 0.5);
    return (struct timespec){t.tv_sec + (time_t)(micros / 1000000), (long)(micros % 1000000) * 1000};
}

static bool add_delivered(struct line *out, const struct transaction *t)
{
    const struct phases *p = &t->seconds;
    if (!slice_eq(t->disposition, slice_str("accepted")) || !p->envelope.known || !p->transfer.known ||
        !p->answer.known)
        return false;
    return convert_time(later(t->ts, p->envelope.seconds + p->transfer.seconds + p->answer.seconds), TIME_ISO,
                        out);
}

static bool add_whole_type(struct line *out, const struct transaction *t)
{
    const struct file_list *lists[] = {&t->parts, &t->files};
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < lists[l]->len; i++)
            if (lists[l]->items[i].depth == 0 && lists[l]->items[i].type.len) {
                json_text(lists[l]->items[i].type, out);
                return true;
            }
    return false;
}

static bool add_login_user(struct line *out, const struct session *s)
{
    const struct login *found = NULL;
    for (size_t i = 0; i < s->logins.len; i++) {
        const struct login *l = &s->logins.items[i];
        bool taken = slice_eq(l->outcome, slice_str("accepted"));
        if (l->user.len && (!found || taken))
            found = l;
        if (l->user.len && taken)
            break;
    }
    if (found)
        json_text(found->user, out);
    return found;
}

static bool add_message_state(struct line *out, const struct transaction *t)
{
    if (t->message)
        line_str(out, t->flags.unfinished ? "\"BODY_STARTED\"" : "\"PARSE_DONE\"");
    return t->message;
}

static bool add_finding(struct line *out, const struct notice *n)
{
    json_text(n->note, out);
    if (!n->identifier.len)
        return n->note.len;
    out->len--;
    line_byte(out, ':');
    size_t at = out->len;
    json_text(n->identifier, out); /* its first quote is overwritten */
    memmove(out->data + at, out->data + at + 1, out->len - at - 1);
    out->len--;
    return true;
}

static bool add_path(struct line *out, const struct record *rec, const char *prefix)
{
    line_byte(out, '"');
    line_str(out, prefix ? prefix : "");
    if (rec->stream == &stream_entry) /* letters, digits and '_' alone */
        line_add(out, ((const struct entry *)rec->body)->stream);
    else
        line_str(out, rec->stream->path);
    line_byte(out, '"');
    return true;
}

/* Those about a connection. */
static bool convert_connected(enum conversion how, const char *with, const struct record *rec,
                              struct line *out)
{
    const struct connection *id = convert_connection(rec);
    if (!id)
        return false;
    switch ((int)how) {
    case TO_CONNECTED:
        json_text(slice_str(with), out);
        return true;
    case TO_COMMUNITY_ID:
        return add_community_id(out, id);
    case TO_FLOW_ID:
        line_number(out, convert_hash(id->uid) & 0x1fffffffffffff);
        return true;
    case TO_EVENT_ID:
        return add_event_id(out, rec, id);
    case TO_DIRECTION:
    case TO_DIRECTION_NUMBER:
        return add_direction(out, id, with, how == TO_DIRECTION_NUMBER);
    }
    return false;
}

bool convert_record(enum conversion how, const char *with, const struct record *rec, struct line *out)
{
    switch ((int)how) {
    case TO_TEXT:
    case TO_LABEL:
        json_text(slice_str(with), out);
        return true;
    case TO_NUMBER:
    case TO_LABEL_NUMBER:
        line_str(out, with);
        return true;
    case TO_PATH:
        return add_path(out, rec, with);
    case TO_PROGRAM:
        line_str(out, "\"" MAILTAP_VERSION "\"");
        return true;
    case TO_ENDED:
        return (rec->end.tv_sec || rec->end.tv_nsec) && convert_time(rec->end, TIME_ISO, out);
    case TO_SESSION_END: {
        const struct session *s = rec->body;
        return rec->stream == &stream_session &&
               convert_time(later(s->ts, s->duration), with ? TIME_OFFSET : TIME_ISO, out);
    }
    case TO_DELIVERED:
        return rec->stream == &stream_smtp && add_delivered(out, rec->body);
    case TO_WHOLE_TYPE:
        return rec->stream == &stream_smtp && add_whole_type(out, rec->body);
    case TO_MESSAGE_STATE:
        return rec->stream == &stream_smtp && add_message_state(out, rec->body);
    case TO_LOGIN_USER:
        return rec->stream == &stream_session && add_login_user(out, rec->body);
    case TO_FINDING:
        return rec->stream == &stream_notice && add_finding(out, rec->body);
    }
    return convert_connected(how, with, rec, out);
}
