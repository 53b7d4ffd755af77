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

static void push_origin(lua_State *L, const struct origin *o)
{
    if (!o->ip.family) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, 0, 4);
    value_push_address(L, &o->ip);
    lua_setfield(L, -2, "ip");
    value_push_text(L, o->country);
    lua_setfield(L, -2, "country");
    if (o->asn) {
        lua_pushinteger(L, (lua_Integer)o->asn);
        lua_setfield(L, -2, "asn");
    }
    value_push_text(L, o->as_name);
    lua_setfield(L, -2, "as_name");
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

static void push_files(lua_State *L, const struct file_list *list)
{
    lua_createtable(L, (int)list->len, 0);
    for (size_t i = 0; i < list->len; i++) {
        lua_createtable(L, 0, 3);
        value_push_text(L, list->items[i].name);
        lua_setfield(L, -2, "name");
        value_push_text(L, list->items[i].type);
        lua_setfield(L, -2, "type");
        lua_pushinteger(L, (lua_Integer)list->items[i].size);
        lua_setfield(L, -2, "size");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_anomalies(lua_State *L, const struct anomaly_list *list)
{
    lua_createtable(L, (int)list->len, 0);
    for (size_t i = 0; i < list->len; i++) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, anomaly_name(list->items[i].which));
        lua_setfield(L, -2, "name");
        lua_pushinteger(L, (lua_Integer)list->items[i].offset);
        lua_setfield(L, -2, "offset");
        value_push_text(L, list->items[i].text);
        lua_setfield(L, -2, "text");
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

void value_push(lua_State *L, enum field_kind kind, const void *p, int flags_meta)
{
    switch (kind) {
    case FIELD_TIME:
        lua_pushnumber(L, value_seconds(*(const struct timespec *)p));
        break;
    case FIELD_DOUBLE:
        lua_pushnumber(L, *(const double *)p);
        break;
    case FIELD_TEXT:
        value_push_text(L, *(const struct slice *)p);
        break;
    case FIELD_ADDRESS:
        value_push_address(L, p);
        break;
    case FIELD_PORT:
    case FIELD_SOME_PORT:
        push_count(L, *(const uint16_t *)p, kind == FIELD_SOME_PORT);
        break;
    case FIELD_COUNT:
    case FIELD_SOME:
        push_count(L, *(const uint64_t *)p, kind == FIELD_SOME);
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
    case FIELD_FILES:
        push_files(L, p);
        break;
    case FIELD_ANOMALIES:
        push_anomalies(L, p);
        break;
    case FIELD_ORIGIN:
        push_origin(L, p);
        break;
    case FIELD_FLAGS:
        push_flags(L, p, flags_meta);
        break;
    }
}
