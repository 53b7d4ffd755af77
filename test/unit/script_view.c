/* What scripts see: every field, wrong names, tags, the death of views. */
#include "scripts.h"

static void mail_fields(void **state)
{
    (void)state;
    mail_runs(
        "assert(mail.ts == 1000.5 and mail.uid == 'CAbc' and mail.trans_depth == 2)\n"
        "assert(mail['id.orig_h'] == '198.51.100.7' and mail['id.orig_p'] == 40000)\n"
        "assert(mail.orig_h == '198.51.100.7' and mail.orig_p == 40000)\n"
        "assert(mail.resp_h == '192.0.2.25' and mail.resp_p == 25 and mail['id.resp_p'] == 25)\n"
        "assert(mail.helo == 'client' and mail.mailfrom == 'alice@example.org')\n"
        "assert(#mail.rcptto == 2 and mail.rcptto[2] == 'carol@example.net')\n"
        "assert(mail.date == 'today' and mail.from == 'Alice' and mail.to[1] == 'Bob <bob@example.net>')\n"
        "assert(type(mail.cc) == 'table' and #mail.cc == 0)\n"
        "assert(mail.reply_to == 'r@example.org' and mail.msg_id == '<1@a>' and mail.in_reply_to == "
        "'<0@a>')\n"
        "assert(mail.subject == 'hello' and mail.x_originating_ip == '10.1.2.3')\n"
        "assert(mail.first_received == 'from a' and mail.second_received == 'from b')\n"
        "assert(mail.last_reply == '250 ok' and mail.last_error == '450 later')\n"
        "assert(table.concat(mail.path, ' ') == '192.0.2.25 198.51.100.7')\n"
        "assert(mail.received_from_originating_ip == '10.0.0.1' and mail.user_agent == 'Mailer')\n"
        "assert(mail.tls == true and mail.is_webmail == false)\n"
        "local f = mail.files[1]\n"
        "assert(#mail.files == 1 and f.name == 'a.pdf' and f.type == 'application/pdf' and f.size == 2048)\n"
        "assert(#mail.parts == 1 and mail.parts[1].name == nil)\n"
        "local o = mail.origin\n"
        "assert(o.ip == '198.51.100.7' and o.country == 'DE' and o.asn == 64500 and o.as_name == 'Net')\n"
        "assert(mail.flags.gap and not mail.flags.truncated)\n"
        "assert(math.type(mail.trans_depth) == 'integer' and math.type(mail.ts) == 'float')");
}

static void absent_fields(void **state)
{
    struct stage st;
    (void)state;
    stage_open(&st, "function on_mail(m)\n"
                    "assert(m.subject == nil and m.mailfrom == nil and m.origin == nil and m.helo == nil)\n"
                    "assert(#m.rcptto == 0 and #m.files == 0 and #m.path == 0 and next(m.flags) == nil)\n"
                    "local n = {} for k in pairs(m) do n[#n + 1] = k end\n"
                    "assert(table.concat(n, ' ') == 'ts uid id.orig_p id.resp_p trans_depth tls is_webmail', "
                    "table.concat(n, ' '))\n"
                    "end");
    st.mail = (struct transaction){.id.uid = slice_str("C")};
    stage_mail(&st);
    assert_said(&st.complaints, "");
    stage_close(&st);
}

static void all_pairs(void **state)
{
    (void)state;
    mail_runs("mail.tags.x = true\n"
              "local n, last = 0 for k, v in pairs(mail) do n = n + 1 last = k\n"
              "assert(v ~= nil and (type(v) == 'table' or type(v) == 'userdata' or mail[k] == v)) end\n"
              "assert(n == 32 and last == 'flags', n .. last)");
}

static void session_fields(void **state)
{
    struct stage st;
    (void)state;
    stage_open(&st, "function on_session(s)\n"
                    "assert(s.ts == 999.0 and s.duration == 2.5 and s.banner == 'hi' and s.mails == 3)\n"
                    "assert(s.tls_start == 'starttls' and s['end'] == 'fin' and s.last_reply == nil)\n"
                    "assert(s.orig_h == '198.51.100.7' and s.flags.midstream and #s.ehlo_keywords == 0)\n"
                    "assert(not pcall(function() return s.tags end))\n"
                    "assert(now() == 1003)\n"
                    "s.helo = 'x'\n"
                    "end");
    stage_session(&st);
    assert_said(&st.complaints, "0:7: a session is read-only\n");
    stage_close(&st);
}

