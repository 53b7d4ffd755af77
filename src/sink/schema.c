/* schema.c: the JSON Schema of what sink json writes, out of the same field tables.
 * Out: draft 2020-12. */
#include "sink/sink.h"

static const char *type_of(enum field_kind kind)
{
    switch (kind) {
    case FIELD_TIME:
    case FIELD_DOUBLE:
        return "{\"type\":\"number\"";
    case FIELD_TEXT:
    case FIELD_ADDRESS:
        return "{\"type\":\"string\"";
    case FIELD_PORT:
        return "{\"type\":\"integer\",\"minimum\":0,\"maximum\":65535";
    case FIELD_COUNT:
        return "{\"type\":\"integer\",\"minimum\":0";
    case FIELD_BOOL:
        return "{\"type\":\"boolean\"";
    case FIELD_TEXTS:
    case FIELD_ADDRESSES:
        return "{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"string\"}";
    case FIELD_FILES:
        return "{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"object\",\"additionalProperties\":false,"
               "\"required\":[\"name\",\"type\",\"size\"],\"properties\":{\"name\":{\"type\":\"string\"},"
               "\"type\":{\"type\":\"string\"},\"size\":{\"type\":\"integer\",\"minimum\":0}}}";
    case FIELD_FLAGS:
        return "{\"type\":\"object\",\"minProperties\":1,\"additionalProperties\":false";
    }
    return "{";
}

static bool always_there(enum field_kind kind)
{
    return kind != FIELD_TEXT && kind != FIELD_TEXTS && kind != FIELD_ADDRESSES && kind != FIELD_FILES && kind != FIELD_FLAGS;
}

static void print_field(FILE *out, const struct field *f)
{
    fprintf(out, ",\n      \"%s\": %s", f->name, type_of(f->kind));
    if (f->kind == FIELD_FLAGS) {
        fputs(",\"properties\":{", out);
        for (size_t i = 0; i < FLAG_COUNT; i++)
            fprintf(out, "%s\"%s\":{\"const\":true,\"description\":\"%s\"}", i ? "," : "", flag_table[i].name, flag_table[i].doc);
        fputc('}', out);
    }
    fprintf(out, ",\"description\":\"%s\"}", f->doc);
}

static void print_stream(FILE *out, const struct stream *s)
{
    fprintf(out, "   {\"type\": \"object\", \"additionalProperties\": false, \"description\": \"%s\",\n    \"required\": [\"_path\"", s->doc);
    for (size_t i = 0; i < s->count; i++)
        if (always_there(s->fields[i].kind))
            fprintf(out, ", \"%s\"", s->fields[i].name);
    fprintf(out, "],\n    \"properties\": {\n      \"_path\": {\"const\": \"%s\"}", s->path);
    for (size_t i = 0; i < s->count; i++)
        print_field(out, &s->fields[i]);
    fputs("}}", out);
}

void schema_print(FILE *out)
{
    fputs("{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n \"title\": \"mailtap records\",\n \"oneOf\": [\n", out);
    print_stream(out, &stream_smtp);
    fputs(",\n", out);
    print_stream(out, &stream_session);
    fputs("]}\n", out);
}
