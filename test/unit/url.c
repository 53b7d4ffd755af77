/* URLs: where texts have them, which hosts they lead to, and what is wrapped in them. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mail/url.h"

enum { MOST = 200 };

static void note(void *ctx, const struct url_event *ev)
{
    struct buf *out = ctx;
    buf_add_str(out, ev->kind == URL_LABEL ? "label:" : ev->source == URL_OF_HTML ? "html:" : "text:");
    buf_add(out, ev->text);
    buf_add_str(out, ev->cut ? "...|" : "|");
}

/* Feeds copies of exactly their size, so that a sanitizer sees what is read beyond them. */
static void feed(struct url_html *h, bool html, struct slice in)
{
    uint8_t *copy = malloc(in.len ? in.len : 1);
    assert_non_null(copy);
    memcpy(copy, in.data, in.len);
    in.data = copy;
    if (html)
        url_html_feed(h, in);
    else
        url_text_feed(&h->text, in);
    free(copy);
}

/* Cut at `cut`, or byte by byte where that is 0. */
static void run(bool html, struct slice in, size_t cut, struct buf *out)
{
    struct url_html h;
    buf_clear(out);
    url_html_init(&h, MOST, note, out);
    if (cut)
        feed(&h, html, slice_sub(in, 0, cut));
    for (size_t i = cut; i < in.len; i += cut ? in.len : 1)
        feed(&h, html, slice_sub(in, i, cut ? in.len : i + 1));
    if (html)
        url_html_end(&h);
    else
        url_text_end(&h.text);
    url_html_free(&h);
}

static void finds_at_every_cut(bool html, const char *text, const char *want)
{
    struct buf got;
    struct slice in = slice_str(text);
    buf_init(&got, 1 << 16);
    for (size_t cut = 0; cut <= in.len; cut++) {
        run(html, in, cut, &got);
        buf_add_byte(&got, 0);
        if (strcmp((char *)got.data, want) != 0)
            print_message("cut %zu of %s\n", cut, text);
        assert_string_equal((char *)got.data, want);
    }
    buf_free(&got);
}

static void text(const char *text, const char *want)
{
    finds_at_every_cut(false, text, want);
}

static void html(const char *text, const char *want)
{
    finds_at_every_cut(true, text, want);
}

static void plain(void **state)
{
    (void)state;
    text("", "");
    text("no link here: neither // nor ww. nor http:/x", "");
    text("http://a.example", "text:http://a.example|");
    text("See https://a.example/x?y=1&z=2#f, or FTP://b.example/.",
         "text:https://a.example/x?y=1&z=2#f|text:FTP://b.example/|");
    text("<URL:http://a.example/>; <https://b.example>", "text:http://a.example/|text:https://b.example|");
    text("(http://a.example/x_(y)) [http://b.example] {http://c.example}",
         "text:http://a.example/x_(y)|text:http://b.example|text:http://c.example|");
    text("\"http://a.example/\" 'http://b.example/' `http://c.example`",
         "text:http://a.example/|text:http://b.example/|text:http://c.example|");
    text("www.a.example WWW.b.example/x, xwww.c.example me@www.d.example wwww.e.example www.",
         "text:www.a.example|text:WWW.b.example/x|");
    text("sftp://a.example hxxp://b.example linkhttp://c.example", "text:http://c.example|");
    text("http://[2001:db8::1]:8080/x] [t](http://b.example/y)",
         "text:http://[2001:db8::1]:8080/x|text:http://b.example/y|");
    text("http://a.example/\r\nhttp://b.example/\n", "text:http://a.example/|text:http://b.example/|");
    text("http://a.example!? http://b.example/'s http://c.example**",
         "text:http://a.example|text:http://b.example/'s|text:http://c.example|");
    /* Blanks, quotes and full stops of other scripts. */
    text("http://a.example\xc2\xa0x \xe2\x80\x9chttp://b.example/\xe2\x80\x9d "
         "http://c.example/\xe6\x9f\xa5\xe3\x80\x82",
         "text:http://a.example|text:http://b.example/|text:http://c.example/\xe6\x9f\xa5|");
    text("wwwww.wwww www.www.example //////// http:///x", "text:www.www.example|text:http:///x|");
    /* Far from the beginning, where many bytes are looked at at once. */
    text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa https://a.example "
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa www.b.example",
         "text:https://a.example|text:www.b.example|");
}

static void limits(void **state)
{
    (void)state;
    char in[MOST * 2 + 8], want[MOST * 2 + 32];
    memset(in, 'a', sizeof in);
    memcpy(in, "http://", 7);
    memcpy(in + MOST + 40, " www.b.example", 15);
    snprintf(want, sizeof want, "text:%.*s...|text:www.b.example|", MOST, in);
    text(in, want);
    char page[sizeof in + 32], shown[sizeof want];
    snprintf(page, sizeof page, "<a href='%.*s'>", MOST + 1, in);
    snprintf(shown, sizeof shown, "html:%.*s...|", MOST, in);
    html(page, shown);
}

