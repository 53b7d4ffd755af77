/* Budgets and the sandbox: what never ends is stopped with its line, what reaches out is not there. */
#include "scripts.h"
#include <time.h>

#define STEPS  "stopped after 1000000 steps"
#define MEMORY "stopped: more than 4194304 bytes of memory, or 1048576 of one text"

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Stopped in line 2 for `why`, twice, in reasonable time; and counted. */
static void is_stopped(const char *body, const char *why)
{
    struct stage st;
    char text[4096], line[300];
    snprintf(
        text, sizeof text,
        "function on_mail(mail)\nif not on then return end %s\nend\nfunction on_session() on = not on end",
        body);
    snprintf(line, sizeof line, "0:2: %s\n", why);
    stage_open(&st, text);
    for (int i = 0; i < 2; i++) {
        double begin = seconds();
        stage_session(&st);
        stage_mail(&st);
        assert_said(&st.complaints, line);
        stage_session(&st);
        stage_mail(&st);
        assert_said(&st.complaints, "");
        /* Sanitizers and a busy machine are slow; without a budget it would be hours. */
        if (seconds() - begin > 8)
            fail_msg("%s: took %.1f s", body, seconds() - begin);
    }
    assert_int_equal(scripts_counts(st.scripts).stopped, 2);
    assert_int_equal(scripts_counts(st.scripts).errors, 2);
    assert_int_equal(scripts_counts(st.scripts).calls, 8);
    stage_close(&st);
}

static void endless_loops(void **state)
{
    (void)state;
    is_stopped("while true do end", STEPS);
    is_stopped("repeat until false", STEPS);
    is_stopped("for i = 1, math.maxinteger do end", STEPS);
    is_stopped("::again:: goto again", STEPS);
    is_stopped("local function f() return f() end f()", STEPS);
    is_stopped("while true do local s = 'a' .. 1 end", STEPS);
    is_stopped("while true do local t = {} end", STEPS);
    is_stopped("local s = ('x'):rep(1000000) while true do local t = s .. 'a' end", STEPS);
    is_stopped("while true do mail.subject:upper() end", STEPS);
    is_stopped("while true do notice{note = 'A::B'} end", STEPS);
    is_stopped("while true do log('a', {}) end", STEPS);
}

/* Nothing catches the end of a budget. */
static void endless_loops_in_cover(void **state)
{
    (void)state;
    is_stopped("while true do pcall(function() while true do end end) end", STEPS);
    is_stopped("pcall(pcall, pcall, function() while true do end end) while true do end", STEPS);
    is_stopped(
        "while true do xpcall(function() while true do end end, function(e) while true do end end) end",
        STEPS);
    is_stopped("xpcall(error, function() while true do end end)", STEPS);
    is_stopped("local t = setmetatable({}, {__index = function() while true do end end}) return t.x", STEPS);
    is_stopped("local t = setmetatable({}, {__eq = function() while true do end end}) return t == {}", STEPS);
    is_stopped("local t <close> = setmetatable({}, {__close = function() while true do end end})", STEPS);
    is_stopped(
        "local t <close> = setmetatable({}, {__close = function() while true do end end}) while true do end",
        STEPS);
    is_stopped("print(setmetatable({}, {__tostring = function() while true do end end}))", STEPS);
    is_stopped("table.sort({3, 2, 1}, function() while true do end end)", STEPS);
    is_stopped("('x'):gsub('.', function() while true do end end)", STEPS);
    is_stopped("for w in ('x'):gmatch('.') do while true do end end", STEPS);
    is_stopped(
        "for k in pairs(setmetatable({}, {__pairs = function() return function() return 1 end end})) do end",
        STEPS);
}

/* What is to be closed while the stack unwinds gets no budget of its own. */
static void closing(void **state)
{
    struct stage st;
    (void)state;
    stage_open(&st, "n = 0 local mt = {__close = function() for i = 1, 500 do n = n + 1 end end}\n"
                    "local function deep(k) local t <close> = setmetatable({}, mt)\n"
                    "if k > 0 then deep(k - 1) end while true do end end\n"
                    "function on_mail() deep(100) end function on_session() assert(n < 10, n) end");
    stage_mail(&st);
    assert_said(&st.complaints, "0:3: stopped after 1000000 steps\n");
    stage_session(&st);
    assert_said(&st.complaints, "");
    stage_close(&st);
}

