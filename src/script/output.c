/* output.c: notice() and log() of scripts.
 * In: tables of a script. Out: struct notice and struct entry, to the host. Owns: their texts, made valid, in
 * two arenas, as on_notice may log while a notice is being raised. Limits: TEXTS_MOST bytes of texts each,
 * ENTRY_PAIRS, ENTRY_STREAMS over all scripts; a notice costs NOTICE_STEPS, an entry ENTRY_STEPS. Knowingly:
 * keys of a table have no order in Lua, so an entry's are sorted by name. */
#include "script/library.h"

#include <math.h>
#include <stdlib.h>
#include "base/nearest.h"
#include "mail/charset.h"
#include "script/state.h"
#include "script/view.h"

enum { NOTICE_STEPS = 1000, ENTRY_STEPS = 100, KEY_BYTES = 64, NOTE_BYTES = 80, LIST_MOST = 1000 };

/* The text at `i`, a number too; valid, in `mem` where it had to be made so. */
static struct slice clean_text(lua_State *L, struct arena *mem, int i)
{
    size_t len;
    const char *text = lua_tolstring(L, i, &len);
    struct slice s = {(const uint8_t *)text, len};
    if (utf8_valid(s))
        return s;
    struct buf clean;
    buf_init(&clean, len * 3);
    utf8_clean(s, &clean);
    s = utf8_whole(arena_copy(mem, buf_slice(&clean)));
    buf_free(&clean);
    return s;
}

/* Field `name` of the table at 1: a text, or data == NULL. The text stays on the stack, hence alive. */
static struct slice text_field(lua_State *L, struct arena *mem, const char *name)
{
    int type = lua_getfield(L, 1, name);
    if (type == LUA_TNIL)
        return (struct slice){0};
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        luaL_error(L, "%s is a text, not a %s", name, luaL_typename(L, -1));
    return clean_text(L, mem, -1);
}

/* One or more letters, digits and '_', a letter first; returns how many. */
static size_t word_len(struct slice s)
{
    size_t n = 0;
    while (n < s.len && ((byte_lower(s.data[n]) >= 'a' && byte_lower(s.data[n]) <= 'z') ||
                         (n && (byte_is_digit(s.data[n]) || s.data[n] == '_'))))
        n++;
    return n;
}

/* Word::Word */
static bool is_note(struct slice s)
{
    size_t n = word_len(s);
    struct slice rest = slice_sub(s, n + 2, s.len);
    return s.len <= NOTE_BYTES && n && s.len > n + 2 && s.data[n] == ':' && s.data[n + 1] == ':' &&
           word_len(rest) == rest.len;
}

static void check_keys(lua_State *L)
{
    static const char *const names[] = {"note", "msg", "sub", "host", "identifier", "suppress_for", NULL};
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : luaL_typename(L, -2);
        size_t i = 0;
        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        if (!names[i])
            library_unknown(L, "field of a notice", key, names);
        lua_pop(L, 1);
    }
}

/* Negative: not said. */
static double suppress_field(lua_State *L)
{
    int type = lua_getfield(L, 1, "suppress_for");
    double seconds = lua_tonumber(L, -1);
    if (type != LUA_TNIL && (type != LUA_TNUMBER || !(seconds >= 0 && seconds <= 3.2e9)))
        luaL_error(L, "suppress_for is a number of seconds");
    return type == LUA_TNIL ? -1 : seconds;
}

/* Who it is about, and the country and network of that. */
static void fill_host(lua_State *L, struct notice *n)
{
    const struct script_host *host = &state_of(L)->all->host;
    struct country_info info;
    struct slice text = text_field(L, &state_of(L)->all->notice_mem, "host");
    if (text.data && !address_parse(text, &n->host))
        luaL_error(L, "host is no address");
    notice_complete(n);
    if (!n->host.family || !countries_lookup(host->countries, &n->host, &info))
        return;
    n->asn = info.asn;
    if (info.country[0])
        n->country = slice_str(lua_pushstring(L, info.country));
}