static void attributes(void **state)
{
    (void)state;
    html("<a href=\"http://a.example/?x=1&amp;y=2&copy=3\">x</a>", "html:http://a.example/?x=1&y=2&copy=3|");
    html("<A HREF = http://a.example/x/>x</A><img src='https://b.example/p.png'/>",
         "html:http://a.example/x/|html:https://b.example/p.png|");
    html("<a href=' ht\ntp:\t//a.exam\r\nple/a b '>", "html:http://a.example/a b|");
    html("<a "
         "href='&#104;t&#x74;p&colon;&sol;&#x2F;a&period;example&#"
         "000000000000000000000000000000000000000000047;'>",
         "html:http://a.example/|");
    html("<a href='//a.example/x'><a href='/x'><a href='mailto:a@b.example'><a "
         "href='javascript:x(\"http://c.example\")'><a href=''>",
         "html://a.example/x|");
    html("<form action=http://a.example/f><td background=http://b.example/b><video poster=http://c.example/c>"
         "<button formaction=http://d.example/d><object data=http://e.example/e>",
         "html:http://a.example/f|html:http://b.example/b|html:http://c.example/c|html:http://d.example/"
         "d|html:http://e.example/e|");
    html("<img srcset='https://a.example/1 1x, https://b.example/2 2x'>",
         "html:https://a.example/1|html:https://b.example/2|");
    html("<meta http-equiv=refresh content=\"0; URL='http://a.example/'\">", "html:http://a.example/|");
    html("<p style=\"background:url(&quot;http://a.example/b.png&quot;)\">", "html:http://a.example/b.png|");
    html("<p style=x:url(http://a.example/?b&ampc=1)>", "html:http://a.example/?b&ampc=1|");
    html("<style>@import url(http://a.example/s.css); p { x: 'https://b.example' }</style>http://c.example",
         "html:http://a.example/s.css|html:https://b.example|text:http://c.example|");
    html("<script>location = \"http://a.example/\" + '</b>' + \"http://b.example/?x&amp;\"</script "
         ">www.c.example",
         "html:http://a.example/|html:http://b.example/?x&amp;|text:www.c.example|");
    html("<html xmlns='http://a.example'><!DOCTYPE x \"http://b.example\"><a title='http://c.example' "
         "data-x=http://d.example>",
         "");
    html("<img src=\"data:image/png;base64,http://a.example\"><img src=http://b.example/",
         "html:http://b.example/|");
    html("<a x=\"1\"href=\"http://a.example\"y><a =href=http://b.example><a / href='http://c.example'/>",
         "html:http://a.example|html:http://c.example|");
}

static void page(void **state)
{
    (void)state;
    html("<p>See http&#58;//a.example/x&amp;y&nbsp;and<b>www.b.example</b>www.c.example<br>",
         "text:http://a.example/x&y|text:www.b.example|text:www.c.example|");
    html("<!-- http://a.example <a href=http://b.example> "
         "-->http://c.example<!-->http://d.example<!--->x--><a href=http://e.example>",
         "text:http://c.example|text:http://d.example|html:http://e.example|");
    html("<!--[if mso]><a href='http://a.example'>x</a><![endif]--><!--[if !mso]><!--><a "
         "href='http://b.example'></a><!--<![endif]-->",
         "html:http://a.example|html:http://b.example|");
    html("a < b http://a.example <3 </ www.b.example", "text:http://a.example|text:www.b.example|");
    html("&lt;http://a.example&gt; &unknown;http://b.example/&eacute; &",
         "text:http://a.example|text:http://b.example/&eacute|");
    html("<?xml http://a.example?><title>http://b.example</title>", "text:http://b.example|");
}

static void labels(void **state)
{
    (void)state;
    html("<a href='http://a.example'> https://bank.example\n <b>/login</b> </a>http://c.example",
         "html:http://a.example|label:https://bank.example /login|text:http://c.example|");
    html("<a href='http://a.example'>click here</a><a name=x>b.example</a>", "html:http://a.example|");
    html("<a href='http://a.example'>b.example<a href='http://c.example'>d.example",
         "html:http://a.example|label:b.example|html:http://c.example|label:d.example|");
    html("<a href='http://a.example'><img src='http://p.example/1'>b&period;example</a>",
         "html:http://a.example|html:http://p.example/1|label:b.example|");
}