/* Functions in C that run no instruction of Lua meanwhile. */
static void endless_functions(void **state)
{
    (void)state;
    is_stopped("('a'):rep(100000):find(('a*'):rep(20) .. 'b')", STEPS);
    is_stopped("('a'):rep(100000):match(('a?'):rep(30) .. 'b')", STEPS);
    is_stopped("('a'):rep(100000):gsub(('.-'):rep(20) .. 'b', '')", STEPS);
    is_stopped("for x in ('a'):rep(100000):gmatch('.-.-.-b') do end", STEPS);
    is_stopped("('('):rep(100000):find('%b()')", STEPS);
    is_stopped("while true do pcall(string.find, ('a'):rep(10000), 'a-a-a-b') end", STEPS);
    is_stopped("(''):rep(1 << 60)", STEPS);
    is_stopped("table.move({}, 1, 1 << 60, 2)", STEPS);
    is_stopped("table.concat(setmetatable({}, {__index = function() return '' end}), '', 1, 1 << 60)", STEPS);
    is_stopped("local t = {} for i = 1, 10000 do t[i] = '' end while true do table.concat(t) end", STEPS);
    is_stopped("local t = {} for i = 1, 10000 do t[i] = i end while true do table.insert(t, 1, 1) end",
               STEPS);
    is_stopped("local t = {} for i = 1, 10000 do t[i] = i end while true do table.sort(t) end", STEPS);
    is_stopped("local s = ('x'):rep(900000) while true do utf8.len(s) end", STEPS);
    is_stopped("local s = ('1'):rep(900000) while true do tonumber(s) end", STEPS);
    is_stopped("local s = ('x'):rep(900000) while true do s:find('y', 1, true) end", STEPS);
    is_stopped("local nets = {} for i = 1, 1000 do nets[i] = '10.0.0.' .. i % 256 end while true do "
               "in_nets('::1', nets) end",
               STEPS);
}

static void memory_hogs(void **state)
{
    (void)state;
    is_stopped("local t = {} for i = 1, 9 do t[#t + 1] = ('xxxxxxxx'):rep(75000) .. i end", MEMORY);
    is_stopped("local t = {} while true do t[#t + 1] = {} end", MEMORY);
    is_stopped("('x'):rep(100):rep(50000)", MEMORY);
    is_stopped("('x'):rep(16):rep(65537)", MEMORY);
    is_stopped("while true do pcall(string.rep, ('x'):rep(100), 50000) end", MEMORY);
    is_stopped("local s = 'x' while true do s = s .. s end", MEMORY);
    is_stopped("('x'):rep(100000):gsub('.', ('y'):rep(100))", MEMORY);
    is_stopped("local function f() return 1 + f() end f()", MEMORY);
}

/* What a script keeps goes on counting, and what it lets go of comes back. */
static void memory_comes_back(void **state)
{
    struct stage st;
    (void)state;
    stage_open(&st, "function on_mail() keep = keep or {} keep[#keep + 1] = ('x'):rep(500000) .. #keep end\n"
                    "function on_session() keep = nil end");
    for (int round = 0; round < 3; round++) {
        uint64_t before = scripts_counts(st.scripts).stopped;
        for (int i = 0; i < 9; i++)
            stage_mail(&st);
        assert_true(scripts_counts(st.scripts).stopped > before);
        stage_session(&st);
        buf_clear(&st.complaints);
        stage_mail(&st);
        assert_said(&st.complaints, "");
    }
    stage_close(&st);
}