static void wrong_names(void **state)
{
    (void)state;
    mail_fails("return mail.sunject", "2: no field 'sunject' in mail; the nearest is 'subject'");
    mail_fails("\n\nreturn mail.org_h", "4: no field 'org_h' in mail; the nearest is 'orig_h'");
    mail_fails("mail:send()", "2: no field 'send' in mail; the nearest is 'sender'");
    mail_fails("return mail[1]", "2: a field of a mail has a name, not a number");
    mail_fails("return mail.flags.gsp", "2: no field 'gsp' in flags; the nearest is 'gap'");
    mail_fails("mail.subject = 'x'", "2: a mail is read-only, but for its tags");
    mail_fails("mail.sunject = 'x'", "2: a mail is read-only, but for its tags");
    mail_fails("return mail[('x'):rep(100)]",
               "2: no field 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' in mail");
}

static void tags(void **state)
{
    struct stage st;
    (void)state;
    stage_open(&st,
               "function on_mail(mail)\n"
               "local t = mail.tags\n"
               "assert(#t == 0 and t[1] == nil and t.phish == nil and next(mail.flags))\n"
               "t.phish = true\n"
               "t.phish = true\n"
               "t[#t + 1] = 'two'\n"
               "table.insert(t, 'three')\n"
               "mail.tags['four 4'] = true\n"
               "assert(#t == 4 and t.phish == true and t.two == true and t[4] == 'four 4' and t.x == nil)\n"
               "assert(table.concat(t, ',') == 'phish,two,three,four 4')\n"
               "local n = 0 for k, v in pairs(t) do n = n + 1 assert(t[n] == k and v == true) end\n"
               "assert(n == 4)\n"
               "for i, v in ipairs(t) do n = n - 1 assert(t[i] == v) end\n"
               "assert(n == 0)\n"
               "for _, bad in ipairs{'', ('x'):rep(65), '\\xff'} do\n"
               "assert(not pcall(function() t[bad] = true end)) end\n"
               "assert(not pcall(function() t.phish = false end))\n"
               "assert(not pcall(function() t.phish = nil end))\n"
               "assert(#t == 4)\n"
               "for i = 5, 64 do t['t' .. i] = true end\n"
               "t.late = true\n"
               "end");
    stage_mail(&st);
    assert_said(&st.complaints, "0:21: no room for tag 'late'\n");
    assert_int_equal(st.mail.tags.len, 64);
    assert_true(slice_eq(st.mail.tags.items[3], slice_str("four 4")));
    stage_close(&st);
}

static void views_die(void **state)
{
    struct stage st;
    (void)state;
    stage_open(
        &st,
        "function on_mail(mail)\n"
        "if not kept then kept, tags, step = mail, mail.tags, pairs(mail) rcpt = mail.rcptto return end\n"
        "assert(rcpt[1] == 'bob@example.net' and kept ~= mail)\n"
        "local gone = 'the mail is gone: copy what you need while the event lasts'\n"
        "for _, f in ipairs{function() return kept.subject end, function() return pairs(kept) end,\n"
        "function() kept.x = 1 end, function() return step(nil, nil) end, function() return step(nil, 'ts') "
        "end} do\n"
        "local ok, e = pcall(f) assert(not ok and e:find(gone, 1, true), e) end\n"
        "for _, f in ipairs{function() return #tags end, function() tags.x = true end,\n"
        "function() return tags.x end, function() return tags[1] end, function() return pairs(tags) end} do\n"
        "local ok, e = pcall(f) assert(not ok and e:find('the tags are gone', 1, true), e) end\n"
        "return kept.subject\n"
        "end\n"
        "function on_session(s) return kept.subject end\n"
        "function on_tick() return kept.subject end");
    stage_mail(&st);
    assert_said(&st.complaints, "");
    stage_mail(&st);
    assert_said(&st.complaints, "0:11: the mail is gone: copy what you need while the event lasts\n");
    stage_session(&st);
    assert_said(&st.complaints, "0:13: the mail is gone: copy what you need while the event lasts\n");
    scripts_tick(st.scripts, (struct timespec){1, 0});
    scripts_tick(st.scripts, (struct timespec){2, 0});
    assert_said(&st.complaints, "0:14: the mail is gone: copy what you need while the event lasts\n");
    stage_close(&st);
}

