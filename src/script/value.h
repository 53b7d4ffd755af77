/* Values of records as values of Lua: each function pushes one. */
#ifndef SCRIPT_VALUE_H
#define SCRIPT_VALUE_H

#include <lauxlib.h>
#include <lua.h>
#include "record/record.h"

double value_seconds(struct timespec t);
/* nil where there is none. */
void value_push_text(lua_State *L, struct slice s);
void value_push_address(lua_State *L, const struct address *a);
/* The field's value, at `p`; nil where it is absent. Lists are new tables; that of flags gets the metatable
 * which the registry has under `flags_meta`. */
void value_push(lua_State *L, const struct field *f, const void *p, int flags_meta);

#endif
