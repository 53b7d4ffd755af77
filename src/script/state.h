/* One script: its Lua state with what it may use of time and memory, and how its hooks are called. */
#ifndef SCRIPT_STATE_H
#define SCRIPT_STATE_H

#include <lauxlib.h>
#include <lua.h>
#include "script/counter.h"
#include "script/script.h"

/* In the order of the bits of enum script_hook. */
enum hook_index { ON_MAIL, ON_SESSION, ON_REQUEST, ON_REPLY, ON_DATA, ON_NOTICE, ON_TICK, HOOKS };

enum view_kind { VIEW_MAIL, VIEW_SESSION, VIEW_NOTICE, VIEW_SCENE, VIEW_TAGS, VIEW_FLAGS, VIEWS };

enum stop { STOP_NO, STOP_STEPS, STOP_TIME, STOP_MEMORY, STOP_ARGUMENTS };

enum { SCRIPT_WHERE = 400 };

/* What is going on while a hook runs; it lies on the stack of who calls the hook. */
struct moment {
    struct moment *outer;        /* on_notice can run amid another hook of the same script */
    uint64_t number;             /* views of another number are dead */
    const void *bodies[VIEWS];   /* what they show */
    struct timespec ts;          /* of the event */
    const struct connection *id; /* that it belongs to, or NULL */
    const struct transaction *mail;
    struct record *rec;               /* that is heard, or NULL */
    const struct script_scene *scene; /* of an event of the dialogue, or NULL */
    uint32_t mail_number;             /* in the scene */
    bool loading;                     /* no hook yet: the file itself */
    bool noticing;                    /* on_notice */
    uint64_t spent;                   /* steps */
    bool refused;                     /* a piece of memory, in this call */
    enum stop stop;                   /* a budget is spent: nothing catches that */
    int64_t since;                    /* nanoseconds, when its steps were first counted; 0: not yet */
};

/* The first `whole` of their kind are told, then each at a power of two. */
struct complaints {
    uint64_t seen, whole;
};

enum { SCRIPTS_MOST = 64 };
enum { BLOCK_UNIT = 16, BLOCK_CLASSES = 16 };

/* Blocks of one size that Lua gave back. */
struct kept {
    void *first;
    uint32_t count;
};

/* A field's name, by the place of the one copy that Lua has of it. */
struct name_slot {
    const char *text; /* NULL: free */
    lua_Integer number;
};
enum { NAME_SLOTS = 128, NAMED_VIEWS = VIEW_SCENE + 1 };

struct script {
    struct scripts *all;
    lua_State *lua;
    const char *path;
    char chunk[LUA_IDSIZE]; /* what Lua calls it in its messages; `path` where that is short enough */
    unsigned hooks;
    int refs[HOOKS], flags_meta, counter_meta, nets; /* in the registry */
    uint32_t nets_len;
    size_t used; /* bytes */
    struct moment *now;
    uint64_t moments;
    bool counts_each;         /* the count hook runs after each instruction */
    char where[SCRIPT_WHERE]; /* "FILE:LINE: ", where a budget went out */
    struct complaints errors, prints, deaf;
    struct name_slot names[NAMED_VIEWS][NAME_SLOTS];
    struct kept kept[BLOCK_CLASSES];
    double tick_every;
    int64_t ticks; /* number of the last boundary heard or passed; tick_begun says that there is one */
    bool tick_begun;
};

struct scripts {
    struct script_limits lim;
    struct script_host host;
    struct script_counts counts;
    struct counters *counters;
    bool counters_owned;
    struct arena notice_mem, entry_mem; /* of what is being raised or written; their texts, made valid */
    char streams[ENTRY_STREAMS][ENTRY_STREAM_NAME + 1];
    size_t streams_len;
    struct script *items;
    size_t len;
    unsigned hooks;
};

/* The script whose state it is. */
static inline struct script *state_of(lua_State *L)
{
    return *(struct script **)lua_getextraspace(L);
}

/* A state with nothing in it. -ENOMEM where there is none within the limit. */
int state_open(struct script *sc);
void state_close(struct script *sc);
/* Makes `m` what goes on, and ends that. Views of before stay dead. */
void state_enter(struct script *sc, struct moment *m);
void state_leave(struct script *sc);
/* Calls `fn` with `arg` as a light userdata and a fresh budget, within a moment. False: it ended by an error;
 * then text and length of the message are in *ret where it is not NULL (until the next call), else the
 * error is counted and told. */
bool state_call(struct script *sc, lua_CFunction fn, void *arg, struct slice *ret);
/* The same in two steps, for what needs none of Lua's memory on the way: between them the function and its
 * `arguments` are pushed. */
lua_State *state_prepare(struct script *sc);
bool state_run(struct script *sc, int arguments, struct slice *ret);
/* Takes `steps` from the budget of the call; does not return where it goes out. */
void state_spend(lua_State *L, uint64_t steps);
uint64_t state_left(const struct script *sc);
/* Throws the stop again where a budget is spent: for who catches errors. */
void state_rethrow(lua_State *L);
/* Tells a text of the script, cleaned of control characters: "FILE:LINE: ...". */
void state_complain(struct script *sc, struct complaints *c, const char *what, struct slice text);
/* An error with the position of the running function, or where none runs, of function `fn` on the stack. */
int state_error(lua_State *L, int fn, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
