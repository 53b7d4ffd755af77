/* view.c: mail, session, notice and scene for scripts.
 * In: structures of the moment. Out: Lua values, made when a field is asked for. Owns: nothing: a
 * view is a number, that of its moment and its kind, so it costs nothing to make or to collect, and outlives
 * no event.
 * Limits: TAG_BYTES a tag; 64 tags a mail. Knowingly: lists are new tables at each access, so a script that
 * goes over one keeps it in a local. */
#include "script/view.h"

#include <assert.h>
#include "base/nearest.h"
#include "mail/charset.h"
#include "script/value.h"

enum { TAG_BYTES = 64, NAME_SHOWN = 60 };

struct view {
    enum view_kind kind;
    const void *body;
};
enum { KIND_BITS = 3 };
static_assert(VIEWS <= 1 << KIND_BITS && sizeof(uintptr_t) >= sizeof(uint64_t),
              "a pointer has room for a view");

static const struct field scene_fields[] = {
    {.name = "uid", .offset = offsetof(struct connection, uid), .kind = FIELD_TEXT},
    {.name = "id.orig_h", .offset = offsetof(struct connection, orig.addr), .kind = FIELD_ADDRESS},
    {.name = "id.orig_p", .offset = offsetof(struct connection, orig.port), .kind = FIELD_PORT},
    {.name = "id.resp_h", .offset = offsetof(struct connection, resp.addr), .kind = FIELD_ADDRESS},
    {.name = "id.resp_p", .offset = offsetof(struct connection, resp.port), .kind = FIELD_PORT},
};
/* What a scene has behind its fields. */
enum scene_extra { SCENE_TS, SCENE_MAIL, SCENE_TAGS, SCENE_EXTRAS };
static const char *const scene_extras[SCENE_EXTRAS] = {"ts", "mail", "tags"};

static const char *const kind_names[VIEWS] = {"mail", "session", "notice", "scene", "tags", "flags"};

enum { SCENE_FIELDS = sizeof scene_fields / sizeof *scene_fields };

static const struct field *fields_of(enum view_kind kind, size_t *ret)
{
    static const struct stream *const streams[] = {
        [VIEW_MAIL] = &stream_smtp, [VIEW_SESSION] = &stream_session, [VIEW_NOTICE] = &stream_notice};
    if (kind > VIEW_NOTICE) {
        *ret = kind == VIEW_SCENE ? SCENE_FIELDS : 0;
        return scene_fields;
    }
    *ret = streams[kind]->count;
    return streams[kind]->fields;
}

static void push_view(lua_State *L, enum view_kind kind, const void *body)
{
    struct moment *now = state_of(L)->now;
    now->bodies[kind] = body;
    lua_pushlightuserdata(L, (void *)(uintptr_t)(now->number << KIND_BITS | kind));
}

void view_push_record(lua_State *L, const struct stream *st, const void *body)
{
    enum view_kind kind = VIEW_NOTICE;
    if (st == &stream_smtp)
        kind = VIEW_MAIL;
    else if (st == &stream_session)
        kind = VIEW_SESSION;
    push_view(L, kind, body);
}

void view_push_scene(lua_State *L)
{
    push_view(L, VIEW_SCENE, state_of(L)->now->scene->id);
}

static enum view_kind kind_at(lua_State *L, int i)
{
    return (enum view_kind)((uintptr_t)lua_touserdata(L, i) & ((1 << KIND_BITS) - 1));
}

/* The view at `i`, which the caller knows to be one, while its event lasts. */
static struct view alive(lua_State *L, int i)
{
    const struct moment *now = state_of(L)->now;
    struct view v = {kind_at(L, i), NULL};
    if ((uintptr_t)lua_touserdata(L, i) != (uintptr_t)(now->number << KIND_BITS | v.kind))
        luaL_error(L, "the %s %s gone: copy what you need while the event lasts", kind_names[v.kind],
                   v.kind == VIEW_TAGS ? "are" : "is");
    v.body = now->bodies[v.kind];
    return v;
}

