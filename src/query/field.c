/* field.c: the table of what a query can ask for.
 * In: names. Out: fields. Owns: nothing. */
#include "query/query.h"

#define SMTP     QUERY_SMTP
#define SESSION  QUERY_SESSION
#define NOTICE   QUERY_NOTICE
#define SOFTWARE QUERY_SOFTWARE
#define STATS    QUERY_STATS
#define ENTRY    QUERY_ENTRY
#define ALL      QUERY_ALL

const struct query_field query_fields[QUERY_FIELDS] = {
#define QUERY_FIELD(id, name, aliases, kind, streams, doc, example)                                          \
    [QUERY_FIELD_##id] = {name, aliases, QUERY_##kind, streams, doc, example},
#include "query/query.def"
#undef QUERY_FIELD
};

static const struct {
    enum query_field_index field;
    const char *word;
} choices[] = {
#define QUERY_CHOICE(field, word) {QUERY_FIELD_##field, word},
#include "query/query.def"
#undef QUERY_CHOICE
};

const char *query_choice(enum query_field_index field, size_t i)
{
    for (size_t at = 0; at < sizeof choices / sizeof *choices; at++)
        if (choices[at].field == field && !i--)
            return choices[at].word;
    return NULL;
}

const char *query_kind_name(enum query_kind kind)
{
    static const char *const names[] = {
        [QUERY_WORDS] = "words",
        [QUERY_MAIL] = "mail address or words",
        [QUERY_NAME] = "name",
        [QUERY_MSGID] = "name",
        [QUERY_CHOICE] = "choice",
        [QUERY_DOMAIN] = "domain",
        [QUERY_NET] = "address or network",
        [QUERY_HOST] = "address, network or words",
        [QUERY_NUMBER] = "number",
        [QUERY_SIZE] = "size",
        [QUERY_SECONDS] = "duration",
        [QUERY_TIME] = "time",
        [QUERY_BOOL] = "yes or no",
        [QUERY_HAS] = "name of a field",
        [QUERY_ID] = "id",
    };
    return names[kind];
}

const char *query_stream_name(unsigned streams)
{
    static const char *const names[] = {"smtp", "smtp_session", "notice", "software", "stats", "scripts"};
    size_t i = 0;
    while (i + 1 < sizeof names / sizeof *names && !(streams & 1u << i))
        i++;
    return names[i];
}

static bool has_word(const char *words, struct slice name)
{
    for (struct slice rest = slice_str(words); rest.len;) {
        size_t end = slice_index(rest, ' ');
        if (slice_case_eq(slice_sub(rest, 0, end), name))
            return true;
        rest = slice_sub(rest, end + 1, rest.len);
    }
    return false;
}

enum query_field_index query_field_find(struct slice name, unsigned streams)
{
    enum query_field_index i = 0;
    while (i < QUERY_FIELDS &&
           !(query_fields[i].streams & streams && (slice_case_eq(name, slice_str(query_fields[i].name)) ||
                                                   has_word(query_fields[i].aliases, name))))
        i++;
    return i;
}
