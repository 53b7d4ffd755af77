/* What scripts say and ask: notices, entries, addresses, counters. */
#include "scripts.h"

static void notices(void **state)
{
    struct stage st;
    (void)state;
    stage_open(&st, "function on_mail(mail)\n"
                    "notice{note = 'Phish::Reply'}\n"
                    "notice{note = 'A::B_2', msg = 'm\\xff', sub = mail.subject, host = '2001:db8::1', "
                    "identifier = 7, suppress_for = 60}\n"
                    "end\n"
                    "function on_session() notice{note = 'S::S', msg = 'x'} end\n"
                    "function on_tick() notice{note = 'T::T', msg = 'tick'} end");
    stage_mail(&st);
    assert_said(&st.complaints, "");
    assert_said(
        &st.notices,
        "1002 note=Phish::Reply msg=Phish::Reply uid=CAbc host=198.51.100.7 mailfrom=alice@example.org "
        "identifier=198.51.100.7 depth=2 for=-1\n"
        "1002 note=A::B_2 msg=m\xef\xbf\xbd sub=hello uid=CAbc host=2001:db8::1 mailfrom=alice@example.org "
        "identifier=7 depth=2 for=60\n");
    stage_session(&st);
    assert_said(&st.notices,
                "1003 note=S::S msg=x uid=CAbc host=198.51.100.7 identifier=198.51.100.7 depth=0 for=-1\n");
    scripts_tick(st.scripts, (struct timespec){1, 0});
    scripts_tick(st.scripts, (struct timespec){2, 0});
    assert_said(&st.notices, "2 note=T::T msg=tick host= identifier=tick depth=0 for=-1\n");
    assert_int_equal(scripts_counts(st.scripts).notices, 4);
    stage_close(&st);
}

static void notice_faults(void **state)
{
    (void)state;
    mail_fails("notice()", "2: bad argument #1 to 'notice' (table expected, got no value)");
    mail_fails("notice{}", "2: a notice has a note of the form 'Word::Word'");
    mail_fails("notice{note = 'Phish'}", "2: a notice has a note of the form 'Word::Word'");
    mail_fails("notice{note = '::B'}", "2: a notice has a note of the form 'Word::Word'");
    mail_fails("notice{note = 'A::B::C'}", "2: a notice has a note of the form 'Word::Word'");
    mail_fails("notice{note = 'A::B', mgs = 'x'}", "2: no field of a notice 'mgs'; the nearest is 'msg'");
    mail_fails("notice{note = 'A::B', host = 'localhost'}", "2: host is no address");
    mail_fails("notice{note = 'A::B', suppress_for = -1}", "2: suppress_for is a number of seconds");
    mail_fails("notice{note = 'A::B', msg = {}}", "2: msg is a text, not a table");
    mail_fails("notice{note = 'A::B', 'x'}", "2: no field of a notice 'number'; the nearest is 'note'");
}

static void verdict(const char *body, bool decided, unsigned actions, const char *complaint)
{
    struct stage st;
    char text[1000];
    const struct notice n = {.ts = {5, 0}, .note = slice_str("A::B"), .msg = slice_str("m"), .code = 550};
    unsigned got = 99;
    snprintf(text, sizeof text, "function on_notice(n) %s end", body);
    stage_open(&st, text);
    assert_int_equal(scripts_notice(st.scripts, &n, &got), decided);
    assert_said(&st.complaints, complaint);
    assert_int_equal(got, decided ? actions : 99);
    stage_close(&st);
}

static void verdicts(void **state)
{
    (void)state;
    verdict("", false, 0, "");
    verdict("return nil", false, 0, "");
    verdict("return 'drop'", true, ACTION_DROP, "");
    verdict("return {}", true, ACTION_DROP, "");
    verdict("return {'log', 'email', 'webhook'}", true, ACTION_LOG | ACTION_EMAIL | ACTION_WEBHOOK, "");
    verdict("if n.note == 'A::B' and n.msg == 'm' and n.code == 550 and n.asn == nil and n.orig_p == nil "
            "then return 'log' end",
            true, ACTION_LOG, "");
    verdict("return 'emial'", false, 0, "0:1: no action 'emial'; the nearest is 'email'\n");
    verdict("return {'log', 'dorp'}", false, 0, "0:1: no action 'dorp'; the nearest is 'drop'\n");
    verdict("return true", false, 0, "0:1: on_notice gives nil, a word or a list of words, not a boolean\n");
    verdict("return n.noet", false, 0, "0:1: no field 'noet' in notice; the nearest is 'note'\n");
    verdict("notice{note = 'A::B'}", false, 0, "0:1: on_notice cannot raise a notice\n");
}

