/* hear.c: what happens, to the hooks of scripts.
 * In: records, events, notices, time. Out: calls. Owns: the lines of a session's message. Limits: TICKS_MOST
 * calls of on_tick at once: where more are due only the last is made; STOPS_MOST stops of on_data in one
 * message. Knowingly: all lines of a piece are
 * heard in one protected call, as entering one costs about as much as a short hook; each line has its own
 * budget. */
#include "script/script.h"

#include <math.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/nearest.h"
#include "script/lines.h"
#include "script/state.h"
#include "script/value.h"
#include "script/view.h"

enum { TICKS_MOST = 1000, STOPS_MOST = 10 };

struct script_data {
    struct lines lines;
    uint8_t stops[SCRIPTS_MOST]; /* of each script in this message, by a budget */
};

static void push_hook(lua_State *L, enum hook_index hook)
{
    struct script *sc = state_of(L);
    sc->all->counts.calls++;
    lua_rawgeti(L, LUA_REGISTRYINDEX, sc->refs[hook]);
}

void scripts_record(struct scripts *s, struct record *rec)
{
    bool mail = rec->stream == &stream_smtp;
    unsigned hook = mail ? HOOK_MAIL : HOOK_SESSION;
    if (!(s->hooks & hook) || (!mail && rec->stream != &stream_session))
        return;
    struct moment m = {.ts = rec->end, .rec = rec};
    m.mail = mail ? rec->body : NULL;
    m.id = mail ? &m.mail->id : &((const struct session *)rec->body)->id;
    for (size_t i = 0; i < s->len; i++) {
        struct script *sc = &s->items[i];
        if (!(sc->hooks & hook))
            continue;
        state_enter(sc, &m);
        /* A view is a number, so nothing here can fail, and a mail's call is to be cheap. */
        lua_State *L = state_prepare(sc);
        s->counts.calls++;
        lua_rawgeti(L, LUA_REGISTRYINDEX, sc->refs[mail ? ON_MAIL : ON_SESSION]);
        view_push_record(L, rec->stream, rec->body);
        state_run(sc, 1, NULL);
        state_leave(sc);
    }
}

static int call_request(lua_State *L)
{
    const struct smtp_event *ev = lua_touserdata(L, 1);
    push_hook(L, ON_REQUEST);
    view_push_scene(L);
    lua_pushstring(L, verb_name(ev->verb));
    lua_pushlstring(L, ev->text.data ? (const char *)ev->text.data : "", ev->text.len);
    lua_call(L, 3, 0);
    return 0;
}

/* The lines of a reply, joined by a blank as in last_reply. */
static void push_joined(lua_State *L, struct slice text)
{
    luaL_Buffer b;
    if (slice_index(text, '\n') == text.len) {
        lua_pushlstring(L, text.len ? (const char *)text.data : "", text.len);
        return;
    }
    char *joined = luaL_buffinitsize(L, &b, text.len);
    for (size_t i = 0; i < text.len; i++)
        joined[i] = text.data[i] == '\n' ? ' ' : (char)text.data[i];
    luaL_pushresultsize(&b, text.len);
}

static int call_reply(lua_State *L)
{
    const struct smtp_event *ev = lua_touserdata(L, 1);
    push_hook(L, ON_REPLY);
    view_push_scene(L);
    lua_pushinteger(L, ev->code);
    push_joined(L, ev->text);
    lua_pushstring(L, verb_name(ev->verb));
    lua_call(L, 4, 0);
    return 0;
}

/* Stack: the reader; the hook, the scene, the two words, which serve all lines. */
static int call_lines(lua_State *L)
{
    struct lines_reader *r = lua_touserdata(L, 1);
    struct script *sc = state_of(L);
    struct slice line;
    bool body;
    lua_rawgeti(L, LUA_REGISTRYINDEX, sc->refs[ON_DATA]);
    view_push_scene(L);
    lua_pushliteral(L, "header");
    lua_pushliteral(L, "body");
    while (lines_next(r, &line, &body)) {
        sc->all->counts.calls++;
        sc->now->spent = 0;
        sc->now->since = 0;
        lua_pushvalue(L, 2);
        lua_pushvalue(L, 3);
        lua_pushlstring(L, line.len ? (const char *)line.data : "", line.len);
        lua_pushvalue(L, body ? 5 : 4);
        lua_call(L, 3, 0);
    }
    return 0;
}

