/* state.c: a Lua state within budgets.
 * In: C functions to call. Out: whether they came back; complaints. Owns: the Lua state and all its memory.
 * Limits: script_limits.steps and memory_bytes; STRING_MOST bytes a string, ARGUMENTS_MOST extra arguments;
 * SECONDS of one call, which only what costs far more than it counts can reach.
 * Knowingly: a step is an instruction of Lua's machine, 32 bytes of a larger piece of memory, or what a C
 * function says. Steps are counted by the PERIOD, so a call may go over by as many. Nothing that a script
 * can reach runs where Lua counts nothing: no coroutines (their hooks are their own), no __gc, no message
 * handlers of xpcall. Only the position is asked of Lua while it allocates, which needs no memory. */
#include "script/state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "base/steers.h"
#include "mail/charset.h"

enum {
    PERIOD = 1000,
    YOUNG_PERCENT = 10, /* of what lives: a small nursery stays in the cache */
    BYTES_A_STEP = 32,
    LARGE = 256,
    STRING_MOST = 1 << 20,
    ARGUMENTS_MOST = 250,
    SECONDS = 5,
    ERRORS_WHOLE = 10,
    PRINTS_WHOLE = 1000,
    COMPLAINT_TEXT = 1000,
};

static uint64_t budget(const struct script *sc)
{
    return sc->all->lim.steps;
}

/* Writes down where Lua stands: the innermost function that has lines. */
static void note_where(struct script *sc, lua_Debug *ar)
{
    lua_Debug own;
    int level = 0, line = -1;
    if (ar && lua_getinfo(sc->lua, "l", ar))
        line = ar->currentline;
    while (line < 0 && lua_getstack(sc->lua, level++, &own))
        line = lua_getinfo(sc->lua, "l", &own) ? own.currentline : -1;
    if (line < 0)
        snprintf(sc->where, sizeof sc->where, "%s: ", sc->path);
    else
        snprintf(sc->where, sizeof sc->where, "%s:%d: ", sc->path, line);
}

/* A refusal may cost Lua two collections of all garbage, so it is dear. */
static void refuse(struct script *sc)
{
    sc->now->spent += PERIOD + sc->used / BYTES_A_STEP;
    if (!sc->now->stop)
        note_where(sc, NULL);
}

/* Small blocks come and go with each call of a hook; malloc would take as long as the rest of making a view.
 * With AddressSanitizer, which is to see each of them, none is kept. */
#ifdef __SANITIZE_ADDRESS__
enum { KEPT_MOST = 0 };
#else
enum { KEPT_MOST = 256 };
#endif

static size_t class_of(size_t len)
{
    return (len - 1) / BLOCK_UNIT;
}

static void block_free(struct script *sc, void *block, size_t len)
{
    if (!block || !len || class_of(len) >= BLOCK_CLASSES || (int)sc->kept[class_of(len)].count >= KEPT_MOST) {
        free(block);
        return;
    }
    struct kept *k = &sc->kept[class_of(len)];
    *(void **)block = k->first;
    k->first = block;
    k->count++;
}

static void *block_new(struct script *sc, size_t len)
{
    size_t c = class_of(len);
    if (c >= BLOCK_CLASSES)
        return malloc(len);
    struct kept *k = &sc->kept[c];
    void *block = k->first;
    if (!block)
        return malloc((c + 1) * BLOCK_UNIT);
    k->first = *(void **)block;
    k->count--;
    return block;
}

/* NULL: no memory, and the old block is as it was. */
static void *block_resize(struct script *sc, void *old, size_t had, size_t len)
{
    if (!old)
        return block_new(sc, len);
    if (had && class_of(had) == class_of(len) && class_of(len) < BLOCK_CLASSES)
        return old;
    if (had && class_of(had) >= BLOCK_CLASSES && class_of(len) >= BLOCK_CLASSES)
        return realloc(old, len);
    void *block = block_new(sc, len);
    if (!block)
        return NULL;
    memcpy(block, old, had < len ? had : len);
    block_free(sc, old, had);
    return block;
}

static void *allocate(void *ud, void *old, size_t old_len, size_t len)
{
    struct script *sc = ud;
    /* Of a new object Lua says what it is instead of a length. */
    bool string = !old && old_len == LUA_TSTRING;
    size_t had = old ? old_len : 0;
    if (!len) {
        sc->used -= had;
        block_free(sc, old, had);
        return NULL;
    }
    if (len > had && sc->now) {
        if (len > LARGE)
            sc->now->spent += len / BYTES_A_STEP;
        /* After a refusal Lua tries again, and shrinks its stack, which is a new piece too: the refusal is
         * the reason then, not what it cost. */
        bool over = len > LARGE && sc->now->spent > budget(sc) && !sc->now->refused;
        bool fits = !(string && len > STRING_MOST) && sc->used - had + len <= sc->all->lim.memory_bytes;
        sc->now->refused |= !over && !fits;
        if (over || !fits) {
            refuse(sc);
            if (over && !sc->now->stop)
                sc->now->stop = STOP_STEPS;
            return NULL;
        }
    }
    void *p = block_resize(sc, old, had, len);
    /* Lua takes for granted that a block can shrink, and gives it back by its new length. */
    if (!p && len <= had)
        p = old;
    if (p)
        sc->used = sc->used - had + len;
    return p;
}