static void push_field(lua_State *L, struct view v, const struct field *f)
{
    if (v.kind == VIEW_MAIL && f->offset == offsetof(struct transaction, tags))
        push_view(L, VIEW_TAGS, v.body);
    else
        value_push(L, f, (const char *)v.body + f->offset, state_of(L)->flags_meta);
}

/* Tells which name was wrong: what came, and the nearest of those that there are. */
static int wrong_name(lua_State *L, enum view_kind kind)
{
    size_t count;
    const struct field *fields = fields_of(kind, &count);
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "a field of a %s has a name, not a %s", kind_names[kind], luaL_typename(L, 2));
    struct nearest n = nearest_to(slice_str(lua_tostring(L, 2)));
    for (size_t i = 0; i < count; i++) {
        nearest_try(&n, fields[i].name);
        if (strncmp(fields[i].name, "id.", 3) == 0)
            nearest_try(&n, fields[i].name + 3);
    }
    for (size_t i = 0; kind == VIEW_SCENE && i < SCENE_EXTRAS; i++)
        nearest_try(&n, scene_extras[i]);
    for (size_t i = 0; kind == VIEW_FLAGS && i < FLAG_COUNT; i++)
        nearest_try(&n, flag_table[i].name);
    /* A field's name is short; what else the script asked for need not be shown whole. */
    char given[NAME_SHOWN + 1];
    snprintf(given, sizeof given, "%s", lua_tostring(L, 2));
    if (strcmp(given, "id") == 0)
        return luaL_error(L, "no field 'id' in %s; its parts are orig_h, orig_p, resp_h, resp_p",
                          kind_names[kind]);
    if (!n.name)
        return luaL_error(L, "no field '%s' in %s", given, kind_names[kind]);
    return luaL_error(L, "no field '%s' in %s; the nearest is '%s'", given, kind_names[kind], n.name);
}

/* Where a name stands among the slots, or is to stand; they are never full. */
static struct name_slot *slot_of(struct name_slot slots[static NAME_SLOTS], const char *text)
{
    size_t i = ((uintptr_t)text >> 4) % NAME_SLOTS;
    while (slots[i].text && slots[i].text != text)
        i = (i + 1) % NAME_SLOTS;
    return &slots[i];
}

/* Number of the field that argument 2 names. As Lua has one copy of a short text, and has those of the names
 * for good, the place of the text is enough. */
static lua_Integer field_number(lua_State *L, enum view_kind kind)
{
    const char *text = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;
    const struct name_slot *slot = slot_of(state_of(L)->names[kind], text);
    return slot->text ? slot->number : wrong_name(L, kind);
}

static int view_index(lua_State *L)
{
    struct view v = alive(L, 1);
    size_t count;
    const struct field *fields = fields_of(v.kind, &count);
    push_field(L, v, &fields[field_number(L, v.kind)]);
    return 1;
}

static int scene_index(lua_State *L)
{
    struct view v = alive(L, 1);
    const struct moment *now = state_of(L)->now;
    lua_Integer i = field_number(L, VIEW_SCENE);
    if (i < SCENE_FIELDS) {
        push_field(L, v, &scene_fields[i]);
        return 1;
    }
    if (i == SCENE_FIELDS + SCENE_TS)
        lua_pushnumber(L, value_seconds(now->ts));
    else if (!now->scene->mail)
        lua_pushnil(L);
    else
        push_view(L, i == SCENE_FIELDS + SCENE_MAIL ? VIEW_MAIL : VIEW_TAGS, now->scene->mail);
    return 1;
}

static int view_newindex(lua_State *L)
{
    struct view v = alive(L, 1);
    return luaL_error(L, "a %s is read-only%s", kind_names[v.kind],
                      v.kind == VIEW_MAIL ? ", but for its tags" : "");
}