/* What tells it from others of its note, where the script does not say. */
static struct slice default_identifier(lua_State *L, const struct notice *n)
{
    char text[ADDRESS_TEXT];
    return n->host.family && address_text(&n->host, text) ? slice_str(lua_pushstring(L, text)) : n->msg;
}

static int api_notice(lua_State *L)
{
    struct scripts *all = state_of(L)->all;
    const struct moment *now = state_of(L)->now;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    state_spend(L, NOTICE_STEPS);
    if (now->loading)
        return luaL_error(L, "nothing has happened yet: notice is for hooks");
    if (now->noticing)
        return luaL_error(L, "on_notice cannot raise a notice");
    check_keys(L);
    arena_reset(&all->notice_mem);
    struct notice n = {.ts = now->ts};
    if (now->id)
        n.id = *now->id;
    if (now->mail) {
        n.trans_depth = now->mail->trans_depth;
        n.mailfrom = now->mail->mailfrom;
        n.msg_id = now->mail->msg_id;
    }
    n.note = text_field(L, &all->notice_mem, "note");
    if (!is_note(n.note))
        return luaL_error(L, "a notice has a note of the form 'Word::Word'");
    n.msg = text_field(L, &all->notice_mem, "msg");
    if (!n.msg.data)
        n.msg = n.note;
    n.sub = text_field(L, &all->notice_mem, "sub");
    n.identifier = text_field(L, &all->notice_mem, "identifier");
    n.suppress_for = suppress_field(L);
    fill_host(L, &n);
    if (!n.identifier.data)
        n.identifier = default_identifier(L, &n);
    if (all->notice_mem.over)
        return luaL_error(L, "the notice is too large");
    all->counts.notices++;
    if (all->host.notice)
        all->host.notice(all->host.ctx, &n);
    return 0;
}

/* The stream at argument 1, one of ENTRY_STREAMS over all scripts. */
static struct slice stream_arg(lua_State *L)
{
    struct scripts *all = state_of(L)->all;
    size_t len, i = 0;
    const char *text = luaL_checklstring(L, 1, &len);
    struct slice name = {(const uint8_t *)text, len};
    if (!entry_name_fits(name))
        luaL_error(L,
                   "no stream can have that name: small letters, digits and '_', a letter first, up to %d, "
                   "and none of mailtap's own",
                   ENTRY_STREAM_NAME);
    while (i < all->streams_len && !slice_eq(name, slice_str(all->streams[i])))
        i++;
    if (i == ENTRY_STREAMS)
        luaL_error(L, "more than %d streams", ENTRY_STREAMS);
    if (i == all->streams_len) {
        memcpy(all->streams[i], name.data, name.len);
        all->streams_len++;
    }
    return name;
}

static struct slice key_at(lua_State *L, int i)
{
    size_t len;
    if (lua_type(L, i) != LUA_TSTRING)
        luaL_error(L, "the name of a field is a text, not a %s", luaL_typename(L, i));
    const char *text = lua_tolstring(L, i, &len);
    struct slice key = {(const uint8_t *)text, len};
    bool fits =
        len && len <= KEY_BYTES && !slice_eq(key, slice_str("ts")) && !slice_eq(key, slice_str("_path"));
    for (size_t k = 0; fits && k < len; k++) {
        uint8_t c = byte_lower(key.data[k]);
        fits = (c >= 'a' && c <= 'z') || byte_is_digit(c) || c == '_' || c == '.';
    }
    if (!fits)
        luaL_error(L, "no field can have that name: letters, digits, '_' and '.', up to %d, not ts or _path",
                   KEY_BYTES);
    return key;
}