/* What one text leaves open is not told with another. */
static void again(void **state)
{
    static const char *const open[] = {"http://a.exam",
                                       "<a href='http://a.exam",
                                       "<a href='http://a.example'>bank.exam",
                                       "<!-- ",
                                       "<script>x",
                                       "&#x68",
                                       "www"};
    struct buf got;
    (void)state;
    buf_init(&got, 1 << 16);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        struct url_html h;
        url_html_init(&h, MOST, note, &got);
        feed(&h, true, slice_str(open[i]));
        buf_clear(&got);
        url_html_begin(&h);
        feed(&h, true, slice_str("ple.example/ http://b.example"));
        url_html_end(&h);
        url_html_free(&h);
        buf_add_byte(&got, 0);
        assert_string_equal((char *)got.data, "text:http://b.example|");
    }
    buf_free(&got);
}

static void host(const char *url, const char *want)
{
    struct buf ascii, unicode, got;
    buf_init(&ascii, 4096);
    buf_init(&unicode, 4096);
    buf_init(&got, 8192);
    if (!url_host(slice_str(url), &ascii, &unicode))
        buf_add_str(&got, "none");
    buf_add(&got, buf_slice(&ascii));
    if (unicode.len)
        buf_add_byte(&got, ' ');
    buf_add(&got, buf_slice(&unicode));
    buf_add_byte(&got, 0);
    if (strcmp((char *)got.data, want) != 0)
        print_message("%s\n", url);
    assert_string_equal((char *)got.data, want);
    buf_free(&ascii);
    buf_free(&unicode);
    buf_free(&got);
}

static void hosts(void **state)
{
    (void)state;
    host("http://A.Example:80/x", "a.example");
    host("https://user:pw@a.example@b.example./", "b.example");
    host("HTTP:\\\\a.example\\x@c.example", "a.example");
    host("https:a.example?@b.example", "a.example");
    host("//a.example#@b.example", "a.example");
    host("http://%61%2eexample/%62", "a.example");
    host("www.a.example/x", "www.a.example");
    host("www.example", "none");
    host("http://localhost", "localhost");
    host("http://a_b.example", "a_b.example");
    host("http://3232235777/", "192.168.1.1");
    host("http://0xC0A80101", "192.168.1.1");
    host("http://0300.0250.0x1.1:8/", "192.168.1.1");
    host("http://127.1", "127.0.0.1");
    host("http://1.2.3.4.", "1.2.3.4");
    host("http://1.2.3.256", "none");
    host("http://1.2.3.4.5", "none");
    host("http://4294967296", "none");
    host("http://256.1", "none");
    host("http://08.1", "none");
    host("http://a.0x", "none");
    host("http://[2001:DB8:0::1]:80/", "2001:db8::1");
    host("http://[::ffff:192.0.2.1]", "192.0.2.1");
    host("http://[::1", "none");
    host("http://[]", "none");
    host("http://b\xc3\xbc"
         "cher.example/",
         "xn--bcher-kva.example b\xc3\xbc"
         "cher.example");
    host("http://B%C3%9Ccher.example/", "xn--bcher-kva.example b\xc3\xbc"
                                        "cher.example");
    host("http://xn--bcher-kva.example/", "xn--bcher-kva.example b\xc3\xbc"
                                          "cher.example");
    host("http://xn--a-\xe4.example/", " xn--a-\xc3\xa4.example");
    host("http://xn--0000000000.example/", "xn--0000000000.example");
    host("http://\xef\xbd\x81\xe3\x80\x82"
         "example/",
         "a.example");
    host("http://", "none");
    host("http:///", "none");
    host("http://.", "none");
    host("http://a..b/", "none");
    host("http://{{domain}}/", "none");
    host("http://a b/", "none");
    host("http://a%00b/", "none");
    host("http://%zz/", "none");
}

static void unwraps(const char *url, const char *want)
{
    struct buf got;
    buf_init(&got, 4096);
    bool any = url_unwrap(slice_str(url), &got);
    assert_true(any || !got.len);
    buf_add_byte(&got, 0);
    if (strcmp((char *)got.data, want) != 0)
        print_message("%s\n", url);
    assert_string_equal((char *)got.data, want);
    buf_free(&got);
}

