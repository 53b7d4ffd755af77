/* network.c: what scripts ask about addresses, and the time.
 * In: texts of addresses and networks. Out: countries, memberships. Owns: networks that were read once, in
 * Lua's memory. Limits: NETS_KEPT of them; then all are read anew. Knowingly: what is no address is in no
 * network, as texts of mails are asked about; a network that cannot be read is the script's error. */
#include "script/library.h"

#include "script/state.h"
#include "script/value.h"

enum { NETS_KEPT = 1000 };

static bool address_arg(lua_State *L, int i, struct address *ret)
{
    size_t len;
    if (lua_isnoneornil(L, i))
        return false;
    const char *text = luaL_checklstring(L, i, &len);
    return address_parse((struct slice){(const uint8_t *)text, len}, ret);
}

static int api_lookup(lua_State *L)
{
    const struct script_host *host = &state_of(L)->all->host;
    struct address a;
    struct country_info info;
    state_spend(L, 50);
    if (!address_arg(L, 1, &a) || !countries_lookup(host->countries, &a, &info)) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, 0, 3);
    if (info.country[0]) {
        lua_pushstring(L, info.country);
        lua_setfield(L, -2, "country");
    }
    if (info.asn) {
        lua_pushinteger(L, info.asn);
        lua_setfield(L, -2, "asn");
    }
    if (info.as_name.len) {
        value_push_text(L, info.as_name);
        lua_setfield(L, -2, "as_name");
    }
    return 1;
}

/* The network whose text is on top, which it takes away; read once and kept under its text. */
static const struct network *network_at_top(lua_State *L)
{
    struct script *sc = state_of(L);
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "a network is a text, not a %s", luaL_typename(L, -1));
    lua_rawgeti(L, LUA_REGISTRYINDEX, sc->nets);
    lua_pushvalue(L, -2);
    const struct network *known = lua_rawget(L, -2) == LUA_TUSERDATA ? lua_touserdata(L, -1) : NULL;
    if (known) {
        lua_pop(L, 3);
        return known;
    }
    size_t len;
    const char *text = lua_tolstring(L, -3, &len);
    struct network net;
    if (!network_parse((struct slice){(const uint8_t *)text, len}, &net))
        luaL_error(L, "'%s' is no network", text);
    if (sc->nets_len++ == NETS_KEPT) {
        /* New tables only: the caller's networks must outlive its loop. */
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawseti(L, LUA_REGISTRYINDEX, sc->nets);
        lua_replace(L, -3);
        sc->nets_len = 1;
    }
    struct network *kept = lua_newuserdatauv(L, sizeof *kept, 0);
    *kept = net;
    lua_pushvalue(L, -4);
    lua_pushvalue(L, -2);
    lua_rawset(L, -5);
    lua_pop(L, 4);
    return kept;
}

static int api_in_nets(lua_State *L)
{
    struct address a;
    bool is_address = address_arg(L, 1, &a), found = false;
    lua_settop(L, 2);
    if (lua_type(L, 2) == LUA_TSTRING) {
        const struct network *net = network_at_top(L);
        lua_pushboolean(L, is_address && network_has(net, &a));
        return 1;
    }
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t len = lua_rawlen(L, 2);
    state_spend(L, len);
    for (size_t i = 0; i < len && !found; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        const struct network *net = network_at_top(L);
        found = is_address && network_has(net, &a);
    }
    lua_pushboolean(L, found);
    return 1;
}

static int api_is_local(lua_State *L)
{
    const struct script_host *host = &state_of(L)->all->host;
    struct address a;
    bool found = false;
    if (address_arg(L, 1, &a))
        for (size_t i = 0; i < host->local_net_count && !found; i++)
            found = network_has(&host->local_nets[i], &a);
    lua_pushboolean(L, found);
    return 1;
}

static int api_is_private(lua_State *L)
{
    struct address a;
    lua_pushboolean(L, address_arg(L, 1, &a) && address_is_private(&a));
    return 1;
}

/* Packet time of the event that is heard; 0 while the script is loaded. */
static int api_now(lua_State *L)
{
    lua_pushnumber(L, value_seconds(state_of(L)->now->ts));
    return 1;
}

void library_net(lua_State *L)
{
    struct script *sc = state_of(L);
    const struct script_host *host = &sc->all->host;
    lua_newtable(L);
    sc->nets = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_createtable(L, (int)host->local_net_count, 0);
    for (size_t i = 0; i < host->local_net_count; i++) {
        char text[ADDRESS_TEXT];
        address_text(&host->local_nets[i].addr, text);
        lua_pushfstring(L, "%s/%d", text, (int)host->local_nets[i].prefix);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setglobal(L, "local_nets");
    lua_register(L, "lookup", api_lookup);
    lua_register(L, "in_nets", api_in_nets);
    lua_register(L, "is_local", api_is_local);
    lua_register(L, "is_private", api_is_private);
    lua_register(L, "now", api_now);
}
