/* openapi.c: the API's description.
 * In: route.def, schema.def. Out: OpenAPI 3.1. Owns: nothing. Spec: OpenAPI 3.1.0, JSON Schema 2020-12. */
#include "web/openapi.h"

#include <assert.h>
#include <stdio.h>
#include "web/say.h"
#include "web/route.h"

struct schema_row {
    const char *schema, *name, *type, *doc; /* name NULL: the schema itself */
};

static const struct schema_row schemas[] = {
#define SCHEMA(name, doc)               {#name, NULL, NULL, doc},
#define MEMBER(schema, name, type, doc) {#schema, #name, type, doc},
#include "web/schema.def"
};
enum { SCHEMAS = sizeof schemas / sizeof *schemas };

static void key_text(struct answer *a, const char *key, const char *text)
{
    say_key(a, key);
    say_str(a, text);
}

static void key_doc(struct answer *a, const char *doc)
{
    if (*doc)
        key_text(a, "description", doc);
}

static bool is(struct slice type, const char *name)
{
    return slice_eq(type, slice_str(name));
}

static bool is_schema(struct slice type)
{
    for (size_t i = 0; i < SCHEMAS; i++)
        if (!schemas[i].name && is(type, schemas[i].schema))
            return true;
    return false;
}

/* "type": "x", or with null. */
static void put_type(struct answer *a, const char *name, bool or_null)
{
    say_key(a, "type");
    if (!or_null) {
        say_str(a, name);
        return;
    }
    say_list(a);
    say_str(a, name);
    say_str(a, "null");
    say_end(a);
}

static void put_ref(struct answer *a, struct slice name, bool or_null)
{
    char ref[96];
    assert(is_schema(name));
    snprintf(ref, sizeof ref, "#/components/schemas/%.*s", (int)name.len, (const char *)name.data);
    if (or_null) {
        say_key(a, "anyOf");
        say_list(a);
        say_object(a);
    }
    key_text(a, "$ref", ref);
    if (or_null) {
        say_end(a);
        say_object(a);
        key_text(a, "type", "null");
        say_end(a);
        say_end(a);
    }
}

/* The members of a schema object for a type, as schema.def writes it, without its ? and !. */
static void put_plain(struct answer *a, struct slice type, bool or_null)
{
    if (is(type, "text")) {
        put_type(a, "string", or_null);
    } else if (is(type, "id")) {
        put_type(a, "string", or_null);
        key_text(a, "pattern", "^[0-9]+$");
    } else if (is(type, "count")) {
        put_type(a, "integer", or_null);
        say_key(a, "minimum");
        say_count(a, 0);
    } else if (is(type, "number") || is(type, "seconds")) {
        put_type(a, "number", or_null);
    } else if (is(type, "flag")) {
        put_type(a, "boolean", or_null);
    } else if (is(type, "record")) {
        put_type(a, "object", or_null);
    } else if (!is(type, "any")) {
        put_ref(a, type, or_null);
    }
}

static void put_schema_of(struct answer *a, struct slice type)
{
    bool or_null = type.len && type.data[type.len - 1] == '?';
    type.len -= or_null;
    uint8_t first = type.len ? *type.data : 0;
    if (first != '[' && first != '{') {
        put_plain(a, type, or_null);
        return;
    }
    put_type(a, first == '[' ? "array" : "object", or_null);
    say_key(a, first == '[' ? "items" : "additionalProperties");
    say_object(a);
    put_schema_of(a, slice_sub(type, 1, type.len - 1));
    say_end(a);
}

/* Without the ! behind it. */
static struct slice type_of(const struct schema_row *m, bool *retalways)
{
    struct slice type = slice_str(m->type);
    *retalways = type.len && type.data[type.len - 1] == '!';
    type.len -= *retalways;
    return type;
}