static void scene_call(struct scripts *s, const struct script_scene *scene, const struct smtp_event *ev,
                       unsigned hook, lua_CFunction fn)
{
    struct moment m = {
        .ts = ev->ts, .id = scene->id, .mail = scene->mail, .scene = scene, .mail_number = ev->mail};
    for (size_t i = 0; i < s->len; i++) {
        struct script *sc = &s->items[i];
        if (!(sc->hooks & hook))
            continue;
        state_enter(sc, &m);
        state_call(sc, fn, (void *)ev, NULL);
        state_leave(sc);
    }
}

/* Every script hears the lines that `r` has; *r is behind them then. */
/* A message may have a million lines, each of which costs a whole budget: whoever wrote it would decide how
 * long all else waits. */
static void note_stop(struct script *sc, const struct moment *m, uint8_t *stops)
{
    char text[LUA_IDSIZE + 100];
    if (m->stop == STOP_NO || ++*stops < STOPS_MOST)
        return;
    sc->all->counts.deaf++;
    snprintf(text, sizeof text, "%s: on_data was stopped %d times, and hears no more of this message",
             sc->chunk, STOPS_MOST);
    state_complain(sc, &sc->deaf, "message", slice_str(text));
}

static void hear_lines(struct scripts *s, struct script_data *data, const struct script_scene *scene,
                       const struct smtp_event *ev, struct lines_reader *r)
{
    struct moment m = {
        .ts = ev->ts, .id = scene->id, .mail = scene->mail, .scene = scene, .mail_number = ev->mail};
    struct lines_reader end = *r;
    for (size_t i = 0; i < s->len; i++) {
        struct script *sc = &s->items[i];
        if (!(sc->hooks & HOOK_DATA) || data->stops[i] >= STOPS_MOST)
            continue;
        bool on = true;
        end = *r;
        state_enter(sc, &m);
        /* After an error it goes on with the next line, if it had come to one. */
        while (on) {
            size_t left = end.rest.len + end.has_first;
            on = !state_call(sc, call_lines, &end, NULL) && end.rest.len + end.has_first < left;
            if (on)
                note_stop(sc, &m, &data->stops[i]);
            on = on && data->stops[i] < STOPS_MOST;
        }
        state_leave(sc);
    }
    /* One that came to no line has not read them all. */
    struct slice line;
    bool body;
    while (lines_next(&end, &line, &body))
        ;
    *r = end;
}

static struct lines *lines_of(struct scripts *s, struct script_data **data)
{
    if (!*data) {
        *data = calloc(1, sizeof **data);
        memory_check(*data);
        lines_init(&(*data)->lines, s->lim.line_bytes);
    }
    return &(*data)->lines;
}

static void hear_data(struct scripts *s, struct script_data **data, const struct script_scene *scene,
                      const struct smtp_event *ev)
{
    struct lines *l = lines_of(s, data);
    if (ev->kind == SMTP_MESSAGE_BEGIN) {
        lines_begin(l, ev->len);
        memset((*data)->stops, 0, sizeof(*data)->stops);
    } else if (ev->kind == SMTP_MESSAGE_DATA) {
        struct lines_reader r = lines_feed(l, ev->text);
        if (lines_has(&r))
            hear_lines(s, *data, scene, ev, &r);
        lines_took(l, &r);
    } else if (ev->kind == SMTP_MESSAGE_GAP) {
        lines_gap(l);
    } else {
        /* What the last line would have been where the message's end was not seen, nobody knows. */
        struct lines_reader r = lines_end(l);
        if (r.has_first && !ev->len)
            hear_lines(s, *data, scene, ev, &r);
    }
}

void scripts_event(struct scripts *s, struct script_data **data, const struct script_scene *scene,
                   const struct smtp_event *ev)
{
    if (s->hooks & HOOK_TICK)
        scripts_tick(s, ev->ts);
    switch (ev->kind) {
    case SMTP_COMMAND:
        if (s->hooks & HOOK_REQUEST)
            scene_call(s, scene, ev, HOOK_REQUEST, call_request);
        break;
    case SMTP_REPLY:
        if (s->hooks & HOOK_REPLY)
            scene_call(s, scene, ev, HOOK_REPLY, call_reply);
        break;
    case SMTP_MESSAGE_BEGIN:
    case SMTP_MESSAGE_DATA:
    case SMTP_MESSAGE_GAP:
    case SMTP_MESSAGE_END:
        if (s->hooks & HOOK_DATA)
            hear_data(s, data, scene, ev);
        break;
    case SMTP_MAIL_BEGIN:
    case SMTP_MAIL_END:
    case SMTP_TLS:
    case SMTP_HANDSHAKE:
    case SMTP_LOGIN:
    case SMTP_GAP:
    case SMTP_CUT:
    case SMTP_ANOMALY:
        break;
    }
}