/* A notice is heard amid the hook that raised it: by its own script and by others; each has its own views
 * and budget. */
static void notices_amid_hooks(void **state)
{
    static const char *const texts[] = {
        "function on_mail(m) mine = m notice{note = 'A::B', msg = 'x'} m.tags.after = true assert(m.subject "
        "== 'hello') end\n"
        "function on_notice(n) log('first', {msg = n.msg, alive = pcall(function() return mine.subject "
        "end)}) seen = n\n"
        "if n.msg == 'y' then while true do end end end\n"
        "function on_session() notice{note = 'A::B', msg = 'y'} log('after', {}) return seen.msg end",
        "function on_notice(n) log('second', {uid = n.uid}) return {'email'} end"};
    struct stage st;
    struct error err = {""};
    (void)state;
    stage_init(&st);
    assert_int_equal(stage_try(&st, texts, 2, &err), 0);
    stage_mail(&st);
    assert_said(&st.complaints, "");
    assert_said(&st.entries, "1002 first alive=false msg=\"x\"\n1002 second uid=\"CAbc\"\n");
    assert_said(&st.notices, "1002 note=A::B msg=x uid=CAbc host=198.51.100.7 mailfrom=alice@example.org "
                             "identifier=198.51.100.7 depth=2 for=-1 actions=2\n");
    assert_int_equal(st.mail.tags.len, 1);
    stage_session(&st);
    assert_said(&st.complaints, "0:3: stopped after 1000000 steps\n"
                                "0:4: the notice is gone: copy what you need while the event lasts\n");
    assert_said(&st.entries, "1003 first alive=false msg=\"y\"\n1003 second uid=\"CAbc\"\n1003 after\n");
    stage_close(&st);
}

static void entries(void **state)
{
    struct stage st;
    (void)state;
    stage_open(&st, "function on_mail(mail)\n"
                    "mail.tags.a = true mail.tags.bb = true\n"
                    "log('my_log', {b = 1, a = 'x', c = 1.5, d = true, e = {'p', 'q\\xff'}, f = mail.tags, "
                    "['g.h'] = {},\n"
                    "i = '\\xff', j = mail.rcptto, k = false, A = -1})\n"
                    "log('my_log', {})\n"
                    "end");
    stage_mail(&st);
    assert_said(&st.complaints, "");
    assert_said(&st.entries,
                "1002 my_log A=-1 a=\"x\" b=1 c=1.500 d=true e=[p,q\xef\xbf\xbd] f=[a,bb] g.h=[] "
                "i=\"\xef\xbf\xbd\" j=[bob@example.net,carol@example.net] k=false\n"
                "1002 my_log\n");
    assert_int_equal(scripts_counts(st.scripts).entries, 2);
    stage_close(&st);
}

static void entry_faults(void **state)
{
#define STREAM_FAULT                                                                                         \
    "2: no stream can have that name: small letters, digits and '_', a letter first, up to 40, and none of " \
    "mailtap's own"
#define KEY_FAULT "2: no field can have that name: letters, digits, '_' and '.', up to 64, not ts or _path"
    (void)state;
    mail_fails("log('smtp', {})", STREAM_FAULT);
    mail_fails("log('../x', {})", STREAM_FAULT);
    mail_fails("log('x')", "2: bad argument #2 to 'log' (table expected, got no value)");
    mail_fails("log('x', {ts = 1})", KEY_FAULT);
    mail_fails("log('x', {_path = 1})", KEY_FAULT);
    mail_fails("log('x', {['a b'] = 1})", KEY_FAULT);
    mail_fails("log('x', {['a\\0'] = 1})", KEY_FAULT);
    mail_fails("log('x', {[''] = 1})", KEY_FAULT);
    mail_fails("log('x', {1})", "2: the name of a field is a text, not a number");
    mail_fails("log('x', {a = print})",
               "2: a field is a text, a number, a boolean or a list of texts, not a function");
    mail_fails("log('x', {a = mail})",
               "2: a field is a text, a number, a boolean or a list of texts, not a userdata");
    mail_fails("log('x', {a = {1}})", "2: a list has texts, not a number");
    mail_fails("log('x', {a = 0/0})", "2: a number of an entry is finite");
    mail_fails("local t = {} for i = 1, 65 do t['k' .. i] = i end log('x', t)",
               "2: an entry has up to 64 fields");
    mail_fails("for i = 1, 17 do log('x' .. i, {}) end", "2: more than 16 streams");
    mail_fails("local t = {} for i = 1, 1001 do t[i] = 'x' end log('x', {t = t})",
               "2: a list has up to 1000 texts");
    mail_fails("log('x', {t = ('\\xff'):rep(1000000)})", "2: the entry is too large");
}