/* Is there anything to say of it? An empty list is as good as none. */
static bool is_present(lua_State *L)
{
    if (lua_isnil(L, -1))
        return false;
    if (lua_type(L, -1) == LUA_TLIGHTUSERDATA)
        return luaL_len(L, -1) > 0;
    if (lua_type(L, -1) != LUA_TTABLE)
        return true;
    lua_pushnil(L);
    bool any = lua_next(L, -2);
    lua_pop(L, any ? 2 : 0);
    return any;
}

/* Upvalue: the view. Arguments: anything, the last field's name or nil. */
static int view_next(lua_State *L)
{
    struct view v = alive(L, lua_upvalueindex(1));
    size_t count;
    const struct field *fields = fields_of(v.kind, &count);
    lua_settop(L, 2);
    lua_Integer i = lua_isnil(L, 2) ? 0 : field_number(L, v.kind) + 1;
    for (; i < (lua_Integer)count; i++) {
        lua_pushstring(L, fields[i].name);
        push_field(L, v, &fields[i]);
        if (is_present(L))
            return 2;
        lua_pop(L, 2);
    }
    lua_pushnil(L);
    return 1;
}

static int view_pairs(lua_State *L)
{
    alive(L, 1);
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, view_next, 1);
    lua_pushnil(L);
    lua_pushnil(L);
    return 3;
}

static const struct text_list *tags_of(lua_State *L, int i)
{
    return &((const struct transaction *)alive(L, i).body)->tags;
}

bool view_is_tags(lua_State *L, int i)
{
    return lua_type(L, i) == LUA_TLIGHTUSERDATA && kind_at(L, i) == VIEW_TAGS;
}

/* By number a tag's name, by name whether it is there. */
static int tags_index(lua_State *L)
{
    const struct text_list *tags = tags_of(L, 1);
    if (lua_isinteger(L, 2)) {
        lua_Integer i = lua_tointeger(L, 2);
        value_push_text(L, i >= 1 && i <= (lua_Integer)tags->len ? tags->items[i - 1] : (struct slice){0});
        return 1;
    }
    size_t len;
    const char *name = luaL_checklstring(L, 2, &len);
    for (size_t i = 0; i < tags->len; i++) {
        if (!slice_eq(tags->items[i], (struct slice){(const uint8_t *)name, len}))
            continue;
        lua_pushboolean(L, true);
        return 1;
    }
    lua_pushnil(L);
    return 1;
}

static void add_tag(lua_State *L, const struct transaction *mail, int i)
{
    const struct moment *now = state_of(L)->now;
    size_t len;
    const char *name = luaL_checklstring(L, i, &len);
    struct slice tag = {(const uint8_t *)name, len};
    if (!len || len > TAG_BYTES || !utf8_valid(tag))
        luaL_error(L, "a tag is a valid UTF-8 text of 1 to %d bytes", TAG_BYTES);
    bool done = false;
    if (now->rec && now->rec->stream == &stream_smtp)
        done = record_tag(&((struct transaction *)now->rec->body)->tags, now->rec->mem, tag);
    else if (now->scene && now->scene->mail == mail && now->scene->tag)
        done = now->scene->tag(now->scene->ctx, now->mail_number, tag);
    if (!done)
        luaL_error(L, "no room for tag '%s'", name);
}

/* tags.name = true; tags[#tags + 1] = "name". */
static int tags_newindex(lua_State *L)
{
    struct view v = alive(L, 1);
    if (lua_isinteger(L, 2) && lua_type(L, 3) == LUA_TSTRING)
        add_tag(L, v.body, 3);
    else if (lua_type(L, 2) == LUA_TSTRING && lua_isboolean(L, 3) && lua_toboolean(L, 3))
        add_tag(L, v.body, 2);
    else
        luaL_error(L, "a tag is set by tags.NAME = true, and cannot be taken off");
    return 0;
}

static int tags_len(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tags_of(L, 1)->len);
    return 1;
}

