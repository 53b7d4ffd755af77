/* schema.c: the JSON Schema of what sink json writes, out of the same field tables.
 * In: the tables. Out: one JSON document. Owns: nothing. Spec: JSON Schema, draft 2020-12. */
#include "sink/sink.h"

#define TEXT_TYPE        "\"type\":\"string\""
#define COUNT_TYPE       "\"type\":\"integer\",\"minimum\":0"
#define ADDRESS_TYPE     TEXT_TYPE ",\"pattern\":\"^([0-9]{1,3}(\\\\.[0-9]{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)$\""
#define OBJECT_TYPE      "\"type\":\"object\",\"additionalProperties\":false"
#define LIST_TYPE(items) "\"type\":\"array\",\"minItems\":1,\"items\":{" items "}"

static const char *type_of(enum field_kind kind)
{
    switch (kind) {
    case FIELD_TIME:
    case FIELD_DOUBLE:
    case FIELD_SPAN:
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
    case FIELD_MAYBE:
        return "\"type\":\"boolean\"";
    case FIELD_TRUE:
        return "\"const\":true";
    case FIELD_TEXTS:
        return LIST_TYPE(TEXT_TYPE);
    case FIELD_ADDRESSES:
        return LIST_TYPE(ADDRESS_TYPE);
    case FIELD_ANOMALY:
        return TEXT_TYPE;
    case FIELD_OBJECT:
        return OBJECT_TYPE;
    case FIELD_LIST:
        return "\"type\":\"array\",\"minItems\":1,\"items\":{" OBJECT_TYPE;
    case FIELD_FLAGS:
        return OBJECT_TYPE ",\"minProperties\":1";
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
    case FIELD_ANOMALY:
        return true;
    case FIELD_SOME_PORT:
    case FIELD_SOME:
    case FIELD_TRUE:
    case FIELD_MAYBE:
    case FIELD_SPAN:
    case FIELD_TEXTS:
    case FIELD_ADDRESSES:
    case FIELD_OBJECT:
    case FIELD_LIST:
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

static bool always_inside(const struct shape *of, size_t i)
{
    enum field_kind kind = of->fields[i].kind;
    return kind == FIELD_COUNT || kind == FIELD_BOOL || kind == FIELD_ANOMALY;
}

static void print_shape(FILE *out, const struct shape *of);

/* The fields of an object in an object are as those of any other. */
static void print_inner(FILE *out, const struct field *f)
{
    fputs(type_of(f->kind), out);
    if (f->of)
        print_shape(out, f->of);
    fputs(f->kind == FIELD_LIST ? "}}" : "}", out);
}

static void print_shape(FILE *out, const struct shape *of)
{
    const char *between = "";
    fputs(",\"required\":[", out);
    for (size_t i = 0; i < of->count; i++) {
        if (!always_inside(of, i))
            continue;
        print_text(out, between, of->fields[i].name, "");
        between = ",";
    }
    between = "],\"properties\":{";
    for (size_t i = 0; i < of->count; i++) {
        print_text(out, between, of->fields[i].name, ":{");
        print_text(out, "\"description\":", of->fields[i].doc, ",");
        print_inner(out, &of->fields[i]);
        between = ",";
    }
    fputs("}", out);
}

static void print_field(FILE *out, const struct stream *s, const struct field *f)
{
    print_text(out, ",\n      ", f->name, ": {");
    print_text(out, "\"description\":", f->doc, ",");
    if (f->kind != FIELD_FLAGS) {
        print_inner(out, f);
        return;
    }
    fputs(type_of(f->kind), out);
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