static void addresses(void **state)
{
    (void)state;
    mail_runs("assert(lookup('192.0.2.1') == nil and lookup('x') == nil and lookup(nil) == nil)\n"
              "assert(table.concat(local_nets, ' ') == '10.0.0.0/8 2001:db8::/32')\n"
              "assert(is_local('10.1.2.3') and is_local('2001:db8::5') and not is_local('11.1.2.3') and not "
              "is_local('x'))\n"
              "assert(not is_local(nil) and not is_private(nil) and not in_nets(nil, '10.0.0.0/8'))\n"
              "assert(is_private('192.168.1.1') and not is_private('192.0.2.1') and not is_private(''))\n"
              "assert(in_nets('10.1.2.3', '10.0.0.0/8') and not in_nets('11.1.2.3', '10.0.0.0/8'))\n"
              "assert(in_nets('192.0.2.7', {'10.0.0.0/8', '192.0.2.7'}) and not in_nets('192.0.2.8', "
              "{'10.0.0.0/8', '192.0.2.7'}))\n"
              "assert(in_nets('10.1.2.3', local_nets) and in_nets(mail.x_originating_ip, local_nets))\n"
              "assert(not in_nets('10.1.2.3', {}) and not in_nets('no address', local_nets))\n"
              "for round = 1, 2 do for i = 0, 1500 do\n"
              "local ip = '10.7.' .. i // 256 .. '.' .. i % 256\n"
              "assert(in_nets(ip, ip) and not in_nets('10.8.0.0', ip)) end end\n"
              "local many = {} for i = 1, 1100 do many[i] = '10.7.' .. i // 256 .. '.' .. i % 256 end\n"
              "assert(in_nets('10.7.4.76', many) and not in_nets('10.8.0.0', many))");
    mail_fails("in_nets('10.1.2.3', '10.0.0.0/99')", "2: '10.0.0.0/99' is no network");
    mail_fails("in_nets('10.1.2.3', {'10.0.0.0/8x'})", "2: '10.0.0.0/8x' is no network");
    mail_fails("in_nets('10.1.2.3', {{}})", "2: a network is a text, not a table");
    mail_fails("in_nets('10.1.2.3')", "2: bad argument #2 to 'in_nets' (table expected, got nil)");
}

static void counters_of_scripts(void **state)
{
    static const char *const texts[] = {
        "c = counter('rate', {expire = 10})\n"
        "function on_mail(m) log('n', {n = c:add(m.orig_h), two = c:add('k', 5), get = c:get('k'), none = "
        "c:get('none')}) end\n"
        "function on_session() for k, v in c:each() do log('e', {k = k, v = v}) end c:reset('k') "
        "assert(c:get('k') == 0) end",
        "function on_mail(m) log('other', {n = counter('rate'):get(m.orig_h)}) end"};
    struct stage st;
    struct error err = {""};
    (void)state;
    stage_init(&st);
    assert_int_equal(stage_try(&st, texts, 2, &err), 0);
    stage_mail(&st);
    assert_said(&st.entries, "1002 n get=5 n=1 none=0 two=5\n1002 other n=1\n");
    stage_mail(&st);
    assert_said(&st.entries, "1002 n get=10 n=2 none=0 two=10\n1002 other n=2\n");
    stage_session(&st);
    assert_said(&st.entries, "1003 e k=\"198.51.100.7\" v=2\n1003 e k=\"k\" v=10\n");
    scripts_tick(st.scripts, (struct timespec){1011, 999999999});
    stage_mail(&st);
    assert_said(&st.entries, "1002 n get=5 n=3 none=0 two=5\n1002 other n=3\n");
    scripts_tick(st.scripts, (struct timespec){1012, 0});
    stage_mail(&st);
    assert_said(&st.entries, "1002 n get=10 n=1 none=0 two=10\n1002 other n=1\n");
    assert_said(&st.complaints, "");
    stage_close(&st);
}