static void wrapped(void **state)
{
    (void)state;
    unwraps("https://nam02.safelinks.protection.outlook.com/"
            "?url=https%3A%2F%2Fa.example%2Fx%3Fy%3D1&data=05%7C02&sdata=z&reserved=0",
            "https://a.example/x?y=1");
    unwraps("https://urldefense.proofpoint.com/v1/url?u=http://www.bouncycastle.org/"
            "&k=oIvRg1%2BdGAgOoM1BIlLLqw%3D%3D%0A",
            "http://www.bouncycastle.org/");
    unwraps("https://urldefense.proofpoint.com/v2/"
            "url?u=https-3A__media.mnn.com_assets_images_2016_06_jupiter-2Dnasa.jpg.638x0-5Fq80-5Fcrop-"
            "2Dsmart.jpg&d=DwMBaQ&c=x",
            "https://media.mnn.com/assets/images/2016/06/jupiter-nasa.jpg.638x0_q80_crop-smart.jpg");
    unwraps("https://urldefense.com/v3/__https://google.com:443/"
            "search?q=a*test&gs=ps__;Kw!-612Flbf0JvQ3kNJkRi5Jg!Ue6tQudNKaShHg93trcdjqDP8se2ySE65jyCIe2K1D_"
            "uNjZ1Lnf6YLQERujngZv9UWf66ujQIQ$",
            "https://google.com:443/search?q=a+test&gs=ps");
    unwraps("https://urldefense.com/v3/__https:/a.example/**B**A*x__;w6TDtsO8MTI_!!abc$",
            "https://a.example/\xc3\xa4\xc3\xb6\xc3\xbc"
            "12?x");
    unwraps("https://urldefense.com/v3/__https://a.example/"
            "**a-**0-**-__;"
            "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5"
            "eXl5eXl5eXl5eXp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6"
            "eno=!!abc$",
            "https://a.example/"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxx-yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy-"
            "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
    unwraps("https://urldefense.com/v3/__https://a.example/*__;", "https://a.example/");
    unwraps("https://urldefense.com/v3/__https://a.example/", "");
    unwraps("https://www.google.com/url?q=https://a.example/x&sa=D", "https://a.example/x");
    unwraps("http://google.co.uk/url?sa=t&url=http%3A%2F%2Fa.example%2F", "http://a.example/");
    unwraps("https://www.google.com/search?q=http://a.example", "");
    unwraps("https://evilgoogle.com/url?q=https://a.example", "");
    unwraps("https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fa.example&c=E,1,x&typo=1",
            "https://a.example");
    unwraps("https://secure-web.cisco.com/1abcDEF-x_y/https%3A%2F%2Fa.example%2Fp%3Fq",
            "https://a.example/p?q");
    unwraps("https://imsva91-ctp.trendmicro.com:443/wis/clicktime/v1/query?url=http%3a%2f%2fa.example&umid=1",
            "http://a.example");
    unwraps("https://www.linkedin.com/redir/redirect?url=https%3A%2F%2Fa.example&urlhash=x",
            "https://a.example");
    unwraps("https://l.facebook.com/l.php?u=https%3A%2F%2Fa.example%2F&h=x", "https://a.example/");
    unwraps("https://eu1.protection.sophos.com/?d=a.example&u=aHR0cHM6Ly9hLmV4YW1wbGUv&p=m",
            "https://a.example/");
    unwraps("https://www.bing.com/ck/a?!&&p=1&u=a1aHR0cHM6Ly9hLmV4YW1wbGUv&ntb=1", "https://a.example/");
    unwraps("https://protect.checkpoint.com/v2/___https://a.example/x___.YXAx", "https://a.example/x");
    unwraps("https://protect-us.mimecast.com/s/abc?domain=a.example", "");
    unwraps("https://notsafelinks.protection.outlook.com.evil.example/?url=http://a.example", "");
    /* In each other. */
    unwraps("https://x.safelinks.protection.outlook.com/"
            "?url=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%253A%252F%252Fa.example",
            "https://a.example");
}

static void other(const char *label, const char *host, const char *inner, bool want)
{
    struct buf a, u;
    buf_init(&a, 4096);
    buf_init(&u, 4096);
    bool got = url_label_other(slice_str(label), slice_str(host), slice_str(inner), &a, &u);
    if (got != want)
        print_message("%s -> %s\n", label, host);
    assert_int_equal(got, want);
    buf_free(&a);
    buf_free(&u);
}

static void others(void **state)
{
    (void)state;
    other("https://bank.com/login", "evil.example", "", true);
    other("Go to WWW.bank.com now", "evil.example", "", true);
    other("bank.com", "evil.example", "", true);
    other("bank.com/x", "evil.example", "", true);
    other("bank.com", "www.bank.com", "", false);
    other("www.bank.com", "click.bank.com", "", false);
    other("www.bank.co.uk", "www.evil.co.uk", "", true);
    other("www.bank.co.uk", "x.bank.co.uk", "", false);
    other("http://bank.com", "x.safelinks.protection.outlook.com", "bank.com", false);
    other("http://bank.com", "x.safelinks.protection.outlook.com", "evil.example", true);
    other("http://192.0.2.1", "198.51.2.1", "", true);
    other("report.pdf", "evil.example", "", false);
    other("me@bank.com", "evil.example", "", false);
    other("Visit bank.com today", "evil.example", "", false);
    other("http://", "evil.example", "", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain), cmocka_unit_test(limits),  cmocka_unit_test(attributes),
        cmocka_unit_test(page),  cmocka_unit_test(labels),  cmocka_unit_test(again),
        cmocka_unit_test(hosts), cmocka_unit_test(wrapped), cmocka_unit_test(others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
