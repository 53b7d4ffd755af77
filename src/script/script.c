/* script.c: the scripts of a run: loads their files and finds their hooks (hear.c calls those).
 * In: files. Out: struct scripts. Owns: a Lua state a file. Limits: FILE_MOST bytes a file, SCRIPTS_MOST
 * files; while it is loaded a script has the budgets of a call. Knowingly: hooks are what the globals are
 * when the file was run; what a script puts there later is not heard. All that may need Lua's memory runs
 * inside of state_call. */
#include "script/script.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/memory.h"
#include "base/nearest.h"
#include "script/library.h"
#include "script/view.h"

enum { FILE_MOST = 1 << 20, TEXTS_MOST = 1 << 20 };

static const char *const hook_names[HOOKS + 1] = {"on_mail", "on_session", "on_request", "on_reply",
                                                  "on_data", "on_notice",  "on_tick",    NULL};

static int read_file(const char *path, struct buf *ret, struct error *reterr)
{
    uint8_t part[16384];
    size_t n;
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    bool fits = true;
    while (fits && (n = fread(part, 1, sizeof part, file)) > 0)
        fits = buf_add(ret, (struct slice){part, n});
    int code = ferror(file) ? errno : 0;
    fclose(file);
    if (code)
        return error_set(reterr, -code, "%s: %s", path, strerror(code));
    if (!fits)
        return error_set(reterr, -EFBIG, "%s: more than %d bytes", path, FILE_MOST);
    if (ret->len && ret->data[0] == '\x1b')
        return error_set(reterr, -EINVAL, "%s: compiled Lua is not taken, only its text", path);
    return 0;
}

/* Takes the hook whose name is at -2 and function at -1; both stay. */
static void take_hook(lua_State *L, const char *name)
{
    struct script *sc = state_of(L);
    struct nearest near = nearest_to(slice_str(name));
    lua_Debug ar;
    size_t i = 0;
    while (hook_names[i] && strcmp(hook_names[i], name) != 0)
        nearest_try(&near, hook_names[i++]);
    if (hook_names[i] && lua_isfunction(L, -1)) {
        lua_pushvalue(L, -1);
        sc->refs[i] = luaL_ref(L, LUA_REGISTRYINDEX);
        sc->hooks |= 1u << i;
        return;
    }
    if (hook_names[i])
        luaL_error(L, "%s is a %s, not a function", name, luaL_typename(L, -1));
    if (!lua_isfunction(L, -1))
        return;
    lua_pushvalue(L, -1);
    lua_getinfo(L, ">S", &ar);
    luaL_error(L, "%s:%d: %s is no hook; the nearest is %s", sc->chunk, ar.linedefined, name, near.name);
}

static void take_hooks(lua_State *L)
{
    lua_pushglobaltable(L);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_type(L, -2) == LUA_TSTRING && strncmp(lua_tostring(L, -2), "on_", 3) == 0)
            take_hook(L, lua_tostring(L, -2));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void take_tick_every(lua_State *L)
{
    struct script *sc = state_of(L);
    sc->tick_every = 1;
    lua_getglobal(L, "tick_every");
    if (!lua_isnil(L, -1)) {
        sc->tick_every = lua_tonumber(L, -1);
        if (lua_type(L, -1) != LUA_TNUMBER || !(sc->tick_every >= 0.001 && sc->tick_every <= 1e9))
            luaL_error(L, "tick_every is a number of seconds, 0.001 at least");
    }
    lua_pop(L, 1);
}

static int load(lua_State *L)
{
    const struct buf *text = lua_touserdata(L, 1);
    struct script *sc = state_of(L);
    char name[sizeof sc->chunk + 1];
    library_open(L);
    view_open(L);
    library_output(L);
    library_net(L);
    library_counter(L);
    /* '=': the name as it is. */
    snprintf(name, sizeof name, "=%s", sc->chunk);
    if (luaL_loadbufferx(L, text->len ? (const char *)text->data : "", text->len, name, "t") != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 0);
    take_hooks(L);
    take_tick_every(L);
    return 0;
}

