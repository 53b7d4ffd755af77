/* value.c: values of records as values of Lua.
 * In: a field's kind and place. Out: a Lua value on the stack. Owns: nothing. Knowingly: a list that is empty
 * is an empty table, not nil, so that a loop needs no test; a count over 2^63 shows negative. */
#include "script/value.h"

double value_seconds(struct timespec t)
{
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void value_push_text(lua_State *L, struct slice s)
{
    if (s.data)
        lua_pushlstring(L, (const char *)s.data, s.len);
    else
        lua_pushnil(L);
}

void value_push_address(lua_State *L, const struct address *a)
{
    char text[ADDRESS_TEXT];
    if (a->family)
        lua_pushlstring(L, text, address_text(a, text));
    else
        lua_pushnil(L);
}

static void push_flags(lua_State *L, const struct flags *flags, int meta)
{
    lua_createtable(L, 0, FLAG_COUNT);
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (!*(const bool *)((const char *)flags + flag_table[i].offset))
            continue;
        lua_pushboolean(L, true);
        lua_setfield(L, -2, flag_table[i].name);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, meta);
    lua_setmetatable(L, -2);
}

static void push_texts(lua_State *L, const struct text_list *list)
{
    lua_createtable(L, (int)list->len, 0);
    for (size_t i = 0; i < list->len; i++) {
        value_push_text(L, list->items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_addresses(lua_State *L, const struct address_list *list)
{
    lua_createtable(L, (int)list->len, 0);
    for (size_t i = 0; i < list->len; i++) {
        value_push_address(L, &list->items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* What is absent is nil. */
static void push_object(lua_State *L, const struct shape *of, const char *object, int flags_meta)
{
    lua_createtable(L, 0, (int)of->count);
    for (size_t i = 0; i < of->count; i++) {
        value_push(L, &of->fields[i], object + of->fields[i].offset, flags_meta);
        lua_setfield(L, -2, of->fields[i].name);
    }
}

static void push_list(lua_State *L, const struct shape *of, const struct object_list *list, int flags_meta)
{
    lua_createtable(L, (int)list->len, 0);
    for (size_t i = 0; i < list->len; i++) {
        push_object(L, of, (const char *)list->items + i * of->size, flags_meta);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_count(lua_State *L, uint64_t n, bool some)
{
    if (n || !some)
        lua_pushinteger(L, (lua_Integer)n);
    else
        lua_pushnil(L);
}

void value_push(lua_State *L, const struct field *f, const void *p, int flags_meta)
{
    switch (f->kind) {
    case FIELD_TIME:
        lua_pushnumber(L, value_seconds(*(const struct timespec *)p));
        break;
    case FIELD_DOUBLE:
        lua_pushnumber(L, *(const double *)p);
        break;
    case FIELD_SPAN:
        if (((const struct interval *)p)->known)
            lua_pushnumber(L, ((const struct interval *)p)->seconds);
        else
            lua_pushnil(L);
        break;
    case FIELD_TEXT:
        value_push_text(L, *(const struct slice *)p);
        break;
    case FIELD_ADDRESS:
        value_push_address(L, p);
        break;
    case FIELD_PORT:
    case FIELD_SOME_PORT:
        push_count(L, *(const uint16_t *)p, f->kind == FIELD_SOME_PORT);
        break;
    case FIELD_COUNT:
    case FIELD_SOME:
        push_count(L, *(const uint64_t *)p, f->kind == FIELD_SOME);
        break;
    case FIELD_TRUE:
        if (*(const bool *)p)
            lua_pushboolean(L, true);
        else
            lua_pushnil(L);
        break;
    case FIELD_MAYBE:
        if (*(const enum maybe *)p == MAYBE)
            lua_pushnil(L);
        else
            lua_pushboolean(L, *(const enum maybe *)p == MAYBE_YES);
        break;
    case FIELD_BOOL:
        lua_pushboolean(L, *(const bool *)p);
        break;
    case FIELD_TEXTS:
        push_texts(L, p);
        break;
    case FIELD_ADDRESSES:
        push_addresses(L, p);
        break;
    case FIELD_ANOMALY:
        lua_pushstring(L, anomaly_name(*(const enum anomaly *)p));
        break;
    case FIELD_OBJECT:
        if (field_is_absent(f, p))
            lua_pushnil(L);
        else
            push_object(L, f->of, p, flags_meta);
        break;
    case FIELD_APART:
        if (field_is_absent(f, p))
            lua_pushnil(L);
        else
            push_object(L, f->of, field_pointer(p), flags_meta);
        break;
    case FIELD_LIST:
        push_list(L, f->of, p, flags_meta);
        break;
    case FIELD_FLAGS:
        push_flags(L, p, flags_meta);
        break;
    }
}
