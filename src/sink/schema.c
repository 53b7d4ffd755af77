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
        return COUNT_TYPE ",\"maximum\":65535";
    case FIELD_COUNT:
        return COUNT_TYPE;
    case FIELD_BOOL:
        return "\"type\":\"boolean\"";
    case FIELD_TEXTS:
        return LIST_TYPE(TEXT_TYPE);
    case FIELD_ADDRESSES:
        return LIST_TYPE(ADDRESS_TYPE);
    case FIELD_FILES:
        return LIST_TYPE(FILE_TYPE);
    case FIELD_FLAGS:
        return "\"type\":\"object\",\"minProperties\":1,\"additionalProperties\":false";
    }
    return "";
}

/* Of the texts only these; of lists and flags none. */
static bool always_there(const struct field *f)
{
    static const char *const texts[] = {"uid", "end"};
    for (size_t i = 0; f->kind == FIELD_TEXT && i < sizeof texts / sizeof *texts; i++)
        if (strcmp(f->name, texts[i]) == 0)
            return true;
    return f->kind != FIELD_TEXT && f->kind != FIELD_TEXTS && f->kind != FIELD_ADDRESSES &&
           f->kind != FIELD_FILES && f->kind != FIELD_FLAGS;
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

static void print_stream(FILE *out, const struct stream *s)
{
    print_text(out, "   {\"description\": ", s->doc, ",\n");
    fputs("    \"type\": \"object\", \"additionalProperties\": false,\n    \"required\": [\"_path\"", out);
    for (size_t i = 0; i < s->count; i++)
        if (always_there(&s->fields[i]))
            print_text(out, ", ", s->fields[i].name, "");
    print_text(out, "],\n    \"properties\": {\n      \"_path\": {\"description\":\"The stream.\",\"const\":",
               s->path, "}");
    for (size_t i = 0; i < s->count; i++)
        print_field(out, s, &s->fields[i]);
    fputs("}}", out);
}

void schema_print(FILE *out)
{
    fputs("{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n", out);
    fputs(" \"title\": \"mailtap records\",\n \"oneOf\": [\n", out);
    print_stream(out, &stream_smtp);
    fputs(",\n", out);
    print_stream(out, &stream_session);
    fputs("]}\n", out);
}
