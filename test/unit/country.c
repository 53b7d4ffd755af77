/* Countries of addresses out of MaxMind DBs made by hand, whole and damaged, one and several. */
#include "country_file_maker.h"

static void nested(const char *net, const char *code)
{
    mmdb_net(net);
    mm_control(&tree.data, MM_MAP, 2);
    mm_text(&tree.data, "registered_country");
    mm_control(&tree.data, MM_MAP, 1);
    mm_text(&tree.data, "iso_code");
    mm_text(&tree.data, "SE");
    mm_text(&tree.data, "country");
    mm_control(&tree.data, MM_MAP, 2);
    mm_key_number(&tree.data, "geoname_id", MM_U32, 2017370, 4);
    mm_text(&tree.data, "iso_code");
    mm_text(&tree.data, code);
}

static void as_net(const char *net, unsigned type, size_t len, uint64_t number, const char *name)
{
    mmdb_net(net);
    mm_control(&tree.data, MM_MAP, 2);
    mm_key_number(&tree.data, "autonomous_system_number", type, number, len);
    mm_text(&tree.data, "autonomous_system_organization");
    mm_text(&tree.data, name);
}

static void trees_of_all_kinds(void **state)
{
    static const int sizes[] = {24, 28, 32};
    (void)state;
    for (int version = 4; version <= 6; version += 2)
        for (size_t i = 0; i < 3; i++) {
            tree_begin(version);
            nested("198.18.1.0/24", "CN");
            nested("198.18.2.0/24", "RU");
            nested("198.18.3.7/32", "US");
            if (version == 6)
                nested("2001:db8:1::/48", "NL");
            save_mmdb("a.mmdb", sizes[i]);
            struct countries *cs = open_two("a.mmdb", NULL);
            check(cs, "198.18.1.0", "CN");
            check(cs, "198.18.1.255", "CN");
            check(cs, "198.18.2.9", "RU");
            check(cs, "198.18.3.7", "US");
            check(cs, "198.18.3.6", "");
            check(cs, "198.18.0.255", "");
            check(cs, "8.8.8.8", "");
            check(cs, "2001:db8:1::9", version == 6 ? "NL" : "");
            check(cs, "2001:db8:2::9", "");
            struct address mapped = {6,
                                     {[10] = 0xff, [11] = 0xff, [12] = 198, [13] = 18, [14] = 2, [15] = 1}};
            struct country_info info;
            assert_true(countries_lookup(cs, &mapped, &info));
            assert_string_equal(info.country, "RU");
            assert_non_null(strstr(countries_describe(cs), "a.mmdb (Made-By-Hand, 2025-08-18)"));
            assert_int_equal(countries_failed(cs), 0);
            countries_close(&cs);
            assert_null(cs);
        }
}

static void styles_of_records(void **state)
{
    char name[401];
    (void)state;
    memset(name, 'n', 254);
    strcpy(name + 254, "\xc3\xa9tranger");
    tree_begin(6);
    FLAT("198.51.100.0/28", "country_code", "US", "asn", "AS15169", "as_name", "Google LLC");
    FLAT("198.51.100.16/28", "country", "United States", "country_code", "us", "asn", "64500");
    FLAT("198.51.100.32/28", "country", "FR", "country_name", "France");
    FLAT("198.51.100.48/28", "country_code", "ZZ", "asn", "ASx1");
    FLAT("198.51.100.64/28", "country_code", "U1", "asn", "AS4294967296");
    FLAT("198.51.100.80/28", "country_code", "", "asn", "");
    FLAT("198.51.100.96/28", "city", "Oslo");
    as_net("203.0.113.0/28", MM_U32, 4, 4200000000, "Big number");
    as_net("203.0.113.16/28", MM_U16, 2, 3333, "RIPE NCC");
    as_net("203.0.113.32/28", MM_U64, 8, 64501, "");
    as_net("203.0.113.48/28", MM_I32, 4, 64502, name);
    as_net("203.0.113.64/28", MM_U32, 1, 0, "nobody");
    save_mmdb("a.mmdb", 24);
    struct countries *cs = open_two("a.mmdb", NULL);
    for (int again = 0; again < 2; again++) { /* the second time from memory */
        check(cs, "198.51.100.1", "US 15169 Google LLC");
        check(cs, "198.51.100.17", "US 64500");
        check(cs, "198.51.100.33", "FR");
        check(cs, "198.51.100.49", "");
        check(cs, "198.51.100.65", "");
        check(cs, "198.51.100.81", "");
        check(cs, "198.51.100.97", "");
        check(cs, "203.0.113.1", " 4200000000 Big number");
        check(cs, "203.0.113.17", " 3333 RIPE NCC");
        check(cs, "203.0.113.33", " 64501");
        check(cs, "203.0.113.65", "");
        struct address a;
        struct country_info info;
        assert_true(address_parse(slice_str("203.0.113.49"), &a) && countries_lookup(cs, &a, &info));
        assert_int_equal(info.as_name.len, 254); /* no half of the letter of two bytes */
    }
    assert_int_equal(countries_failed(cs), 0);
    countries_close(&cs);
}