/* Nothing of a view leads to what is behind it. */
static void views_are_closed(void **state)
{
    (void)state;
    mail_runs(
        "assert(getmetatable(mail) == false and getmetatable(mail.tags) == false)\n"
        "assert(getmetatable(counter('c', {expire=1})) == false)\n"
        "assert(not pcall(setmetatable, mail, {}) and not pcall(rawset, mail, 'x', 1) and not pcall(rawget, "
        "mail, 'ts'))\n"
        "local step = pairs(mail)\n"
        "for _, x in ipairs{1, 'x', {}, mail.tags, print} do step(x, nil) assert(not pcall(step, x, {})) "
        "end\n"
        "local c = counter('c', {expire=1})\n"
        "for _, x in ipairs{1, 'x', {}, mail.tags, mail, print} do assert(not pcall(c.add, x, 'k')) end\n"
        "assert(not pcall(setmetatable, mail.flags, {}))");
}

static bool on_tag(void *ctx, uint32_t mail, struct slice tag)
{
    struct stage *st = ctx;
    assert_int_equal(mail, 7);
    return record_tag(&st->mail.tags, &st->mem, tag);
}

static void scenes(void **state)
{
    struct stage st;
    (void)state;
    stage_open(&st,
               "function on_request(scene, command, argument)\n"
               "log('q', {c = command, a = argument, u = scene.uid, h = scene.orig_h, p = scene.resp_p,\n"
               "t = scene.ts, m = scene.mail and scene.mail.subject, n = now()})\n"
               "local n = 0 for k, v in pairs(scene) do n = n + 1 assert(scene[k] == v) end assert(n == 5)\n"
               "if scene.mail then scene.tags.asked = true scene.mail.tags.twice = true assert(#scene.tags "
               "== 2) end\n"
               "kept = kept or scene\n"
               "end\n"
               "function on_reply(scene, code, text, command)\n"
               "log('r', {code = code, text = text, command = command, none = scene.tags == nil})\n"
               "return scene.origh\n"
               "end\n"
               "function on_tick() return kept.uid end");
    struct script_data *data = NULL;
    struct script_scene scene = {&st.mail.id, &st.mail, on_tag, &st};
    struct smtp_event ev = {
        .kind = SMTP_COMMAND, .verb = VERB_RCPT, .mail = 7, .ts = {50, 0}, .text = slice_str("a@b")};
    scripts_event(st.scripts, &data, &scene, &ev);
    scene.mail = NULL;
    ev.mail = 0;
    ev.verb = VERB_QUIT;
    ev.text = (struct slice){0};
    scripts_event(st.scripts, &data, &scene, &ev);
    ev = (struct smtp_event){
        .kind = SMTP_REPLY, .verb = VERB_EHLO, .code = 250, .ts = {51, 0}, .text = slice_str("a\nb")};
    scripts_event(st.scripts, &data, &scene, &ev);
    assert_said(&st.entries,
                "50 q a=\"a@b\" c=\"RCPT\" h=\"198.51.100.7\" m=\"hello\" n=50.000 p=25 t=50.000 u=\"CAbc\"\n"
                "50 q a=\"\" c=\"QUIT\" h=\"198.51.100.7\" n=50.000 p=25 t=50.000 u=\"CAbc\"\n"
                "51 r code=250 command=\"EHLO\" none=true text=\"a b\"\n");
    /* The second begins before the reply is heard. */
    assert_said(&st.complaints, "0:12: the scene is gone: copy what you need while the event lasts\n"
                                "0:10: no field 'origh' in scene; the nearest is 'orig_h'\n");
    assert_int_equal(st.mail.tags.len, 2);
    assert_null(data);
    stage_close(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_fields),    cmocka_unit_test(absent_fields),    cmocka_unit_test(all_pairs),
        cmocka_unit_test(session_fields), cmocka_unit_test(wrong_names),      cmocka_unit_test(tags),
        cmocka_unit_test(views_die),      cmocka_unit_test(views_are_closed), cmocka_unit_test(scenes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
