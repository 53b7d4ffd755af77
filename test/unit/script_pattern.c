/* Patterns: the same as Lua's own on many texts and patterns, faults included; and bounded. */
#include "scripts.h"
#include <lualib.h>
#include <lauxlib.h>
#include "script/library.h"
#include "script/state.h"

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static size_t random_of(uint64_t *seed, const char *const *parts, size_t count, size_t most, char *ret)
{
    size_t len = 0;
    for (size_t n = next_random(seed) % most; n; n--) {
        const char *part = parts[next_random(seed) % count];
        memcpy(ret + len, part, strlen(part));
        len += strlen(part);
    }
    return len;
}

/* Calls string.NAME of both states with the same arguments and holds the outcomes to each other, but for the
 * wording of errors. */
static int outcome(lua_State *L, const char *code, struct slice s, struct slice pattern, char *ret,
                   size_t room)
{
    lua_settop(L, 0);
    assert_int_equal(luaL_loadstring(L, code), LUA_OK);
    lua_pushlstring(L, (const char *)s.data, s.len);
    lua_pushlstring(L, (const char *)pattern.data, pattern.len);
    int status = lua_pcall(L, 2, 1, 0);
    snprintf(ret, room, "%s", lua_tostring(L, -1));
    return status;
}

static const char *const calls[] = {
    "local s, p = ... local t = table.pack(s:find(p)) for i = 1, t.n do t[i] = tostring(t[i]) end return "
    "table.concat(t, '|')",
    "local s, p = ... local t = table.pack(s:match(p, 2)) for i = 1, t.n do t[i] = tostring(t[i]) end return "
    "table.concat(t, '|')",
    "local s, p = ... local t = {} for a, b, c in s:gmatch(p) do t[#t + 1] = tostring(a) .. tostring(b) .. "
    "tostring(c) end return table.concat(t, '|')",
    "local s, p = ... return table.concat({s:gsub(p, '<%0%1>')}, '|')",
    "local s, p = ... return table.concat({s:gsub(p, function(a, b) return b and a .. b .. '!' end, 3)}, "
    "'|')",
    "local s, p = ... return table.concat({s:gsub(p, {a = 'X', ab = false, [1] = 9})}, '|')",
    "local s, p = ... return tostring(s:find(p, -3, true))",
    "local s, p = ... local t = table.pack(s:find(p, -2)) for i = 1, t.n do t[i] = tostring(t[i]) end return "
    "table.concat(t, '|')",
};

static void as_lua(void **state)
{
    static const char *const texts[] = {"a", "b", "aa", "(", ")", "x", " ", "1", "]", "-", "A", "%", "\xe4"};
    static const char *const patterns[] = {
        "a",      "b",     ".",      "a*",  "a+",  "a-",   "a?", "[ab]", "[^a]", "[%a_]*",
        "[a-c]+", "(",     ")",      "()",  "(a)", "(.-)", "%a", "%A+",  "%d",   "%s*",
        "%w-",    "%p",    "%u",     "%l",  "%x",  "%c",   "%g", "%1",   "%2",   "%b()",
        "%bab",   "%f[a]", "%f[%W]", "^",   "$",   "%",    "[",  "]",    "-",    "[]]",
        "[^]-]",  "[%",    "%z",     "[a-", "%b",  "%f",   "%0", "\xe4", "*"};
    lua_State *lua = luaL_newstate();
    struct stage st;
    uint64_t seed = 1;
    char s[256], p[256], want[1024], got[1024];
    size_t failed = 0;
    (void)state;
    luaL_openlibs(lua);
    stage_open(&st, "");
    struct script *sc = &st.scripts->items[0];
    struct moment m = {0};
    state_enter(sc, &m);
    for (int i = 0; i < 60000; i++) {
        struct slice text = {(uint8_t *)s, random_of(&seed, texts, sizeof texts / sizeof *texts, 12, s)};
        struct slice pattern = {(uint8_t *)p,
                                random_of(&seed, patterns, sizeof patterns / sizeof *patterns, 6, p)};
        const char *code = calls[i % (sizeof calls / sizeof *calls)];
        int rc = outcome(lua, code, text, pattern, want, sizeof want);
        m.spent = 0;
        m.since = 0;
        int rc2 = outcome(sc->lua, code, text, pattern, got, sizeof got);
        failed += rc != LUA_OK;
        if (rc != rc2 || (rc == LUA_OK && strcmp(want, got) != 0))
            fail_msg("%s\ntext <%.*s> pattern <%.*s>\ngot  %s\nwant %s", code, (int)text.len, s,
                     (int)pattern.len, p, got, want);
    }
    /* Both kinds of outcome were met often. */
    assert_true(failed > 5000 && failed < 55000);
    lua_settop(sc->lua, 0);
    state_leave(sc);
    stage_close(&st);
    lua_close(lua);
}

static void faults(void **state)
{
    (void)state;
    mail_fails("('a'):find('%')", "2: malformed pattern (ends with '%')");
    mail_fails("('a'):find('[a')", "2: malformed pattern (missing ']')");
    mail_fails("('a'):find('(a')", "2: unfinished capture");
    mail_fails("('a'):match('a)')", "2: invalid pattern capture");
    mail_fails("('a'):find('%f')", "2: missing '[' after '%f' in pattern");
    mail_fails("('a'):find('%b')", "2: malformed pattern (missing arguments to '%b')");
    mail_fails("('a'):gsub('a', '%2')", "2: invalid capture index %2");
    mail_fails("('a'):gsub('a', '%x')", "2: invalid use of '%' in replacement string");
    mail_fails("('a'):gsub('a', function() return {} end)", "2: invalid replacement value (a table)");
    mail_fails("('a'):find(('()'):rep(33))", "2: too many captures");
    mail_fails("('a'):rep(300):find(('a?'):rep(300))", "2: pattern too complex");
    mail_fails("('a'):gsub('a', true)",
               "2: bad argument #2 to 'gsub' (string/function/table expected, got boolean)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_lua), cmocka_unit_test(faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