/* The list at `i`: a table, or a mail's tags. */
static struct text_list list_at(lua_State *L, int i)
{
    struct arena *mem = &state_of(L)->all->entry_mem;
    bool tags = view_is_tags(L, i);
    size_t len = tags ? (size_t)luaL_len(L, i) : (size_t)lua_rawlen(L, i);
    if (len > LIST_MOST)
        luaL_error(L, "a list has up to %d texts", LIST_MOST);
    lua_pushnil(L);
    if (!tags && !len && lua_next(L, i))
        luaL_error(L, "a list has texts by number, not by name");
    lua_settop(L, i);
    state_spend(L, len);
    struct text_list list = {.items = arena_alloc(mem, (len + 1) * sizeof(struct slice)), .room = len};
    for (; list.items && list.len < len; list.len++) {
        int type =
            tags ? lua_geti(L, i, (lua_Integer)list.len + 1) : lua_rawgeti(L, i, (lua_Integer)list.len + 1);
        if (type != LUA_TSTRING)
            luaL_error(L, "a list has texts, not a %s", luaL_typename(L, -1));
        /* A table holds its texts, so they may leave the stack; those of tags are made for us alone. */
        list.items[list.len] = clean_text(L, mem, -1);
        if (tags)
            list.items[list.len] = arena_copy(mem, list.items[list.len]);
        lua_pop(L, 1);
    }
    return list;
}

static void pair_value(lua_State *L, struct entry_pair *p)
{
    int top = lua_gettop(L);
    switch (lua_type(L, top)) {
    case LUA_TSTRING:
        p->kind = ENTRY_TEXT;
        p->text = clean_text(L, &state_of(L)->all->entry_mem, top);
        break;
    case LUA_TBOOLEAN:
        p->kind = ENTRY_BOOL;
        p->boolean = lua_toboolean(L, top);
        break;
    case LUA_TNUMBER:
        p->kind = lua_isinteger(L, top) ? ENTRY_INTEGER : ENTRY_NUMBER;
        if (p->kind == ENTRY_INTEGER)
            p->integer = lua_tointeger(L, top);
        else
            p->number = lua_tonumber(L, top);
        if (p->kind == ENTRY_NUMBER && !isfinite(p->number))
            luaL_error(L, "a number of an entry is finite");
        break;
    default:
        if (lua_type(L, top) != LUA_TTABLE && !view_is_tags(L, top))
            luaL_error(L, "a field is a text, a number, a boolean or a list of texts, not a %s",
                       luaL_typename(L, top));
        p->kind = ENTRY_TEXTS;
        p->texts = list_at(L, top);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct slice *x = &((const struct entry_pair *)a)->name, *y = &((const struct entry_pair *)b)->name;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static int api_log(lua_State *L)
{
    struct scripts *all = state_of(L)->all;
    struct entry_pair pairs[ENTRY_PAIRS];
    size_t count = 0;
    luaL_checktype(L, 2, LUA_TTABLE);
    state_spend(L, ENTRY_STEPS);
    if (state_of(L)->now->loading)
        return luaL_error(L, "nothing has happened yet: log is for hooks");
    struct slice stream = stream_arg(L);
    arena_reset(&all->entry_mem);
    lua_settop(L, 2);
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        if (count == ENTRY_PAIRS)
            return luaL_error(L, "an entry has up to %d fields", ENTRY_PAIRS);
        pairs[count].name = key_at(L, -2);
        pair_value(L, &pairs[count++]);
        lua_pop(L, 1);
    }
    if (all->entry_mem.over)
        return luaL_error(L, "the entry is too large");
    qsort(pairs, count, sizeof *pairs, by_name);
    struct entry e = {.ts = state_of(L)->now->ts, .stream = stream, .pairs = pairs, .count = count};
    all->counts.entries++;
    if (all->host.entry)
        all->host.entry(all->host.ctx, &e);
    return 0;
}

void library_output(lua_State *L)
{
    lua_register(L, "notice", api_notice);
    lua_register(L, "log", api_log);
}