/* Wherever memory ends, it is an error of the script. */
static void any_memory(void **state)
{
    static const char *const text =
        "local c = counter('c', {expire = 5})\n"
        "function on_mail(m) local n = {} for k, v in pairs(m) do n[#n + 1] = tostring(v) end\n"
        "local big = {} for i = 1, 200 do big[i] = {i} end "
        "m.tags[m.subject] = true for k in pairs(m.tags) do n[#n + 1] = k end\n"
        "log('x', {n = n, t = m.tags}) notice{note = 'A::B', msg = table.concat(n), host = '192.0.2.1'}\n"
        "c:add(m.orig_h) for k, v in c:each() do n[#n + 1] = k .. v end\n"
        "in_nets(m.orig_h, local_nets) n[#n + 1] = m.subject:gsub('.', '%0%0') .. "
        "m.subject:match('(.)(.)()')\n"
        "pcall(error, {}) print(#n, m.files[1].name, m.origin.country) table.sort(n) error(n[1]) end\n"
        "function on_notice(n) return {'log', n.note == 'x' and 'email' or 'drop'} end\n"
        "function on_data(s, line, where) s.mail = line .. where end function on_tick(s) local t = {s} end\n"
        "function on_request(s, c, a) local x = c .. a .. s.uid end function on_reply(s, c, t, v) error(t .. "
        "v) end";
    unsigned refused = 0, worked = 0, stopped = 0;
    (void)state;
    /* From what holds nothing to what holds all of it: the more fields, the later that is. */
    for (size_t memory = 1000; worked < 50 && memory < 1 << 20; memory += memory < 25000 ? 997 : 31) {
        struct stage st;
        struct error err = {""};
        struct script_data *data = NULL;
        stage_init(&st);
        st.memory = memory;
        if (stage_try(&st, &text, 1, &err) < 0) {
            assert_non_null(strstr(err.text, "memory"));
            refused++;
            stage_close(&st);
            continue;
        }
        const struct script_scene scene = {.id = &st.mail.id, .mail = &st.mail};
        struct smtp_event ev = {.kind = SMTP_COMMAND, .verb = VERB_RCPT, .text = slice_str("a")};
        for (int i = 0; i < 3; i++) {
            stage_mail(&st);
            ev.kind = SMTP_COMMAND;
            scripts_event(st.scripts, &data, &scene, &ev);
            ev.kind = SMTP_REPLY;
            ev.text = slice_str("a\nb");
            scripts_event(st.scripts, &data, &scene, &ev);
            ev.kind = SMTP_MESSAGE_DATA;
            ev.text = slice_str("a line of some length that is more than forty bytes long\nb\nc");
            scripts_event(st.scripts, &data, &scene, &ev);
            scripts_tick(st.scripts, (struct timespec){i, 0});
        }
        stopped += scripts_counts(st.scripts).stopped > 0;
        worked += scripts_counts(st.scripts).stopped == 0;
        script_data_free(&data);
        stage_close(&st);
    }
    assert_true(refused > 10 && stopped > 15 && worked > 10);
}

static void arguments(void **state)
{
    (void)state;
    mail_fails("table.unpack({}, 1, 251)", "2: more than 250 values at once");
    mail_fails("('x'):rep(300):byte(1, -1)", "2: more than 250 values at once");
    mail_fails("utf8.codepoint(('x'):rep(300), 1, -1)", "2: more than 250 values at once");
    mail_runs("assert(select('#', table.unpack({}, 1, 250)) == 250 and select('#', ('x'):rep(300):byte(1, "
              "250)) == 250)");
    mail_runs("assert(('abc'):byte() == 97 and ('abc'):byte(-1) == 99 and select('#', ('abc'):byte(-100, "
              "100)) == 3)");
    is_stopped("local function f(...) return f(1, ...) end f()", "stopped: more than 250 arguments");
}

static void sandbox(void **state)
{
    (void)state;
    mail_runs(
        "for _, name in ipairs{'io', 'os', 'debug', 'package', 'coroutine', 'require', 'dofile', 'load',\n"
        "'loadfile', 'loadstring', 'collectgarbage', 'warn'} do assert(_G[name] == nil, name) end\n"
        "for _, name in ipairs{'dump', 'pack', 'unpack', 'packsize'} do assert(string[name] == nil, name) "
        "end");
    mail_runs(
        "local n = {} for k in pairs(_G) do n[#n + 1] = k end table.sort(n)\n"
        "assert(table.concat(n, ' ') == '_G _VERSION assert counter error getmetatable in_nets ipairs "
        "is_local "
        "is_private local_nets log lookup math next notice now on_mail pairs pcall print rawequal rawget "
        "rawlen "
        "rawset select setmetatable string table tonumber tostring type utf8 xpcall', table.concat(n, ' '))");
    mail_runs("assert(getmetatable('') == false and not pcall(setmetatable, '', {}))");
    mail_fails("getmetatable('').__index = nil", "2: attempt to index a boolean value");
    mail_fails("setmetatable({}, {__gc = function() while true do end end})", "2: __gc is not for scripts");
    mail_fails("table.insert(setmetatable({}, {__len = function() return 1 << 60 end}), 1, 1)",
               "2: a table with __len is taken by no function of table");
    mail_fails("string.format('%99999d', 1)", "2: invalid conversion specification: '%99999d'");
    mail_runs("local m = setmetatable({}, {__index = {f = 1}}) assert(m.f == 1) table.insert(m, 5) "
              "assert(m[1] == 5)");
}