static void several_files(void **state)
{
    char paths[5][PATH];
    struct countries *cs = NULL;
    (void)state;
    tree_begin(4);
    nested("198.18.0.0/16", "CN");
    save_mmdb("a.mmdb", 24);
    tree_begin(6);
    FLAT("198.0.0.0/8", "country_code", "RU", "asn", "AS64500", "as_name", "Example");
    save_mmdb("b.mmdb", 32);
    for (size_t i = 0; i < 5; i++)
        path_of(i % 2 ? "b.mmdb" : "a.mmdb", paths[i]);
    cs = open_two("a.mmdb", "b.mmdb");
    check(cs, "198.18.5.5", "CN 64500 Example");
    check(cs, "198.51.100.1", "RU 64500 Example");
    countries_close(&cs);
    cs = open_two("b.mmdb", "a.mmdb");
    check(cs, "198.18.5.5", "RU 64500 Example");
    countries_close(&cs);
    const char *const five[] = {paths[0], paths[1], paths[2], paths[3], paths[4]};
    assert_int_equal(countries_open(five, 4, NULL, &cs, &error), 0);
    countries_close(&cs);
    assert_int_equal(countries_open(five, 5, NULL, &cs, &error), -E2BIG);
    assert_null(cs);
}

static void no_database(void **state)
{
    char path[PATH];
    struct countries *cs = (struct countries *)path;
    (void)state;
    path_of("no.mmdb", path);
    assert_int_equal(countries_open((const char *[]){"", NULL}, 2, path, &cs, &error), 0);
    assert_null(cs);
    check(cs, "8.8.8.8", "");
    assert_non_null(strstr(countries_describe(cs), "no country database"));
    assert_int_equal(countries_failed(cs), 0);
    countries_close(&cs);
    assert_int_equal(countries_open(NULL, 0, NULL, &cs, &error), 0);
    assert_null(cs);
    assert_int_equal(countries_open((const char *[]){path}, 1, COUNTRIES_DEFAULT, &cs, &error), -ENOENT);
    assert_null(cs);
    assert_non_null(strstr(error.text, "no.mmdb"));
}

static void addresses_without_a_country(void **state)
{
    static const char *const none[] = {
        "10.1.2.3",   "127.0.0.1",       "172.16.0.1", "192.168.1.1",     "169.254.1.1", "0.1.2.3",
        "100.64.0.1", "100.127.255.255", "224.0.0.1",  "255.255.255.255", "::",          "::1",
        "::8.8.8.8",  "fe80::1",         "fd00::1",    "ff02::1",         "64:ff9b::1",  "::ffff:10.0.0.1"};
    static const char *const some[] = {"8.8.8.8",         "100.63.255.255", "100.128.0.0", "172.32.0.1",
                                       "223.255.255.255", "2001:4860::1",   "3fff:ffff::1"};
    (void)state;
    tree_begin(6);
    nested("::/0", "CH");
    save_mmdb("a.mmdb", 24);
    struct countries *cs = open_two("a.mmdb", NULL);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        check(cs, none[i], "");
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        check(cs, some[i], "CH");
    struct country_info info;
    assert_false(countries_lookup(cs, &(struct address){0}, &info));
    countries_close(&cs);
}

