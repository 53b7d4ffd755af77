/* record.c: the tables of fields, made out of fields.def.
 * In: nothing. Out: const tables. Owns: nothing. */
#include "record/record.h"

static const struct field smtp_fields[] = {
#define FIELD_SMTP(name, kind, member, doc) {name, FIELD_##kind, offsetof(struct transaction, member), doc},
#include "record/fields.def"
#undef FIELD_SMTP
};

static const struct field session_fields[] = {
#define FIELD_SESSION(name, kind, member, doc) {name, FIELD_##kind, offsetof(struct session, member), doc},
#include "record/fields.def"
#undef FIELD_SESSION
};

const struct stream stream_smtp = {"smtp", "One record per mail transaction.", smtp_fields,
                                   sizeof smtp_fields / sizeof *smtp_fields};
const struct stream stream_session = {"smtp_session", "One record per SMTP connection.", session_fields,
                                      sizeof session_fields / sizeof *session_fields};

const struct flag flag_table[FLAG_COUNT] = {
    {"gap", offsetof(struct flags, gap), "Bytes that the tap did not see lie in it."},
    {"one_sided", offsetof(struct flags, one_sided), "Only one direction was seen."},
    {"midstream", offsetof(struct flags, midstream), "The connection's beginning was not seen."},
    {"truncated", offsetof(struct flags, truncated), "A limit cut a field or a list."},
    {"path_cut", offsetof(struct flags, path_cut), "mail_path_capture stopped the path early."},
    {"unfinished", offsetof(struct flags, unfinished), "The end of the message was not seen."},
};
