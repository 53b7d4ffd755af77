/* What a script's globals hold besides its own. */
#ifndef SCRIPT_LIBRARY_H
#define SCRIPT_LIBRARY_H

#include <lua.h>
#include "base/net.h"

/* Lua's libraries as far as they reach nothing and stay within the budgets. */
void library_open(lua_State *L);
/* Puts string.find and its kin into the table on top. */
void library_patterns(lua_State *L);
/* notice, log, counter. */
void library_output(lua_State *L);
/* lookup, in_nets, is_local, is_private, now, local_nets. */
void library_net(lua_State *L);
void library_counter(lua_State *L);
/* Raises "no WHAT 'given'", with the nearest of `names` (up to NULL). */
int library_unknown(lua_State *L, const char *what, const char *given, const char *const *names);

#endif