static int64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void on_count(lua_State *L, lua_Debug *ar);

static void count_by(struct script *sc, bool each)
{
    uint64_t most = budget(sc) < PERIOD ? budget(sc) : PERIOD;
    sc->counts_each = each;
    lua_sethook(sc->lua, on_count, LUA_MASKCOUNT, each || !most ? 1 : (int)most);
}

/* The error's text is made in told(); here only the way out matters. */
static int stop(struct script *sc, enum stop why, lua_Debug *ar)
{
    if (!sc->now->stop)
        note_where(sc, ar);
    sc->now->stop = why;
    /* What runs on while the stack unwinds (__close) gets no second period. */
    count_by(sc, true);
    lua_pushliteral(sc->lua, "stopped");
    return lua_error(sc->lua);
}

static void on_count(lua_State *L, lua_Debug *ar)
{
    struct script *sc = state_of(L);
    struct moment *now = sc->now;
    now->spent += sc->counts_each ? 1 : budget(sc) < PERIOD ? budget(sc) : PERIOD;
    if (now->stop || now->spent > budget(sc))
        stop(sc, now->stop ? now->stop : STOP_STEPS, ar);
    if (lua_getlocal(L, ar, -ARGUMENTS_MOST - 1)) {
        lua_pop(L, 1);
        stop(sc, STOP_ARGUMENTS, ar);
    }
    int64_t t = nanoseconds();
    if (!now->since)
        now->since = t;
    else if (t - now->since > SECONDS * INT64_C(1000000000))
        stop(sc, STOP_TIME, ar);
}

void state_spend(lua_State *L, uint64_t steps)
{
    struct script *sc = state_of(L);
    sc->now->spent = steps > UINT64_MAX - sc->now->spent ? UINT64_MAX : sc->now->spent + steps;
    if (sc->now->stop || sc->now->spent > budget(sc))
        stop(sc, sc->now->stop ? sc->now->stop : STOP_STEPS, NULL);
}

uint64_t state_left(const struct script *sc)
{
    return sc->now->spent < budget(sc) ? budget(sc) - sc->now->spent : 0;
}

void state_rethrow(lua_State *L)
{
    struct script *sc = state_of(L);
    if (sc->now->stop)
        stop(sc, sc->now->stop, NULL);
}

int state_open(struct script *sc)
{
    sc->errors.whole = ERRORS_WHOLE;
    sc->prints.whole = PRINTS_WHOLE;
    sc->deaf.whole = ERRORS_WHOLE;
    sc->lua = lua_newstate(allocate, sc);
    if (!sc->lua)
        return -ENOMEM;
    *(struct script **)lua_getextraspace(sc->lua) = sc;
    /* What a call makes is garbage when it returns. */
    lua_gc(sc->lua, LUA_GCGEN, YOUNG_PERCENT, 0);
    count_by(sc, false);
    return 0;
}

void state_close(struct script *sc)
{
    if (sc->lua)
        lua_close(sc->lua);
    sc->lua = NULL;
    assert(!sc->used);
    for (size_t i = 0; i < BLOCK_CLASSES; i++)
        for (void *block = sc->kept[i].first, *next; block; block = next) {
            next = *(void **)block;
            free(block);
        }
}

void state_enter(struct script *sc, struct moment *m)
{
    m->outer = sc->now;
    m->number = ++sc->moments;
    sc->now = m;
}

void state_leave(struct script *sc)
{
    sc->now = sc->now->outer;
}

/* The position of the innermost function with lines, or of the definition of the one at `fn`. */
static void push_where(lua_State *L, int fn)
{
    lua_Debug ar;
    const char *chunk = state_of(L)->chunk;
    for (int level = 0; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "l", &ar);
        if (ar.currentline > 0) {
            lua_pushfstring(L, "%s:%d: ", chunk, ar.currentline);
            return;
        }
    }
    if (!fn) {
        lua_pushfstring(L, "%s: ", chunk);
        return;
    }
    lua_pushvalue(L, fn);
    lua_getinfo(L, ">S", &ar);
    lua_pushfstring(L, "%s:%d: ", chunk, ar.linedefined);
}

int state_error(lua_State *L, int fn, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    push_where(L, fn);
    lua_pushstring(L, text);
    lua_concat(L, 2);
    return lua_error(L);
}

/* The message handler: every error is a text that begins with its place. It may run where Lua counts nothing,
 * so it calls no metamethods. */
static int on_error(lua_State *L)
{
    const struct script *sc = state_of(L);
    size_t chunk = strlen(sc->chunk);
    if (lua_type(L, 1) != LUA_TSTRING && lua_type(L, 1) != LUA_TNUMBER) {
        push_where(L, 0);
        lua_pushfstring(L, "the error is a %s", luaL_typename(L, 1));
        lua_concat(L, 2);
        return 1;
    }
    const char *text = lua_tostring(L, 1);
    if (strncmp(text, sc->chunk, chunk) == 0 && text[chunk] == ':')
        return 1;
    push_where(L, 0);
    lua_pushvalue(L, 1);
    lua_concat(L, 2);
    return 1;
}