/* Many more addresses than are remembered, twice, each with its own answer. */
static void memory_mixes_nothing_up(void **state)
{
    (void)state;
    tree_begin(6);
    for (int i = 0; i < 40; i++) {
        char net[40], code[3] = {'A', (char)('A' + i % 26), 0};
        snprintf(net, sizeof net, i < 20 ? "2001:db8:%x::/48" : "198.51.%d.0/24", i);
        nested(net, code);
    }
    save_mmdb("a.mmdb", 28);
    struct countries *cs = open_two("a.mmdb", NULL);
    for (int round = 0; round < 2; round++)
        for (int host = 0; host < 50; host++)
            for (int i = 0; i < 40; i++) {
                char text[50], code[3] = {'A', (char)('A' + i % 26), 0};
                snprintf(text, sizeof text, i < 20 ? "2001:db8:%x::%d" : "198.51.%d.%d", i, host);
                check(cs, text, code);
            }
    countries_close(&cs);
}

static void damaged_mmdb(void **state)
{
    struct buf out;
    (void)state;
    tree_begin(6);
    nested("198.18.1.0/24", "CN");
    as_net("198.18.2.0/24", MM_U32, 4, 64500, "Example");
    mmdb_net("198.18.3.0/24");
    mm_control(&tree.data, MM_MAP, 1);
    mm_text(&tree.data, "country_code");
    be(&tree.data, 0x3fffffff, 4); /* a pointer far behind the data */
    mmdb_finish(&out, 24);
    save("a.mmdb", buf_slice(&out));
    struct countries *cs = open_two("a.mmdb", NULL);
    check(cs, "198.18.1.1", "CN");
    check(cs, "198.18.3.1", "");
    check(cs, "198.18.3.1", "");
    assert_int_equal(countries_failed(cs), 1);
    countries_close(&cs);

    struct slice whole = buf_slice(&out);
    refused(-EBADMSG, "a.mmdb", slice_sub(whole, 0, 0), "empty");
    refused(-EBADMSG, "a.mmdb", slice_str("LOCDB"), "five letters");
    refused(-EBADMSG, "a.mmdb", slice_str("198.18.1.0/24 CN\n"), "a text");
    refused(-EBADMSG, "a.mmdb", slice_sub(whole, 0, whole.len / 2), "its first half");
    refused(-EBADMSG, "a.mmdb", slice_sub(whole, whole.len - 200, whole.len), "metadata alone");
    for (size_t n = whole.len - 180; n < whole.len; n++) { /* cut anywhere: refused, or harmless */
        char path[PATH];
        save("a.mmdb", slice_sub(whole, 0, n));
        path_of("a.mmdb", path);
        if (countries_open((const char *[]){path}, 1, NULL, &cs, &error) == 0)
            countries_close(&cs);
    }
    /* Behind that libmaxminddb loses some memory when it refuses the file. */
    every_byte("a.mmdb", &out, 0, slice_find(whole, "languages"));
    struct countries *none = NULL;
    assert_int_equal(countries_open((const char *[]){folder}, 1, NULL, &none, &error), -EISDIR);
    assert_int_equal(countries_open((const char *[]){"/dev/null"}, 1, NULL, &none, &error), -EINVAL);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_of_all_kinds),
        cmocka_unit_test(styles_of_records),
        cmocka_unit_test(several_files),
        cmocka_unit_test(no_database),
        cmocka_unit_test(addresses_without_a_country),
        cmocka_unit_test(memory_mixes_nothing_up),
        cmocka_unit_test(damaged_mmdb),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
