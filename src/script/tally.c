/* tally.c: counter() of scripts.
 * In: names and keys of a script. Out: numbers. Owns: copies that each() goes over, in Lua's memory. Limits:
 * counter.h. Knowingly: each() shows the counter as it was when it was called. */
#include "script/library.h"

#include "script/state.h"

enum { USE_STEPS = 10 };

static struct counter *counter_arg(lua_State *L)
{
    const struct script *sc = state_of(L);
    struct counter **c = lua_type(L, 1) == LUA_TUSERDATA ? lua_touserdata(L, 1) : NULL;
    bool is = false;
    if (c && lua_getmetatable(L, 1)) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, sc->counter_meta);
        is = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    if (!is)
        luaL_typeerror(L, 1, "counter");
    state_spend(L, USE_STEPS);
    return *c;
}

static struct slice key_arg(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 2, &len);
    return (struct slice){(const uint8_t *)text, len};
}

static int tally_add(lua_State *L)
{
    struct counter *c = counter_arg(L);
    struct slice key = key_arg(L);
    lua_pushinteger(L, counter_add(c, state_of(L)->now->ts, key, luaL_optinteger(L, 3, 1)));
    return 1;
}

static int tally_get(lua_State *L)
{
    struct counter *c = counter_arg(L);
    lua_pushinteger(L, counter_get(c, state_of(L)->now->ts, key_arg(L)));
    return 1;
}

static int tally_reset(lua_State *L)
{
    struct counter *c = counter_arg(L);
    counter_reset(c, key_arg(L));
    return 0;
}

/* Upvalues: the copy, its bytes, where to go on. */
static int tally_next(lua_State *L)
{
    const uint8_t *copy = lua_touserdata(L, lua_upvalueindex(1));
    lua_Integer len = lua_tointeger(L, lua_upvalueindex(2)), at = lua_tointeger(L, lua_upvalueindex(3));
    struct counter_item item;
    if (at >= len)
        return 0;
    memcpy(&item, copy + at, sizeof item);
    lua_pushlstring(L, (const char *)copy + at + sizeof item, item.key_len);
    lua_pushinteger(L, at + (lua_Integer)(sizeof item + ((item.key_len + 7) & ~(uint64_t)7)));
    lua_replace(L, lua_upvalueindex(3));
    lua_pushinteger(L, item.value);
    return 2;
}

static int tally_each(lua_State *L)
{
    struct counter *c = counter_arg(L);
    struct timespec now = state_of(L)->now->ts;
    size_t size = counter_size(c, now);
    state_spend(L, size / 16);
    /* Lua's memory is taken without the counters' lock, as that may not come back. */
    uint8_t *copy = lua_newuserdatauv(L, size + 1, 0);
    lua_pushinteger(L, (lua_Integer)counter_copy(c, now, copy, size));
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, tally_next, 3);
    return 1;
}

static int api_counter(lua_State *L)
{
    struct script *sc = state_of(L);
    size_t len;
    const char *name = luaL_checklstring(L, 1, &len);
    struct counter *c = NULL;
    double expire = 0;
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        if (lua_getfield(L, 2, "expire") != LUA_TNUMBER || !((expire = lua_tonumber(L, -1)) > 0))
            return luaL_error(L, "a counter has expire=SECONDS, more than 0");
    }
    state_spend(L, USE_STEPS);
    switch (counters_find(sc->all->counters, (struct slice){(const uint8_t *)name, len}, expire, &c)) {
    case COUNTER_FINE:
        break;
    case COUNTER_UNKNOWN:
        return luaL_error(L, "counter '%s' is new: it needs {expire=SECONDS}", name);
    case COUNTER_DIFFERS:
        return luaL_error(L, "counter '%s' has another expire elsewhere", name);
    case COUNTER_FULL:
        return luaL_error(L, "more than %d counters", COUNTER_NAMES);
    case COUNTER_BAD:
        return luaL_error(L, "a counter has a name of 1 to %d bytes, and expires within 100 years",
                          COUNTER_NAME);
    }
    struct counter **ud = lua_newuserdatauv(L, sizeof(struct counter *), 0);
    *ud = c;
    lua_rawgeti(L, LUA_REGISTRYINDEX, sc->counter_meta);
    lua_setmetatable(L, -2);
    return 1;
}

void library_counter(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"add", tally_add}, {"get", tally_get}, {"reset", tally_reset}, {"each", tally_each}, {NULL, NULL}};
    lua_newtable(L);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pushliteral(L, "counter");
    lua_setfield(L, -2, "__name");
    state_of(L)->counter_meta = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_register(L, "counter", api_counter);
}
