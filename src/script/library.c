/* library.c: Lua's own libraries, cut down to what a script may do.
 * In: an empty state. Out: its globals. Owns: nothing. Limits: what a function of Lua can do without running
 * instructions is counted by a guard in front of it (struct guard); VALUES_MOST values from one call.
 * Knowingly: there is no io, os, debug, package, coroutine; no load, dofile, require, collectgarbage, warn;
 * no string.dump, pack, unpack, packsize. pcall and xpcall do not catch the end of a budget; the handler of
 * xpcall runs after the stack is unwound. setmetatable takes no __gc, table functions no __len, as Lua would
 * run them uncounted. math.random gives the same numbers on each run. Spec: Lua 5.4 reference manual 6. */
#include "script/library.h"

#include <lualib.h>
#include <math.h>
#include "base/nearest.h"
#include "script/state.h"

enum { VALUES_MOST = 250 };

int library_unknown(lua_State *L, const char *what, const char *given, const char *const *names)
{
    struct nearest n = nearest_to(slice_str(given));
    for (; *names; names++)
        nearest_try(&n, *names);
    if (n.name)
        return luaL_error(L, "no %s '%s'; the nearest is '%s'", what, given, n.name);
    return luaL_error(L, "no %s '%s'", what, given);
}

/* The guarded function is upvalue 1: it gets the same arguments. */
static int go_on(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* Number of elements of argument 1 of a table function, paid for. */
static lua_Integer pay_table(lua_State *L)
{
    lua_Integer len = 0;
    if (lua_type(L, 1) == LUA_TTABLE) {
        if (luaL_getmetafield(L, 1, "__len") != LUA_TNIL)
            return luaL_error(L, "a table with __len is taken by no function of table");
        len = (lua_Integer)lua_rawlen(L, 1);
    } else if (lua_type(L, 1) == LUA_TLIGHTUSERDATA) {
        len = luaL_len(L, 1);
    }
    return len;
}

static uint64_t distance(lua_Integer from, lua_Integer to)
{
    return from > to ? 0 : (uint64_t)to - (uint64_t)from;
}

static int guard_shift(lua_State *L)
{
    lua_Integer len = pay_table(L);
    int is_number;
    lua_Integer at = lua_tointegerx(L, 2, &is_number);
    bool middle = is_number && (lua_gettop(L) > 2 || lua_toboolean(L, lua_upvalueindex(2)));
    state_spend(L, middle ? distance(at, len) : 1);
    return go_on(L);
}

static int guard_concat(lua_State *L)
{
    lua_Integer len = pay_table(L);
    state_spend(L, distance(luaL_optinteger(L, 3, 1), luaL_optinteger(L, 4, len)));
    return go_on(L);
}

static int guard_sort(lua_State *L)
{
    lua_Integer len = pay_table(L);
    state_spend(L, (uint64_t)((double)len * (1 + log2((double)len + 1)) * 2));
    return go_on(L);
}

static int guard_move(lua_State *L)
{
    pay_table(L);
    state_spend(L, distance(luaL_checkinteger(L, 2), luaL_checkinteger(L, 3)));
    return go_on(L);
}

static int guard_values(lua_State *L, lua_Integer from, lua_Integer to)
{
    if (distance(from, to) >= VALUES_MOST)
        return luaL_error(L, "more than %d values at once", VALUES_MOST);
    return go_on(L);
}

static int guard_unpack(lua_State *L)
{
    lua_Integer len = pay_table(L);
    return guard_values(L, luaL_optinteger(L, 2, 1), luaL_optinteger(L, 3, len));
}

/* string.byte and utf8.codepoint: from i to j, which is i where it is not said. */
static int guard_bytes(lua_State *L)
{
    lua_Integer len = (lua_Integer)lua_rawlen(L, 1), from = luaL_optinteger(L, 2, 1);
    lua_Integer to = luaL_optinteger(L, 3, from);
    from = from < 0 ? from + len + 1 : from;
    to = to < 0 ? to + len + 1 : to;
    return guard_values(L, from < 1 ? 1 : from, to > len ? len : to);
}

static int guard_rep(lua_State *L)
{
    lua_Integer n = luaL_checkinteger(L, 2);
    state_spend(L, n > 0 ? (uint64_t)n / 4 : 1);
    return go_on(L);
}

static int guard_text(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING)
        state_spend(L, lua_rawlen(L, 1) / 8);
    return go_on(L);
}

