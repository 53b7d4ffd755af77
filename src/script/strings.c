/* strings.c: string.find, match, gmatch and gsub over pattern.c.
 * In: their arguments. Out: what the manual says. Owns: nothing. Limits: the steps of the call.
 * Spec: Lua 5.4 reference manual 6.4. */
#include "script/library.h"

#include "script/pattern.h"
#include "script/state.h"

static struct slice text_arg(lua_State *L, int i)
{
    size_t len;
    const char *text = luaL_checklstring(L, i, &len);
    return (struct slice){(const uint8_t *)text, len};
}

/* Offset of argument `i`, counted from 1 or from the end; beyond the text where there is nothing. */
static size_t offset_arg(lua_State *L, int i, size_t len)
{
    lua_Integer at = luaL_optinteger(L, i, 1);
    if (at > 0)
        return (lua_Unsigned)at - 1 > len ? len + 1 : (size_t)at - 1;
    return at == 0 || at < -(lua_Integer)len ? 0 : len - (size_t)-at;
}

/* Finds, and pays for it. */
static bool find_next(lua_State *L, struct pattern *m, size_t from, bool anchor, size_t last,
                      size_t *ret_from, size_t *ret_to)
{
    bool found = pattern_find(m, from, anchor, last, ret_from, ret_to);
    state_spend(L, m->steps);
    m->steps = 0;
    m->steps_most = state_left(state_of(L));
    if (m->fault)
        luaL_error(L, "%s", m->fault);
    return found;
}

/* Pushes capture `i`, or the whole match where the pattern has none. */
static void push_capture(lua_State *L, const struct pattern *m, unsigned i, size_t from, size_t to)
{
    const char *text = (const char *)m->subject.data;
    if (i >= m->captures_len) {
        if (i)
            luaL_error(L, "invalid capture index %%%d", (int)i + 1);
        lua_pushlstring(L, text + from, to - from);
        return;
    }
    const struct capture *c = &m->captures[i];
    if (c->len == CAPTURE_OPEN)
        luaL_error(L, "unfinished capture");
    if (c->len == CAPTURE_POSITION)
        lua_pushinteger(L, (lua_Integer)c->from + 1);
    else
        lua_pushlstring(L, text + c->from, (size_t)c->len);
}

/* All captures; the whole match where there are none and `whole`. */
static int push_captures(lua_State *L, const struct pattern *m, bool whole, size_t from, size_t to)
{
    unsigned n = m->captures_len || !whole ? m->captures_len : 1;
    luaL_checkstack(L, (int)n, "too many captures");
    for (unsigned i = 0; i < n; i++)
        push_capture(L, m, i, from, to);
    return (int)n;
}

static bool is_plain(struct slice pattern)
{
    size_t i = 0;
    while (i < pattern.len && !pattern_is_special(pattern.data[i]))
        i++;
    return i == pattern.len;
}

static int find_plain(lua_State *L, struct slice s, struct slice needle, size_t from)
{
    state_spend(L, (s.len - from) / 16);
    const uint8_t *at = memmem(s.data + from, s.len - from, needle.data, needle.len);
    if (!at) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, at - s.data + 1);
    lua_pushinteger(L, at - s.data + (lua_Integer)needle.len);
    return 2;
}

static int find_or_match(lua_State *L, bool find)
{
    struct slice s = text_arg(L, 1), pattern = text_arg(L, 2);
    size_t from = offset_arg(L, 3, s.len), to;
    if (from > s.len) {
        lua_pushnil(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || is_plain(pattern)))
        return find_plain(L, s, pattern, from);
    struct pattern m;
    pattern_init(&m, s, pattern, state_left(state_of(L)));
    bool anchor = pattern.len && pattern.data[0] == '^';
    if (!find_next(L, &m, from, anchor, SIZE_MAX, &from, &to)) {
        lua_pushnil(L);
        return 1;
    }
    if (!find)
        return push_captures(L, &m, true, from, to);
    lua_pushinteger(L, (lua_Integer)from + 1);
    lua_pushinteger(L, (lua_Integer)to);
    return push_captures(L, &m, false, from, to) + 2;
}

static int string_find(lua_State *L)
{
    return find_or_match(L, true);
}