static void counter_faults(void **state)
{
    (void)state;
    mail_fails("counter('c')", "2: counter 'c' is new: it needs {expire=SECONDS}");
    mail_fails("counter('c', {})", "2: a counter has expire=SECONDS, more than 0");
    mail_fails("counter('c', {expire = -1})", "2: a counter has expire=SECONDS, more than 0");
    mail_fails("counter('', {expire = 1})",
               "2: a counter has a name of 1 to 64 bytes, and expires within 100 years");
    mail_fails("counter('c', {expire = 1}) counter('c', {expire = 2})",
               "2: counter 'c' has another expire elsewhere");
    mail_fails("counter('c', {expire = 1}):add()",
               "2: bad argument #1 to 'add' (string expected, got no value)");
    mail_fails("counter('c', {expire = 1}):add('k', 'x')",
               "2: bad argument #2 to 'add' (number expected, got string)");
    mail_fails("counter('c', {expire = 1}).add(1, 'k')",
               "2: bad argument #1 to 'add' (counter expected, got number)");
    mail_fails("for i = 1, 257 do counter('c' .. i, {expire = 1}) end", "2: more than 256 counters");
}

/* What one call took, the next has again. */
static void many_in_a_row(void **state)
{
    struct stage st;
    (void)state;
    stage_open(&st, "function on_mail(m) local text = ('\\xff'):rep(300)\n"
                    "for i = 1, 64 do m.tags[('t'):rep(60) .. i] = true end\n"
                    "for i = 1, 100 do log('x', {a = text, t = m.tags}) end end\n"
                    "function on_session() local text = ('\\xff'):rep(3000)\n"
                    "for i = 1, 500 do notice{note = 'A::B', msg = text} end end");
    stage_mail(&st);
    assert_said(&st.complaints, "");
    for (int i = 1; i <= 64; i++) {
        char tag[80];
        memset(tag, 't', 60);
        snprintf(tag + 60, sizeof tag - 60, "%d%s", i, i < 64 ? "," : "]");
        assert_non_null(memmem(st.entries.data, st.entries.len, tag, strlen(tag)));
    }
    stage_session(&st);
    assert_said(&st.complaints, "");
    assert_int_equal(scripts_counts(st.scripts).notices, 500);
    stage_close(&st);
}

static void what_is_kept_is_bounded(void **state)
{
    const char *text =
        "function on_mail(m) local c = counter('c', {expire = 9}) for i = 1, 300 do c:add(i) end end\n"
        "function on_session() for i = 1, 9000 do in_nets('', '10.' .. i % 256 .. '.' .. i // 256 .. '.0') "
        "end end";
    struct stage st;
    struct error err = {""};
    (void)state;
    stage_init(&st);
    st.memory = 500000;
    assert_int_equal(stage_try(&st, &text, 1, &err), 0);
    stage_mail(&st);
    assert_int_equal(scripts_counts(st.scripts).counters_shed, 200);
    for (int i = 0; i < 3; i++)
        stage_session(&st);
    assert_said(&st.complaints, "");
    stage_close(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_in_a_row),  cmocka_unit_test(what_is_kept_is_bounded),
        cmocka_unit_test(notices),        cmocka_unit_test(notice_faults),
        cmocka_unit_test(verdicts),       cmocka_unit_test(notices_amid_hooks),
        cmocka_unit_test(entries),        cmocka_unit_test(entry_faults),
        cmocka_unit_test(addresses),      cmocka_unit_test(counters_of_scripts),
        cmocka_unit_test(counter_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
