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
#define FLAG(name, of_session, doc) {#name, offsetof(struct flags, name), of_session, doc},
#include "record/fields.def"
#undef FLAG
};