void script_data_free(struct script_data **data)
{
    if (*data)
        lines_free(&(*data)->lines);
    free(*data);
    *data = NULL;
}

struct verdict {
    const struct notice *n;
    bool decided;
    unsigned actions;
};

/* The action that the word at -1 names, which it takes away; `fn`: the hook, for the place of an error. */
static unsigned action_at_top(lua_State *L, int fn)
{
    size_t len;
    if (lua_type(L, -1) != LUA_TSTRING)
        state_error(L, fn, "on_notice gives nil, a word or a list of words, not a %s", luaL_typename(L, -1));
    const char *word = lua_tolstring(L, -1, &len);
    struct nearest near = nearest_to((struct slice){(const uint8_t *)word, len});
    for (unsigned i = 0; i < ACTIONS; i++) {
        const char *name = notice_action_name((enum notice_action)(1u << i));
        if (strcmp(name, word) == 0) {
            lua_pop(L, 1);
            return 1u << i;
        }
        nearest_try(&near, name);
    }
    state_error(L, fn, "no action '%.60s'; the nearest is '%s'", word, near.name ? near.name : "log");
    return 0;
}

static int call_notice(lua_State *L)
{
    struct verdict *v = lua_touserdata(L, 1);
    enum { FN = 2, GIVEN = 3 };
    push_hook(L, ON_NOTICE);
    lua_pushvalue(L, FN);
    view_push_record(L, &stream_notice, v->n);
    lua_call(L, 1, 1);
    unsigned actions = 0;
    if (lua_isnil(L, GIVEN))
        return 0;
    if (lua_type(L, GIVEN) == LUA_TTABLE) {
        size_t len = lua_rawlen(L, GIVEN);
        state_spend(L, len);
        for (size_t i = 0; i < len; i++) {
            lua_rawgeti(L, GIVEN, (lua_Integer)i + 1);
            actions |= action_at_top(L, FN);
        }
    } else {
        actions = action_at_top(L, FN);
    }
    v->actions = actions ? actions : ACTION_DROP;
    v->decided = true;
    return 0;
}

bool scripts_notice(struct scripts *s, const struct notice *n, unsigned *ret)
{
    struct verdict v = {.n = n};
    if (!(s->hooks & HOOK_NOTICE))
        return false;
    for (size_t i = 0; i < s->len && !v.decided; i++) {
        struct script *sc = &s->items[i];
        if (!(sc->hooks & HOOK_NOTICE))
            continue;
        struct moment m = {.ts = n->ts, .id = &n->id, .noticing = true};
        state_enter(sc, &m);
        state_call(sc, call_notice, &v, NULL);
        state_leave(sc);
    }
    if (v.decided)
        *ret = v.actions;
    return v.decided;
}

static int call_tick(lua_State *L)
{
    const double *seconds = lua_touserdata(L, 1);
    push_hook(L, ON_TICK);
    lua_pushnumber(L, *seconds);
    lua_call(L, 1, 0);
    return 0;
}

static struct timespec time_of(double seconds)
{
    double whole = floor(seconds);
    return (struct timespec){(time_t)whole, (long)((seconds - whole) * 1e9)};
}

static void tick_at(struct script *sc, struct timespec ts, double seconds)
{
    struct moment m = {.ts = ts};
    state_enter(sc, &m);
    state_call(sc, call_tick, &seconds, NULL);
    state_leave(sc);
}

static void tick(struct script *sc, struct timespec now)
{
    if (sc->tick_begun && value_seconds(now) < (double)(sc->ticks + 1) * sc->tick_every)
        return;
    int64_t due = (int64_t)floor(value_seconds(now) / sc->tick_every);
    if (!sc->tick_begun) {
        sc->tick_begun = true;
        sc->ticks = due;
    }
    if (due - sc->ticks > TICKS_MOST)
        sc->ticks = due - 1;
    while (sc->ticks < due) {
        double seconds = (double)++sc->ticks * sc->tick_every;
        tick_at(sc, time_of(seconds), seconds);
    }
}

void scripts_tick(struct scripts *s, struct timespec now)
{
    /* What a counter held at the boundary must be there when the boundary is told of. */
    for (size_t i = 0; i < s->len; i++)
        if (s->items[i].hooks & HOOK_TICK)
            tick(&s->items[i], now);
    counters_tick(s->counters, now);
}

void scripts_finish(struct scripts *s, struct timespec now)
{
    for (size_t i = 0; i < s->len; i++)
        if (s->items[i].tick_begun)
            tick_at(&s->items[i], now, value_seconds(now));
}