/* What of Lua is replaced works as it does in Lua. */
static void replaced_functions(void **state)
{
    (void)state;
    mail_runs(
        "local ok, a, b = pcall(function(x, y) return x, y end, 1, 2) assert(ok and a == 1 and b == 2)\n"
        "local ok, e = pcall(error, {7}) assert(not ok and e[1] == 7)\n"
        "local ok, e = pcall(error) assert(not ok and e == nil)\n"
        "local ok, e = pcall(nil) assert(not ok and e:find('attempt to call'))\n"
        "assert(not pcall(pcall))\n"
        "assert(select('#', pcall(function() end)) == 1)");
    mail_runs("local ok, a, b = xpcall(function(x, y) return x, y end, print, 1, 2) assert(ok and a == 1 and "
              "b == 2)\n"
              "local ok, e, f = xpcall(error, function(m) return m .. '!', 2 end, 'x') assert(not ok and e "
              "== 'x!' and f == 2)\n"
              "assert(not pcall(xpcall, print))");
    mail_runs(
        "local t = {1, 2, 3} table.insert(t, 2, 9) assert(table.concat(t, ',') == '1,9,2,3')\n"
        "assert(table.remove(t, 1) == 1 and table.remove(t) == 3 and #t == 2)\n"
        "table.sort(t) assert(t[1] == 2 and table.unpack(t, 2) == 9)\n"
        "assert(#table.move(t, 1, 2, 3) == 4 and ('ab'):rep(2, '-') == 'ab-ab' and ('x'):rep(-1) == '')\n"
        "assert(tonumber('12') == 12 and tonumber('z', 36) == 35 and tonumber('') == nil and utf8.len('ä') "
        "== 1)");
}

static void prints(void **state)
{
    struct stage st;
    (void)state;
    stage_open(&st, "function on_mail(mail)\nprint('a\\n', 1, nil, mail.subject)\nend");
    stage_mail(&st);
    assert_said(&st.complaints, "0:2: a? 1 nil hello\n");
    assert_int_equal(scripts_counts(st.scripts).errors, 0);
    stage_close(&st);
}

/* Errors of all kinds have a place. */
static void errors_have_a_place(void **state)
{
    (void)state;
    mail_fails("\nerror('x')", "3: x");
    mail_fails("error('x', 0)", "2: x");
    mail_fails("error('x', 2)", "2: x");
    mail_fails("error()", "2: the error is a nil");
    mail_fails("error({})", "2: the error is a table");
    mail_fails("local x = nil + 1", "2: attempt to perform arithmetic on a nil value");
    mail_fails("local x = mail.subject.y.z", "2: attempt to index a nil value (field 'y')");
    mail_fails("string.rep()", "2: bad argument #2 to 'rep' (number expected, got no value)");
    mail_fails("pcall(string.rep) (nil)()", "2: attempt to call a boolean value");
    mail_fails("error('a\\27[31m\\r\\nb')", "2: a?[31m??b");
    mail_fails("error('gr\xc3\xbc\xc3\x9f \xc2\x9b')", "2: gr\xc3\xbc\xc3\x9f ??");
    mail_fails("error('\\xff\\xc3\\xbc')", "2: ???");
}

static void complaints_thin_out(void **state)
{
    struct stage st;
    (void)state;
    stage_open(&st, "function on_mail() error('x') end");
    for (int i = 0; i < 1000; i++)
        stage_mail(&st);
    assert_int_equal(st.complained, 16);
    assert_int_equal(scripts_counts(st.scripts).errors, 1000);
    buf_add_byte(&st.complaints, '\0');
    assert_non_null(strstr((char *)st.complaints.data, "0:1: x (error 512 of this script)\n"));
    buf_clear(&st.complaints);
    stage_close(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endless_loops),
        cmocka_unit_test(endless_loops_in_cover),
        cmocka_unit_test(closing),
        cmocka_unit_test(endless_functions),
        cmocka_unit_test(memory_hogs),
        cmocka_unit_test(memory_comes_back),
        cmocka_unit_test(any_memory),
        cmocka_unit_test(arguments),
        cmocka_unit_test(sandbox),
        cmocka_unit_test(replaced_functions),
        cmocka_unit_test(prints),
        cmocka_unit_test(errors_have_a_place),
        cmocka_unit_test(complaints_thin_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