/* Upvalues: the tags, how many were given. */
static int tags_next(lua_State *L)
{
    const struct text_list *tags = tags_of(L, lua_upvalueindex(1));
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
    if (i >= (lua_Integer)tags->len)
        return 0;
    lua_pushinteger(L, i + 1);
    lua_replace(L, lua_upvalueindex(2));
    value_push_text(L, tags->items[i]);
    lua_pushboolean(L, true);
    return 2;
}

static int tags_pairs(lua_State *L)
{
    alive(L, 1);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, tags_next, 2);
    return 1;
}

static int flags_index(lua_State *L)
{
    lua_settop(L, 2);
    size_t i = 0;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    while (i < FLAG_COUNT && strcmp(flag_table[i].name, name) != 0)
        i++;
    if (i == FLAG_COUNT)
        return wrong_name(L, VIEW_FLAGS);
    lua_pushnil(L);
    return 1;
}

/* Names to numbers: as in the table, and without "id.". */
static void push_names(lua_State *L, enum view_kind kind)
{
    size_t count;
    const struct field *fields = fields_of(kind, &count);
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        lua_pushinteger(L, (lua_Integer)i);
        lua_setfield(L, -2, fields[i].name);
        if (strncmp(fields[i].name, "id.", 3) != 0)
            continue;
        lua_pushinteger(L, (lua_Integer)i);
        lua_setfield(L, -2, fields[i].name + 3);
    }
    for (size_t i = 0; kind == VIEW_SCENE && i < SCENE_EXTRAS; i++) {
        lua_pushinteger(L, (lua_Integer)(count + i));
        lua_setfield(L, -2, scene_extras[i]);
    }
}

/* The names on top, by their places. */
static void remember_names(lua_State *L, struct name_slot slots[static NAME_SLOTS])
{
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        struct name_slot *slot = slot_of(slots, lua_tostring(L, -2));
        *slot = (struct name_slot){lua_tostring(L, -2), lua_tointeger(L, -1)};
    }
}

static int any_index(lua_State *L)
{
    switch (kind_at(L, 1)) {
    case VIEW_SCENE:
        return scene_index(L);
    case VIEW_TAGS:
        return tags_index(L);
    case VIEW_MAIL:
    case VIEW_SESSION:
    case VIEW_NOTICE:
    case VIEW_FLAGS:
    case VIEWS:
        break;
    }
    return view_index(L);
}

static int any_newindex(lua_State *L)
{
    return kind_at(L, 1) == VIEW_TAGS ? tags_newindex(L) : view_newindex(L);
}

static int any_len(lua_State *L)
{
    if (kind_at(L, 1) != VIEW_TAGS)
        return luaL_error(L, "a %s has no length", kind_names[kind_at(L, 1)]);
    return tags_len(L);
}

static int any_pairs(lua_State *L)
{
    return kind_at(L, 1) == VIEW_TAGS ? tags_pairs(L) : view_pairs(L);
}

/* Takes the table on top as a metatable that no script gets to see. */
static void finish_meta(lua_State *L, const char *name)
{
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
}

void view_open(lua_State *L)
{
    static const luaL_Reg of_views[] = {{"__index", any_index},
                                        {"__newindex", any_newindex},
                                        {"__len", any_len},
                                        {"__pairs", any_pairs},
                                        {NULL, NULL}};
    static const luaL_Reg of_flags[] = {{"__index", flags_index}, {NULL, NULL}};
    struct script *sc = state_of(L);
    for (int kind = 0; kind < NAMED_VIEWS; kind++) {
        push_names(L, (enum view_kind)kind);
        remember_names(L, sc->names[kind]);
        /* Kept, so that the names stay where they are. */
        luaL_ref(L, LUA_REGISTRYINDEX);
    }
    luaL_newlib(L, of_flags);
    finish_meta(L, kind_names[VIEW_FLAGS]);
    sc->flags_meta = luaL_ref(L, LUA_REGISTRYINDEX);
    /* All light userdata have one metatable, and nothing else here is one. */
    lua_pushlightuserdata(L, NULL);
    luaL_newlib(L, of_views);
    finish_meta(L, "view");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}
