/* openapi.c: the API's description.
 * In: route.def, schema.def. Out: OpenAPI 3.1. Owns: nothing. Spec: OpenAPI 3.1.0, JSON Schema 2020-12. */
#include "web/openapi.h"

#include <assert.h>
#include <stdio.h>
#include "web/json.h"
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
    json_key(a, key);
    json_str(a, text);
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
    json_key(a, "type");
    if (!or_null) {
        json_str(a, name);
        return;
    }
    json_list(a);
    json_str(a, name);
    json_str(a, "null");
    json_end(a);
}

static void put_ref(struct answer *a, struct slice name, bool or_null)
{
    char ref[96];
    assert(is_schema(name));
    snprintf(ref, sizeof ref, "#/components/schemas/%.*s", (int)name.len, (const char *)name.data);
    if (or_null) {
        json_key(a, "anyOf");
        json_list(a);
        json_object(a);
    }
    key_text(a, "$ref", ref);
    if (or_null) {
        json_end(a);
        json_object(a);
        key_text(a, "type", "null");
        json_end(a);
        json_end(a);
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
        json_key(a, "minimum");
        json_count(a, 0);
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
    json_key(a, first == '[' ? "items" : "additionalProperties");
    json_object(a);
    put_schema_of(a, slice_sub(type, 1, type.len - 1));
    json_end(a);
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
    json_key(a, schemas[at].schema);
    json_object(a);
    key_text(a, "type", "object");
    key_doc(a, schemas[at].doc);
    json_key(a, "properties");
    json_object(a);
    for (size_t i = at + 1; i < end; i++) {
        assert(strcmp(schemas[i].schema, schemas[at].schema) == 0);
        struct slice type = type_of(&schemas[i], &always);
        json_key(a, schemas[i].name);
        json_object(a);
        put_schema_of(a, type);
        key_doc(a, schemas[i].doc);
        json_end(a);
    }
    json_end(a);
    json_key(a, "required");
    json_list(a);
    for (size_t i = at + 1; i < end; i++) {
        type_of(&schemas[i], &always);
        if (always)
            json_str(a, schemas[i].name);
    }
    json_end(a);
    json_end(a);
}

static void put_choices(struct answer *a, struct slice words)
{
    json_key(a, "enum");
    json_list(a);
    while (words.len) {
        size_t blank = slice_index(words, ' ');
        json_text(a, slice_sub(words, 0, blank));
        words = slice_sub(words, blank + 1, words.len);
    }
    json_end(a);
}

static void put_param_schema(struct answer *a, const struct param_row *p)
{
    json_object(a);
    switch (p->kind) {
    case PARAM_IS_NUMBER:
        key_text(a, "type", "integer");
        json_key(a, "minimum");
        json_count(a, 0);
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
    json_end(a);
}

static void put_param(struct answer *a, const struct param_row *p, const char *place)
{
    json_object(a);
    key_text(a, "name", p->name);
    key_text(a, "in", place);
    key_text(a, "description", p->doc);
    if (strcmp(place, "path") == 0) {
        json_key(a, "required");
        json_flag(a, true);
    }
    json_key(a, "schema");
    put_param_schema(a, p);
    json_end(a);
}

/* Changes by cookie need the token. */
static void put_csrf(struct answer *a)
{
    json_object(a);
    key_text(a, "name", "X-CSRF-Token");
    key_text(a, "in", "header");
    key_text(a, "description", "The csrf of /me; not needed with Authorization: Bearer.");
    json_key(a, "schema");
    json_object(a);
    key_text(a, "type", "string");
    json_end(a);
    json_end(a);
}

static void put_params(struct answer *a, const struct route *r)
{
    struct slice path = slice_str(r->path);
    size_t brace = slice_index(path, '{');
    struct slice part = slice_sub(path, brace + 1, path.len);
    part.len = slice_index(part, '}');
    json_key(a, "parameters");
    json_list(a);
    for (enum param p = 0; p < PARAM_COUNT; p++) {
        if (brace < path.len && is(part, param_table[p].name))
            put_param(a, &param_table[p], "path");
        else if (r->takes >> p & 1)
            put_param(a, &param_table[p], "query");
    }
    if (r->method != METHOD_GET)
        put_csrf(a);
    json_end(a);
}

static void put_body(struct answer *a, const struct route *r)
{
    if (!r->body)
        return;
    json_key(a, "requestBody");
    json_object(a);
    json_key(a, "content");
    json_object(a);
    json_key(a, "application/json");
    json_object(a);
    json_key(a, "schema");
    json_object(a);
    key_text(a, "type", "object");
    json_key(a, "properties");
    json_object(a);
    for (enum param p = 0; p < PARAM_COUNT; p++)
        if (r->body >> p & 1) {
            json_key(a, param_table[p].name);
            json_object(a);
            key_text(a, "description", param_table[p].doc);
            json_end(a);
        }
    for (int i = 0; i < 5; i++)
        json_end(a);
}

static void put_content(struct answer *a, const char *schema)
{
    json_key(a, "content");
    json_object(a);
    json_key(a, "application/json");
    json_object(a);
    if (*schema) {
        json_key(a, "schema");
        json_object(a);
        put_ref(a, slice_str(schema), false);
        json_end(a);
    }
    json_end(a);
    json_end(a);
}

static void put_answers(struct answer *a, const struct route *r)
{
    bool says = *r->schema || r->method == METHOD_GET;
    json_key(a, "responses");
    json_object(a);
    json_key(a, says ? "200" : "204");
    json_object(a);
    key_text(a, "description", says ? "The answer." : "Done.");
    if (says)
        put_content(a, r->schema);
    json_end(a);
    json_key(a, "default");
    json_object(a);
    key_text(a, "description", "What was wrong.");
    put_content(a, "error");
    json_end(a);
    json_end(a);
}

static void put_route(struct answer *a, const struct route *r)
{
    static const char *const methods[] = {"get", "post", "delete"};
    json_key(a, methods[r->method]);
    json_object(a);
    key_text(a, "operationId", r->name);
    key_text(a, "summary", r->doc);
    if (r->who == WHO_ANYBODY) {
        json_key(a, "security");
        json_list(a);
        json_end(a);
    }
    put_params(a, r);
    put_body(a, r);
    put_answers(a, r);
    json_end(a);
}

/* Each path once, with all of its methods. */
static void put_paths(struct answer *a)
{
    json_key(a, "paths");
    json_object(a);
    for (size_t i = 0; i < route_count; i++) {
        bool seen = false;
        for (size_t j = 0; j < i; j++)
            seen |= strcmp(route_table[i].path, route_table[j].path) == 0;
        if (seen)
            continue;
        json_key(a, route_table[i].path);
        json_object(a);
        for (size_t j = i; j < route_count; j++)
            if (strcmp(route_table[i].path, route_table[j].path) == 0)
                put_route(a, &route_table[j]);
        json_end(a);
    }
    json_end(a);
}

static void put_security(struct answer *a)
{
    json_key(a, "securitySchemes");
    json_object(a);
    json_key(a, "token");
    json_object(a);
    key_text(a, "type", "http");
    key_text(a, "scheme", "bearer");
    json_end(a);
    json_key(a, "cookie");
    json_object(a);
    key_text(a, "type", "apiKey");
    key_text(a, "in", "cookie");
    key_text(a, "name", "__Host-mailtap");
    json_end(a);
    json_end(a);
}

void openapi_write(struct answer *a, const char *version)
{
    static const char *const schemes[] = {"token", "cookie"};
    json_object(a);
    key_text(a, "openapi", "3.1.0");
    json_key(a, "info");
    json_object(a);
    key_text(a, "title", "mailtap");
    key_text(a, "version", version);
    key_text(a, "description", "What mailtap web shows. Times are seconds since 1970-01-01 UTC.");
    json_end(a);
    json_key(a, "servers");
    json_list(a);
    json_object(a);
    key_text(a, "url", ROUTE_API);
    json_end(a);
    json_end(a);
    json_key(a, "security");
    json_list(a);
    for (size_t i = 0; i < 2; i++) {
        json_object(a);
        json_key(a, schemes[i]);
        json_list(a);
        json_end(a);
        json_end(a);
    }
    json_end(a);
    put_paths(a);
    json_key(a, "components");
    json_object(a);
    put_security(a);
    json_key(a, "schemas");
    json_object(a);
    for (size_t i = 0; i < SCHEMAS; i++)
        if (!schemas[i].name)
            put_schema(a, i);
    json_end(a);
    json_end(a);
    json_end(a);
}
