/* What is refused at start, and how that reads. */
#include "scripts.h"

/* `want`: what stands behind the file's name. */
static void refused(const char *text, size_t len, const char *want)
{
    struct stage st;
    struct error err = {""};
    const char *path = "/tmp/script-load-test.lua";
    const struct script_limits lim = {STAGE_MEMORY, STAGE_STEPS, 10, STAGE_LINE};
    const struct script_host host = {.ctx = &st};
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
    assert_true(scripts_open(&path, 1, &lim, &host, &st.scripts, &err) < 0);
    assert_null(st.scripts);
    unlink(path);
    if (strncmp(err.text, path, strlen(path)) != 0)
        fail_msg("no path: %s", err.text);
    assert_string_equal(err.text + strlen(path), want);
}
#define REFUSED(text, want) refused(text, sizeof(text) - 1, want)

static void faults(void **state)
{
    (void)state;
    REFUSED("x = 1\ny = = 2\n", ":2: unexpected symbol near '='");
    REFUSED("\n\nerror('no')", ":3: no");
    REFUSED("local t = nil\nt.x = 1", ":2: attempt to index a nil value (local 't')");
    REFUSED("io.open('/etc/passwd')", ":1: attempt to index a nil value (global 'io')");
    REFUSED("\x1bLua", ": compiled Lua is not taken, only its text");
    REFUSED("\n\nfunction on_mial() end", ":3: on_mial is no hook; the nearest is on_mail");
    REFUSED("on_tock = function() end", ":1: on_tock is no hook; the nearest is on_tick");
    REFUSED("on_mail = 7", ": on_mail is a number, not a function");
    REFUSED("tick_every = 'x'", ": tick_every is a number of seconds, 0.001 at least");
    REFUSED("tick_every = 0", ": tick_every is a number of seconds, 0.001 at least");
    REFUSED("\nwhile true do end", ":2: stopped after 1000000 steps");
    REFUSED("local s = 'x'\nwhile true do s = s .. s end",
            ":2: stopped: more than 4194304 bytes of memory, or 1048576 of one text");
    REFUSED("notice{note = 'x'}", ":1: nothing has happened yet: notice is for hooks");
    REFUSED("log('x', {})", ":1: nothing has happened yet: log is for hooks");
    REFUSED("counter('c')", ":1: counter 'c' is new: it needs {expire=SECONDS}");
}

static void files(void **state)
{
    struct stage st;
    struct error err = {""};
    const char *path = "/nowhere/at/all.lua";
    const struct script_limits lim = {STAGE_MEMORY, STAGE_STEPS, 10, STAGE_LINE};
    const struct script_host host = {.ctx = &st};
    (void)state;
    assert_true(scripts_open(&path, 1, &lim, &host, &st.scripts, &err) < 0);
    assert_string_equal(err.text, "/nowhere/at/all.lua: No such file or directory");
    path = "/tmp";
    assert_true(scripts_open(&path, 1, &lim, &host, &st.scripts, &err) < 0);
    assert_string_equal(err.text, "/tmp: Is a directory");
    char *big = malloc((1 << 20) + 1);
    assert_non_null(big);
    memset(big, '\n', (1 << 20) + 1);
    refused(big, (1 << 20) + 1, ": more than 1048576 bytes");
    free(big);
}

/* A path that is longer than what Lua shows of one. */
static void long_path(void **state)
{
    struct stage st;
    struct error err = {""};
    char folder[] = "/tmp/a-folder-with-quite-a-long-name-so-that-it-fills-the-line-XXXXXX", path[200],
         want[300];
    const char *files[] = {path};
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/rules.lua", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs("\nerror('no')", file);
    fclose(file);
    const struct script_limits lim = {STAGE_MEMORY, STAGE_STEPS, 10, STAGE_LINE};
    const struct script_host host = {.ctx = &st};
    assert_true(scripts_open(files, 1, &lim, &host, &st.scripts, &err) < 0);
    snprintf(want, sizeof want, "%s:2: no", path);
    assert_string_equal(err.text, want);
    unlink(path);
    rmdir(folder);
}

static void hooks(void **state)
{
    struct stage st;
    (void)state;
    stage_open(&st, "");
    assert_int_equal(scripts_hooks(st.scripts), 0);
    stage_close(&st);
    stage_open(&st, "function on_mail() end function on_tick() end function on_data() end on_call = 1");
    assert_int_equal(scripts_hooks(st.scripts), HOOK_MAIL | HOOK_TICK | HOOK_DATA);
    stage_session(&st);
    assert_int_equal(scripts_counts(st.scripts).calls, 0);
    stage_close(&st);
}

/* The order of the files; a second one that is refused takes the first with it. */
static void several(void **state)
{
    static const char *const texts[] = {"function on_mail(m) m.tags.first = true error('a') end x = 1",
                                        "function on_mail(m) assert(m.tags.first and not x) log('t', {}) end",
                                        "function on_nail() end"};
    struct stage st;
    struct error err = {""};
    (void)state;
    stage_init(&st);
    assert_int_equal(stage_try(&st, texts, 2, &err), 0);
    stage_mail(&st);
    assert_said(&st.complaints, "0:1: a\n");
    assert_said(&st.entries, "1002 t\n");
    scripts_close(&st.scripts);
    assert_true(stage_try(&st, texts, 3, &err) < 0);
    assert_non_null(strstr(err.text, st.paths[2]));
    stage_close(&st);
}

static void ticks(void **state)
{
    struct stage st;
    (void)state;
    stage_open(&st, "tick_every = 0.5 function on_tick(s) assert(now() == s) log('t', {s = s}) end");
    scripts_tick(st.scripts, (struct timespec){100, 200000000});
    assert_said(&st.entries, "");
    scripts_tick(st.scripts, (struct timespec){100, 499999999});
    assert_said(&st.entries, "");
    scripts_tick(st.scripts, (struct timespec){100, 500000000});
    assert_said(&st.entries, "100 t s=100.500\n");
    scripts_tick(st.scripts, (struct timespec){100, 400000000});
    scripts_tick(st.scripts, (struct timespec){100, 999999999});
    assert_said(&st.entries, "");
    scripts_tick(st.scripts, (struct timespec){102, 0});
    assert_said(&st.entries, "101 t s=101.000\n101 t s=101.500\n102 t s=102.000\n");
    scripts_tick(st.scripts, (struct timespec){100000, 0});
    assert_said(&st.entries, "100000 t s=100000.000\n");
    stage_close(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults), cmocka_unit_test(files),   cmocka_unit_test(long_path),
        cmocka_unit_test(hooks),  cmocka_unit_test(several), cmocka_unit_test(ticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