static int guard_setmetatable(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "__gc is not for scripts");
        lua_pop(L, 1);
    }
    return go_on(L);
}

/* Calls the function at `base` with what is above it; true and its results, or false and the error, stand
 * there then. Does not come back where a budget is spent. */
static bool protect(lua_State *L, int base)
{
    luaL_checkany(L, base);
    lua_pushboolean(L, true);
    lua_insert(L, base);
    int status = lua_pcall(L, lua_gettop(L) - base - 1, LUA_MULTRET, 0);
    if (status == LUA_OK)
        return true;
    if (status == LUA_ERRMEM && !state_of(L)->now->stop)
        state_of(L)->now->stop = STOP_MEMORY;
    state_rethrow(L);
    lua_pushboolean(L, false);
    lua_replace(L, base);
    return false;
}

static int own_pcall(lua_State *L)
{
    protect(L, 1);
    return lua_gettop(L);
}

static int own_xpcall(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_remove(L, 2);
    lua_insert(L, 1);
    if (protect(L, 2))
        return lua_gettop(L) - 1;
    lua_pushvalue(L, 1);
    lua_insert(L, 3);
    lua_call(L, 1, LUA_MULTRET);
    return lua_gettop(L) - 1;
}

/* Told like an error, but no error. */
static int own_print(lua_State *L)
{
    struct script *sc = state_of(L);
    int n = lua_gettop(L);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_where(L, 1);
    luaL_addvalue(&b);
    for (int i = 1; i <= n; i++) {
        luaL_addstring(&b, i > 1 ? " " : "");
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    state_spend(L, 100);
    state_complain(sc, &sc->prints, "print", (struct slice){(const uint8_t *)text, len});
    return 0;
}

static const struct guard {
    const char *table, *name;
    lua_CFunction fn;
    bool middle; /* for guard_shift: a position may come as the last argument */
} guards[] = {
    {"table", "insert", guard_shift},
    {"table", "remove", guard_shift, true},
    {"table", "concat", guard_concat},
    {"table", "sort", guard_sort},
    {"table", "move", guard_move},
    {"table", "unpack", guard_unpack},
    {"string", "byte", guard_bytes},
    {"string", "rep", guard_rep},
    {"utf8", "codepoint", guard_bytes},
    {"utf8", "len", guard_text},
    {"utf8", "offset", guard_text},
    {"_G", "tonumber", guard_text},
    {"_G", "setmetatable", guard_setmetatable},
};

static void put_guards(lua_State *L)
{
    for (size_t i = 0; i < sizeof guards / sizeof *guards; i++) {
        lua_getglobal(L, guards[i].table);
        lua_getfield(L, -1, guards[i].name);
        lua_pushboolean(L, guards[i].middle);
        lua_pushcclosure(L, guards[i].fn, 2);
        lua_setfield(L, -2, guards[i].name);
        lua_pop(L, 1);
    }
}

static void take_away(lua_State *L, const char *library, const char *const *names)
{
    lua_getglobal(L, library);
    for (; *names; names++) {
        lua_pushnil(L);
        lua_setfield(L, -2, *names);
    }
    lua_pop(L, 1);
}

/* The metatable of all strings stays out of reach: it is what s:find() goes through. */
static void close_strings(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

void library_open(lua_State *L)
{
    static const luaL_Reg libraries[] = {{"_G", luaopen_base},
                                         {"table", luaopen_table},
                                         {"string", luaopen_string},
                                         {"math", luaopen_math},
                                         {"utf8", luaopen_utf8}};
    static const char *const base_away[] = {"collectgarbage", "dofile",  "load", "loadfile",
                                            "loadstring",     "require", "warn", NULL};
    static const char *const string_away[] = {"dump", "pack", "unpack", "packsize", NULL};
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    put_guards(L);
    take_away(L, "_G", base_away);
    take_away(L, "string", string_away);
    lua_getglobal(L, "string");
    library_patterns(L);
    lua_getglobal(L, "math");
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, 1);
    lua_call(L, 1, 0);
    lua_pop(L, 2);
    lua_register(L, "pcall", own_pcall);
    lua_register(L, "xpcall", own_xpcall);
    lua_register(L, "print", own_print);
    close_strings(L);
}