/* Lua shows LUA_IDSIZE bytes of a name at most; of a longer path it gets the last part, and state.c puts the
 * path in its place where a message begins with it. */
static void name_chunk(struct script *sc)
{
    const char *last = strrchr(sc->path, '/');
    const char *name = strlen(sc->path) < sizeof sc->chunk - 1 || !last ? sc->path : last + 1;
    snprintf(sc->chunk, sizeof sc->chunk - 1, "%s", name);
}

static int script_open(struct script *sc, struct error *reterr)
{
    struct buf text;
    struct slice said;
    struct moment m = {.loading = true};
    buf_init(&text, FILE_MOST);
    int rc = read_file(sc->path, &text, reterr);
    if (rc >= 0 && state_open(sc) < 0)
        rc = error_set(reterr, -ENOMEM, "%s: no memory for it", sc->path);
    if (rc >= 0) {
        name_chunk(sc);
        state_enter(sc, &m);
        if (!state_call(sc, load, &text, &said)) {
            size_t skip = said.len > strlen(sc->chunk) && memcmp(said.data, sc->chunk, strlen(sc->chunk)) == 0
                              ? strlen(sc->chunk)
                              : 0;
            rc = error_set(reterr, -EINVAL, "%s%.*s", skip ? sc->path : "", (int)(said.len - skip),
                           (const char *)said.data + skip);
        }
        state_leave(sc);
    }
    buf_free(&text);
    return rc;
}

int scripts_open(const char *const *files, size_t count, const struct script_limits *lim,
                 const struct script_host *host, struct scripts **ret, struct error *reterr)
{
    *ret = NULL;
    if (count > SCRIPTS_MOST)
        return error_set(reterr, -E2BIG, "more than %d scripts", SCRIPTS_MOST);
    struct scripts *s = calloc(1, sizeof *s);
    memory_check(s);
    s->lim = *lim;
    s->host = *host;
    s->counters = host->counters ? host->counters : counters_new(lim->counters);
    s->counters_owned = !host->counters;
    s->items = calloc(count ? count : 1, sizeof *s->items);
    memory_check(s->counters);
    memory_check(s->items);
    arena_init(&s->notice_mem, TEXTS_MOST);
    arena_init(&s->entry_mem, TEXTS_MOST);
    int rc = 0;
    for (; s->len < count && rc >= 0; s->len++) {
        s->items[s->len].all = s;
        s->items[s->len].path = files[s->len];
        rc = script_open(&s->items[s->len], reterr);
        s->items[s->len].hooks &= host->hooks ? host->hooks : UINT_MAX;
        s->hooks |= s->items[s->len].hooks;
    }
    if (rc < 0)
        scripts_close(&s);
    *ret = s;
    return rc;
}

void scripts_close(struct scripts **ps)
{
    struct scripts *s = *ps;
    *ps = NULL;
    if (!s)
        return;
    for (size_t i = 0; i < s->len; i++)
        state_close(&s->items[i]);
    if (s->counters_owned)
        counters_free(&s->counters);
    arena_free(&s->notice_mem);
    arena_free(&s->entry_mem);
    free(s->items);
    free(s);
}

unsigned scripts_hooks(const struct scripts *s)
{
    return s->hooks;
}

struct script_counts scripts_counts(const struct scripts *s)
{
    struct script_counts counts = s->counts;
    /* Shared ones are told of by who owns them. */
    counts.counters_shed = s->counters_owned ? counters_shed(s->counters) : 0;
    return counts;
}

void script_counts_add(struct script_counts *sum, struct script_counts more)
{
    sum->calls += more.calls;
    sum->errors += more.errors;
    sum->stopped += more.stopped;
    sum->deaf += more.deaf;
    sum->counters_shed += more.counters_shed;
    sum->notices += more.notices;
    sum->entries += more.entries;
}