static void put_schema(struct answer *a, size_t at)
{
    bool always;
    size_t end = at + 1;
    while (end < SCHEMAS && schemas[end].name)
        end++;
    say_key(a, schemas[at].schema);
    say_object(a);
    key_text(a, "type", "object");
    key_doc(a, schemas[at].doc);
    say_key(a, "properties");
    say_object(a);
    for (size_t i = at + 1; i < end; i++) {
        assert(strcmp(schemas[i].schema, schemas[at].schema) == 0);
        struct slice type = type_of(&schemas[i], &always);
        say_key(a, schemas[i].name);
        say_object(a);
        put_schema_of(a, type);
        key_doc(a, schemas[i].doc);
        say_end(a);
    }
    say_end(a);
    say_key(a, "required");
    say_list(a);
    for (size_t i = at + 1; i < end; i++) {
        type_of(&schemas[i], &always);
        if (always)
            say_str(a, schemas[i].name);
    }
    say_end(a);
    say_end(a);
}

static void put_choices(struct answer *a, struct slice words)
{
    say_key(a, "enum");
    say_list(a);
    while (words.len) {
        size_t blank = slice_index(words, ' ');
        say_text(a, slice_sub(words, 0, blank));
        words = slice_sub(words, blank + 1, words.len);
    }
    say_end(a);
}

static void put_param_schema(struct answer *a, const struct param_row *p)
{
    say_object(a);
    switch (p->kind) {
    case PARAM_IS_NUMBER:
        key_text(a, "type", "integer");
        say_key(a, "minimum");
        say_count(a, 0);
        break;
    case PARAM_IS_ID:
        key_text(a, "type", "string");
        key_text(a, "pattern", "^[0-9]+$");
        break;
    case PARAM_IS_CHOICE:
        key_text(a, "type", "string");
        put_choices(a, slice_str(p->choices));
        break;
    case PARAM_IS_TEXT:
    case PARAM_IS_TIME:
    case PARAM_IS_NAMES:
        key_text(a, "type", "string");
        break;
    }
    say_end(a);
}

static void put_param(struct answer *a, const struct param_row *p, const char *place)
{
    say_object(a);
    key_text(a, "name", p->name);
    key_text(a, "in", place);
    key_text(a, "description", p->doc);
    if (strcmp(place, "path") == 0) {
        say_key(a, "required");
        say_flag(a, true);
    }
    say_key(a, "schema");
    put_param_schema(a, p);
    say_end(a);
}

/* Changes by cookie need the token. */
static void put_csrf(struct answer *a)
{
    say_object(a);
    key_text(a, "name", "X-CSRF-Token");
    key_text(a, "in", "header");
    key_text(a, "description", "The csrf of /me; not needed with Authorization: Bearer.");
    say_key(a, "schema");
    say_object(a);
    key_text(a, "type", "string");
    say_end(a);
    say_end(a);
}

static void put_params(struct answer *a, const struct route *r)
{
    struct slice path = slice_str(r->path);
    size_t brace = slice_index(path, '{');
    struct slice part = slice_sub(path, brace + 1, path.len);
    part.len = slice_index(part, '}');
    say_key(a, "parameters");
    say_list(a);
    for (enum param p = 0; p < PARAM_COUNT; p++) {
        if (brace < path.len && is(part, param_table[p].name))
            put_param(a, &param_table[p], "path");
        else if (r->takes >> p & 1)
            put_param(a, &param_table[p], "query");
    }
    if (r->method != METHOD_GET)
        put_csrf(a);
    say_end(a);
}

static void put_body(struct answer *a, const struct route *r)
{
    if (!r->body)
        return;
    say_key(a, "requestBody");
    say_object(a);
    say_key(a, "content");
    say_object(a);
    say_key(a, "application/json");
    say_object(a);
    say_key(a, "schema");
    say_object(a);
    key_text(a, "type", "object");
    say_key(a, "properties");
    say_object(a);
    for (enum param p = 0; p < PARAM_COUNT; p++)
        if (r->body >> p & 1) {
            say_key(a, param_table[p].name);
            say_object(a);
            key_text(a, "description", param_table[p].doc);
            say_end(a);
        }
    for (int i = 0; i < 5; i++)
        say_end(a);
}

