/* Countries out of libloc databases: made by hand, whole and damaged, and Debian's where it is installed. */
#include "country_file_maker.h"
#include <fcntl.h>

static void make_loc(struct buf *out)
{
    static const char pool[] = "\0Example Net\0Other";
    struct buf networks, systems;
    tree_begin(6);
    loc_net("190.0.0.0/8", 0);
    loc_net("190.18.2.1/32", 1);
    loc_net("2a00:db8:1::/48", 2);
    loc_net("2a00:db8:1::5/128", 3);
    buf_init(&networks, 1 << 16);
    buf_init(&systems, 1 << 16);
    static const char *const codes[] = {"CN", "RU", "NL", "XD"};
    static const uint32_t numbers[] = {64500, 64999, 64510, 0};
    for (size_t i = 0; i < 4; i++) {
        buf_add_str(&networks, codes[i]);
        be(&networks, 0, 2); /* where C aligns the number */
        be(&networks, numbers[i], 4);
        be(&networks, 0, 4);
    }
    be(&systems, 64500, 4);
    be(&systems, 1, 4);
    be(&systems, 64510, 4);
    be(&systems, 13, 4);
    loc_finish(out, buf_slice(&networks), buf_slice(&systems),
               (struct slice){(const uint8_t *)pool, sizeof pool});
    buf_free(&networks);
    buf_free(&systems);
}

/* File descriptors that programs started later would inherit. */
static size_t inherited(void)
{
    size_t open = 0;
    for (int fd = 0; fd < 100; fd++) {
        int flags = fcntl(fd, F_GETFD);
        open += flags >= 0 && !(flags & FD_CLOEXEC);
    }
    return open;
}

static void libloc_made_by_hand(void **state)
{
    struct buf out;
    (void)state;
    make_loc(&out);
    save("loc.db", buf_slice(&out));
    size_t before = inherited();
    struct countries *cs = open_two("loc.db", NULL);
    assert_int_equal(inherited(), before);
    assert_non_null(strstr(countries_describe(cs), "loc.db (libloc, 2025-08-18)"));
    for (int again = 0; again < 2; again++) {
        check(cs, "190.19.1.1", "CN 64500 Example Net");
        check(cs, "190.18.2.1", "RU 64999");
        check(cs, "190.18.2.2", "CN 64500 Example Net");
        check(cs, "2a00:db8:1::4", "NL 64510 Other");
        check(cs, "2a00:db8:1::5", "");
        check(cs, "2a00:db8:2::5", "");
        check(cs, "8.8.8.8", "");
    }
    assert_int_equal(countries_failed(cs), 0);
    countries_close(&cs);
    tree_begin(4);
    FLAT("190.18.2.0/24", "country_code", "US");
    save_mmdb("a.mmdb", 24);
    cs = open_two("a.mmdb", "loc.db");
    check(cs, "190.18.2.2", "US 64500 Example Net");
    countries_close(&cs);
    buf_free(&out);
}

/* Four bytes, the highest first, over what is there. */
static void put_number(struct buf *b, size_t at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        b->data[at + i] = (uint8_t)(value >> 8 * (3 - i));
}

/* A tree is so large that only the ways that are gone are checked. */
static void damaged_tree(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
    } rows[] = {{LOC_TREE + 5 * 12, 2},      /* a circle */
                {LOC_TREE + 5 * 12, 5},      /* its own child */
                {LOC_TREE, 0x7fffffff},      /* a child behind the tree */
                {LOC_TREE + 5 * 12 + 8, 4}}; /* a network behind the list */
    static const char *const asked[] = {"190.18.2.2", "190.18.3.3", "190.18.1.1", "2a00:db8:1::5", "8.8.8.8"};
    struct buf out;
    (void)state;
    make_loc(&out);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t kept[4];
        memcpy(kept, out.data + rows[i].at, 4);
        put_number(&out, rows[i].at, rows[i].value);
        save("loc.db", buf_slice(&out));
        struct countries *cs = open_two("loc.db", NULL);
        for (size_t k = 0; k < sizeof asked / sizeof *asked; k++) {
            struct address a;
            struct country_info info;
            assert_true(address_parse(slice_str(asked[k]), &a));
            countries_lookup(cs, &a, &info);
        }
        assert_true(countries_failed(cs) > 0);
        countries_close(&cs);
        memcpy(out.data + rows[i].at, kept, 4);
    }
    buf_free(&out);
}