static int string_match(lua_State *L)
{
    return find_or_match(L, false);
}

/* Upvalues: subject, pattern, where to go on, where the last match ended or -1. */
static int gmatch_next(lua_State *L)
{
    struct slice s = text_arg(L, lua_upvalueindex(1)), pattern = text_arg(L, lua_upvalueindex(2));
    struct pattern m;
    pattern_init(&m, s, pattern, state_left(state_of(L)));
    size_t from = (size_t)lua_tointeger(L, lua_upvalueindex(3)), to;
    size_t last = (size_t)lua_tointeger(L, lua_upvalueindex(4));
    if (from > s.len || !find_next(L, &m, from, false, last, &from, &to))
        return 0;
    lua_pushinteger(L, (lua_Integer)to);
    lua_copy(L, -1, lua_upvalueindex(3));
    lua_replace(L, lua_upvalueindex(4));
    return push_captures(L, &m, true, from, to);
}

static int string_gmatch(lua_State *L)
{
    struct slice s = text_arg(L, 1);
    text_arg(L, 2);
    size_t from = offset_arg(L, 3, s.len);
    lua_settop(L, 2);
    lua_pushinteger(L, (lua_Integer)from);
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, gmatch_next, 4);
    return 1;
}

/* Adds a replacement's text with its %0 to %9. */
static void add_template(lua_State *L, luaL_Buffer *b, const struct pattern *m, size_t from, size_t to)
{
    struct slice with = text_arg(L, 3);
    state_spend(L, with.len / 8);
    for (size_t i = 0; i < with.len; i++) {
        uint8_t c = with.data[i];
        if (c != '%') {
            luaL_addchar(b, (char)c);
            continue;
        }
        c = ++i < with.len ? with.data[i] : '\0';
        if (c == '%') {
            luaL_addchar(b, '%');
        } else if (c == '0') {
            luaL_addlstring(b, (const char *)m->subject.data + from, to - from);
        } else if (byte_is_digit(c)) {
            push_capture(L, m, (unsigned)c - '1', from, to);
            luaL_tolstring(L, -1, NULL);
            lua_remove(L, -2);
            luaL_addvalue(b);
        } else {
            luaL_error(L, "invalid use of '%%' in replacement string");
        }
    }
}

/* Adds what stands for the match. True: it is not the match itself. */
static bool add_value(lua_State *L, luaL_Buffer *b, const struct pattern *m, size_t from, size_t to)
{
    switch (lua_type(L, 3)) {
    case LUA_TFUNCTION: {
        lua_pushvalue(L, 3);
        int n = push_captures(L, m, true, from, to);
        lua_call(L, n, 1);
        break;
    }
    case LUA_TTABLE:
        push_capture(L, m, 0, from, to);
        lua_gettable(L, 3);
        break;
    default:
        add_template(L, b, m, from, to);
        return true;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(b, (const char *)m->subject.data + from, to - from);
        return false;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(b);
    return true;
}

static int string_gsub(lua_State *L)
{
    struct slice s = text_arg(L, 1), pattern = text_arg(L, 2);
    int kind = lua_type(L, 3);
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)s.len + 1), n = 0;
    luaL_argexpected(
        L, kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TFUNCTION || kind == LUA_TTABLE, 3,
        "string/function/table");
    struct pattern m;
    pattern_init(&m, s, pattern, state_left(state_of(L)));
    bool anchor = pattern.len && pattern.data[0] == '^', changed = false;
    size_t from = 0, last = SIZE_MAX, begin, to;
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    while (n < most && find_next(L, &m, from, anchor, last, &begin, &to)) {
        n++;
        luaL_addlstring(&b, (const char *)s.data + from, begin - from);
        changed |= add_value(L, &b, &m, begin, to);
        from = last = to;
        if (anchor)
            break;
    }
    if (!changed) {
        lua_pushvalue(L, 1);
    } else {
        luaL_addlstring(&b, (const char *)s.data + from, s.len - from);
        luaL_pushresult(&b);
    }
    lua_pushinteger(L, n);
    return 2;
}

void library_patterns(lua_State *L)
{
    static const luaL_Reg functions[] = {{"find", string_find},
                                         {"match", string_match},
                                         {"gmatch", string_gmatch},
                                         {"gsub", string_gsub},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