static void put_content(struct answer *a, const char *schema)
{
    say_key(a, "content");
    say_object(a);
    say_key(a, "application/json");
    say_object(a);
    if (*schema) {
        say_key(a, "schema");
        say_object(a);
        put_ref(a, slice_str(schema), false);
        say_end(a);
    }
    say_end(a);
    say_end(a);
}

static void put_answers(struct answer *a, const struct route *r)
{
    bool says = *r->schema || r->method == METHOD_GET;
    say_key(a, "responses");
    say_object(a);
    say_key(a, says ? "200" : "204");
    say_object(a);
    key_text(a, "description", says ? "The answer." : "Done.");
    if (says)
        put_content(a, r->schema);
    say_end(a);
    say_key(a, "default");
    say_object(a);
    key_text(a, "description", "What was wrong.");
    put_content(a, "error");
    say_end(a);
    say_end(a);
}

static void put_route(struct answer *a, const struct route *r)
{
    static const char *const methods[] = {"get", "post", "delete"};
    say_key(a, methods[r->method]);
    say_object(a);
    key_text(a, "operationId", r->name);
    key_text(a, "summary", r->doc);
    if (r->who == WHO_ANYBODY) {
        say_key(a, "security");
        say_list(a);
        say_end(a);
    }
    put_params(a, r);
    put_body(a, r);
    put_answers(a, r);
    say_end(a);
}

/* Each path once, with all of its methods. */
static void put_paths(struct answer *a)
{
    say_key(a, "paths");
    say_object(a);
    for (size_t i = 0; i < route_count; i++) {
        bool seen = false;
        for (size_t j = 0; j < i; j++)
            seen |= strcmp(route_table[i].path, route_table[j].path) == 0;
        if (seen)
            continue;
        say_key(a, route_table[i].path);
        say_object(a);
        for (size_t j = i; j < route_count; j++)
            if (strcmp(route_table[i].path, route_table[j].path) == 0)
                put_route(a, &route_table[j]);
        say_end(a);
    }
    say_end(a);
}

static void put_security(struct answer *a)
{
    say_key(a, "securitySchemes");
    say_object(a);
    say_key(a, "token");
    say_object(a);
    key_text(a, "type", "http");
    key_text(a, "scheme", "bearer");
    say_end(a);
    say_key(a, "cookie");
    say_object(a);
    key_text(a, "type", "apiKey");
    key_text(a, "in", "cookie");
    key_text(a, "name", "__Host-mailtap");
    say_end(a);
    say_end(a);
}

void openapi_write(struct answer *a, const char *version)
{
    static const char *const schemes[] = {"token", "cookie"};
    say_object(a);
    key_text(a, "openapi", "3.1.0");
    say_key(a, "info");
    say_object(a);
    key_text(a, "title", "mailtap");
    key_text(a, "version", version);
    key_text(a, "description", "What mailtap web shows. Times are seconds since 1970-01-01 UTC.");
    say_end(a);
    say_key(a, "servers");
    say_list(a);
    say_object(a);
    key_text(a, "url", ROUTE_API);
    say_end(a);
    say_end(a);
    say_key(a, "security");
    say_list(a);
    for (size_t i = 0; i < 2; i++) {
        say_object(a);
        say_key(a, schemes[i]);
        say_list(a);
        say_end(a);
        say_end(a);
    }
    say_end(a);
    put_paths(a);
    say_key(a, "components");
    say_object(a);
    put_security(a);
    say_key(a, "schemas");
    say_object(a);
    for (size_t i = 0; i < SCHEMAS; i++)
        if (!schemas[i].name)
            put_schema(a, i);
    say_end(a);
    say_end(a);
    say_end(a);
}