static void damaged_libloc(void **state)
{
    /* Big-endian numbers of 4 bytes that are put in. Nodes: zero, one, network. */
    static const struct {
        size_t at;
        uint32_t value;
        const char *why;
    } rows[] = {
        {28, 0x7ffff000, "systems behind the end"},
        {28, LOC_AS + 1, "systems at no page"},
        {32, 9, "half a system"},
        {44, 0xfffff000, "tree behind the end"},
        {48, 0, "no tree"},
        {64, 0, "no texts"},
        {64, 3, "a text without an end"},
        {20, 4000, "a description behind the texts"},
        {LOC_AS + 4, 4000, "a name behind the texts"},
    };
    struct buf out;
    (void)state;
    make_loc(&out);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t kept[4];
        memcpy(kept, out.data + rows[i].at, 4);
        put_number(&out, rows[i].at, rows[i].value);
        refused(-EBADMSG, "loc.db", buf_slice(&out), rows[i].why);
        memcpy(out.data + rows[i].at, kept, 4);
    }
    static const size_t cuts[] = {7, 8, 60, 4199, LOC_POOL, LOC_TREE, LOC_TREE + 100};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
        refused(-EBADMSG, "loc.db", slice_sub(buf_slice(&out), 0, cuts[i]), "cut");
    refused(-EBADMSG, "loc.db", slice_sub(buf_slice(&out), 0, out.len - 1), "cut by one byte");
    static const size_t parts[][2] = {
        {0, 76}, {LOC_AS, LOC_AS + 16}, {LOC_NETWORKS, LOC_NETWORKS + 48}, {LOC_POOL, LOC_POOL + 20}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        every_byte("loc.db", &out, parts[i][0], parts[i][1]);
    every_byte("loc.db", &out, LOC_TREE, out.len);
    out.data[7] = 9;
    refused(-EPROTONOSUPPORT, "loc.db", buf_slice(&out), "another version");
    buf_free(&out);
}

/* A chain of 129 nodes below the first is deeper than an address has bits. */
static void libloc_too_deep(void **state)
{
    struct buf out;
    (void)state;
    for (uint32_t levels = 128; levels <= 129; levels++) {
        tree_begin(6);
        for (uint32_t i = 0; i < levels; i++)
            tree.child[i][i && i % 2 == 0 && i < 128] = i + 1;
        tree.count = levels + 1;
        loc_finish(&out, (struct slice){0}, (struct slice){0}, (struct slice){(const uint8_t *)"", 1});
        save("loc.db", buf_slice(&out));
        struct countries *cs = open_two("loc.db", NULL);
        check(cs, "2aaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa", "");
        assert_int_equal(countries_failed(cs), levels == 129);
        countries_close(&cs);
        buf_free(&out);
    }
}

static void libloc_of_debian(void **state)
{
    struct countries *cs = NULL;
    (void)state;
    assert_int_equal(countries_open(NULL, 0, COUNTRIES_DEFAULT, &cs, &error), 0);
    if (!cs) {
        print_message("# skipped: %s is not there (Debian's package libloc-database)\n", COUNTRIES_DEFAULT);
        skip();
    }
    static const char *const none[] = {"192.0.2.1", "198.51.100.7", "203.0.113.9", "198.18.1.1",
                                       "2001:db8::1"};
    check(cs, "8.8.8.8", "US 15169 GOOGLE");
    struct address a;
    struct country_info info;
    assert_true(address_parse(slice_str("193.0.6.139"), &a) && countries_lookup(cs, &a, &info));
    assert_string_equal(info.country, "NL");
    assert_int_equal(info.asn, 3333);
    assert_true(address_parse(slice_str("2001:4860:4860::8888"), &a) && countries_lookup(cs, &a, &info));
    assert_int_equal(info.asn, 15169);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        check(cs, none[i], "");
    assert_int_equal(countries_failed(cs), 0);
    countries_close(&cs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libloc_made_by_hand), cmocka_unit_test(damaged_libloc),
        cmocka_unit_test(damaged_tree),        cmocka_unit_test(libloc_too_deep),
        cmocka_unit_test(libloc_of_debian),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
