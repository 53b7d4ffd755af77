/* What a script sees of records and events: values that read the C structures where they are asked. */
#ifndef SCRIPT_VIEW_H
#define SCRIPT_VIEW_H

#include "script/state.h"

/* Makes the metatables; in a call. */
void view_open(lua_State *L);
/* Push a view that lives as long as the moment. */
void view_push_record(lua_State *L, const struct stream *st, const void *body);
void view_push_scene(lua_State *L);
/* Is it a view of a mail's tags? */
bool view_is_tags(lua_State *L, int i);

#endif