static bool is_told(struct complaints *c)
{
    c->seen++;
    return c->seen <= c->whole || (c->seen & (c->seen - 1)) == 0;
}

void state_complain(struct script *sc, struct complaints *c, const char *what, struct slice text)
{
    char line[COMPLAINT_TEXT];
    if (!sc->all->host.complain || !is_told(c))
        return;
    size_t len = 0, chunk = strlen(sc->chunk);
    if (text.len > chunk && memcmp(text.data, sc->chunk, chunk) == 0 && text.data[chunk] == ':') {
        len = (size_t)snprintf(line, sizeof line / 2, "%s", sc->path);
        len = len < sizeof line / 2 ? len : sizeof line / 2 - 1;
        text = slice_sub(text, chunk, text.len);
    }
    bool utf8 = utf8_valid(text);
    /* The text may be out of a mail. */
    while (text.len && len < sizeof line - 80) {
        uint8_t byte = *text.data;
        struct slice one = slice_sub(text, 0,
                                     !utf8 || byte < 0x80 ? 1
                                     : byte < 0xe0        ? 2
                                     : byte < 0xf0        ? 3
                                                          : 4);
        bool odd = byte < 32 || byte == 127 || (byte >= 0x80 && !utf8) || steers(one);
        memcpy(line + len, odd ? (const uint8_t *)"????" : one.data, one.len);
        len += one.len;
        text = slice_sub(text, one.len, text.len);
    }
    len = utf8_whole((struct slice){(const uint8_t *)line, len}).len;
    line[len] = '\0';
    if (c->seen > c->whole)
        snprintf(line + len, sizeof line - len, " (%s %llu of this script)", what,
                 (unsigned long long)c->seen);
    sc->all->host.complain(sc->all->host.ctx, line);
}

/* The message of a failed call: of a stop our own text, else Lua's. */
static struct slice message_of(struct script *sc, int status, char *room, size_t len)
{
    const struct script_limits *lim = &sc->all->lim;
    size_t text_len = 0;
    char why[100] = "";
    switch (sc->now->stop) {
    case STOP_STEPS:
        snprintf(why, sizeof why, "stopped after %llu steps", (unsigned long long)lim->steps);
        break;
    case STOP_TIME:
        snprintf(why, sizeof why, "stopped after %d seconds", SECONDS);
        break;
    case STOP_ARGUMENTS:
        snprintf(why, sizeof why, "stopped: more than %d arguments", ARGUMENTS_MOST);
        break;
    case STOP_MEMORY:
    case STOP_NO:
        if (sc->now->stop || status == LUA_ERRMEM)
            snprintf(why, sizeof why, "stopped: more than %zu bytes of memory, or %d of one text",
                     lim->memory_bytes, STRING_MOST);
        break;
    }
    if (why[0]) {
        snprintf(room, len, "%s%s", sc->where, why);
        return slice_str(room);
    }
    const char *text = lua_type(sc->lua, -1) == LUA_TSTRING ? lua_tolstring(sc->lua, -1, &text_len) : NULL;
    if (!text || status == LUA_ERRERR) {
        snprintf(room, len, "%s: an error in the handling of an error", sc->path);
        return slice_str(room);
    }
    return (struct slice){(const uint8_t *)text, text_len};
}

lua_State *state_prepare(struct script *sc)
{
    struct moment *now = sc->now;
    now->spent = 0;
    now->since = 0;
    now->refused = false;
    now->stop = STOP_NO;
    lua_pushcfunction(sc->lua, on_error);
    return sc->lua;
}

bool state_call(struct script *sc, lua_CFunction fn, void *arg, struct slice *ret)
{
    lua_State *L = state_prepare(sc);
    lua_pushcfunction(L, fn);
    lua_pushlightuserdata(L, arg);
    return state_run(sc, 1, ret);
}

bool state_run(struct script *sc, int arguments, struct slice *ret)
{
    lua_State *L = sc->lua;
    struct moment *now = sc->now;
    int handler = lua_gettop(L) - arguments - 1, top = handler - 1;
    int status = lua_pcall(L, arguments, 0, handler);
    if (status == LUA_OK) {
        lua_settop(L, top);
        return true;
    }
    char room[SCRIPT_WHERE + 100];
    struct slice text = message_of(sc, status, room, sizeof room);
    bool memory = status == LUA_ERRMEM || now->stop == STOP_MEMORY;
    if (ret) {
        size_t len = text.len < sizeof sc->where - 1 ? text.len : sizeof sc->where - 1;
        memmove(sc->where, text.data, len);
        *ret = (struct slice){(const uint8_t *)sc->where, len};
    } else {
        sc->all->counts.errors++;
        sc->all->counts.stopped += memory || now->stop;
        state_complain(sc, &sc->errors, "error", text);
    }
    lua_settop(L, top);
    count_by(sc, false);
    if (memory)
        lua_gc(L, LUA_GCCOLLECT);
    return false;
}
