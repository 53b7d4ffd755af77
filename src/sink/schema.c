/* schema.c: the JSON Schema of what sink json writes, out of the same field tables.
 * In: the tables. Out: one JSON document. Owns: nothing. Spec: JSON Schema, draft 2020-12. */
#include "sink/sink.h"

#define TEXT_TYPE        "\"type\":\"string\""
#define COUNT_TYPE       "\"type\":\"integer\",\"minimum\":0"
#define ADDRESS_TYPE     TEXT_TYPE ",\"pattern\":\"^([0-9]{1,3}(\\\\.[0-9]{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)$\""
#define LIST_TYPE(items) "\"type\":\"array\",\"minItems\":1,\"items\":{" items "}"
#define FILE_TYPE                                                                                            \
    "\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"name\",\"type\",\"size\"],"          \
    "\"properties\":{\"name\":{" TEXT_TYPE ",\"description\":\"The file name, decoded.\"},"                  \
    "\"type\":{" TEXT_TYPE ",\"description\":\"The media type that the mail gives it.\"},"                   \
    "\"size\":{" COUNT_TYPE ",\"description\":\"Bytes after decoding.\"}}"
#define ANOMALY_TYPE                                                                                         \
    "\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"name\",\"offset\"],"                 \
    "\"properties\":{\"name\":{" TEXT_TYPE ",\"description\":\"What it is.\"},"                              \
    "\"offset\":{" COUNT_TYPE ",\"description\":\"Place of its first byte in the message, from 0: of "       \
    "message_*, end_lookalike and smuggled_command with the dots that were doubled to send it, of all that " \
    "is odd in fields and parts without them. Of command_* and starttls_injection: in what the client "      \
    "sent.\"},"                                                                                              \
    "\"text\":{" TEXT_TYPE ",\"description\":\"Evidence.\"}}"
#define ORIGIN_TYPE                                                                                          \
    "\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"ip\"],"                              \
    "\"properties\":{\"ip\":{" ADDRESS_TYPE ",\"description\":\"Its address.\"},"                            \
    "\"country\":{" TEXT_TYPE ",\"description\":\"Its country, ISO 3166-1, two letters.\"},"                 \
    "\"asn\":{" COUNT_TYPE ",\"description\":\"Number of its autonomous system.\"},"                         \
    "\"as_name\":{" TEXT_TYPE ",\"description\":\"Name of that.\"}}"

static const char *type_of(enum field_kind kind)
{
    switch (kind) {
    case FIELD_TIME:
    case FIELD_DOUBLE:
        return "\"type\":\"number\"";
    case FIELD_TEXT:
        return TEXT_TYPE;
    case FIELD_ADDRESS:
        return ADDRESS_TYPE;
    case FIELD_PORT:
    case FIELD_SOME_PORT:
        return COUNT_TYPE ",\"maximum\":65535";
    case FIELD_COUNT:
    case FIELD_SOME:
        return COUNT_TYPE;
    case FIELD_BOOL:
        return "\"type\":\"boolean\"";
    case FIELD_TEXTS:
        return LIST_TYPE(TEXT_TYPE);
    case FIELD_ADDRESSES:
        return LIST_TYPE(ADDRESS_TYPE);
    case FIELD_FILES:
        return LIST_TYPE(FILE_TYPE);
    case FIELD_ANOMALIES:
        return LIST_TYPE(ANOMALY_TYPE);
    case FIELD_ORIGIN:
        return ORIGIN_TYPE;
    case FIELD_FLAGS:
        return "\"type\":\"object\",\"minProperties\":1,\"additionalProperties\":false";
    }
    return "";
}

/* Of the texts and addresses only these; of lists and objects none. */
static bool always_there(const struct stream *s, const struct field *f)
{
    static const char *const texts[] = {"uid", "end", "note", "msg"};
    bool named = false, notice = s->index == STREAM_NOTICE;
    switch (f->kind) {
    case FIELD_TEXT:
        for (size_t i = notice ? 2 : 0; i < sizeof texts / sizeof *texts; i++)
            named |= strcmp(f->name, texts[i]) == 0;
        return named;
    case FIELD_ADDRESS:
        return !notice;
    case FIELD_TIME:
    case FIELD_DOUBLE:
    case FIELD_PORT:
    case FIELD_COUNT:
    case FIELD_BOOL:
        return true;
    case FIELD_SOME_PORT:
    case FIELD_SOME:
    case FIELD_TEXTS:
    case FIELD_ADDRESSES:
    case FIELD_FILES:
    case FIELD_ORIGIN:
    case FIELD_ANOMALIES:
    case FIELD_FLAGS:
        break;
    }
    return false;
}

/* The tables' texts are our own: quotes and backslashes are all that could be in the way. */
static void print_text(FILE *out, const char *before, const char *text, const char *after)
{
    fprintf(out, "%s\"", before);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fprintf(out, "\"%s", after);
}

static void print_flags(FILE *out, bool of_session)
{
    const char *between = "";
    fputs(",\"properties\":{", out);
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (of_session && !flag_table[i].of_session)
            continue;
        print_text(out, between, flag_table[i].name, ":{\"const\":true,");
        print_text(out, "\"description\":", flag_table[i].doc, "}");
        between = ",";
    }
    fputs("}", out);
}

static void print_field(FILE *out, const struct stream *s, const struct field *f)
{
    print_text(out, ",\n      ", f->name, ": {");
    print_text(out, "\"description\":", f->doc, ",");
    fputs(type_of(f->kind), out);
    if (f->kind == FIELD_FLAGS)
        print_flags(out, s == &stream_session);
    fputs("}", out);
}

/* A stream of a script may have any name but those of the others, and any fields. */
static void print_path(FILE *out, const struct stream *s)
{
    if (s->index != STREAM_ENTRY) {
        print_text(out, "\n      \"_path\": {\"description\":\"The stream.\",\"const\":", s->path, "}");
        return;
    }
    fputs("\n      \"_path\": {\"description\":\"The stream.\"," TEXT_TYPE
          ",\"pattern\":\"^[a-z][a-z0-9_]*$\",\"not\":{\"enum\":",
          out);
    for (size_t i = 0; i < STREAM_ENTRY; i++)
        print_text(out, i ? "," : "[", stream_table[i]->path, "");
    fputs("]}}", out);
}

static void print_stream(FILE *out, const struct stream *s)
{
    print_text(out, "   {\"description\": ", s->doc, ",\n");
    fprintf(out, "    \"type\": \"object\", \"additionalProperties\": %s,\n    \"required\": [\"_path\"",
            s->index == STREAM_ENTRY ? "true" : "false");
    for (size_t i = 0; i < s->count; i++)
        if (always_there(s, &s->fields[i]))
            print_text(out, ", ", s->fields[i].name, "");
    fputs("],\n    \"properties\": {", out);
    print_path(out, s);
    for (size_t i = 0; i < s->count; i++)
        print_field(out, s, &s->fields[i]);
    fputs("}}", out);
}

void schema_print(FILE *out)
{
    fputs("{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n", out);
    fputs(" \"title\": \"mailtap records\",\n \"oneOf\": [\n", out);
    for (size_t i = 0; i < STREAMS; i++) {
        fputs(i ? ",\n" : "", out);
        print_stream(out, stream_table[i]);
    }
    fputs("]}\n", out);
}
