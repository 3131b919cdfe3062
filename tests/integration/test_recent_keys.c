/* Keys that are equal, and yet not the same, for deltas that trust a receipt: a row is
 * never given another key in place, which a foreign key would follow. */
#include "follow.h"

#define PROD(sql) cluster_exec(&prod_server, "shop", sql)

/* Production changes rows after the receipt; nothing is missed. */
static void expect_followed(struct follow *f, const char *both, const char *prod)
{
    follow_both(f, both);
    follow_delta(f, false);
    PROD(prod);
    follow_delta(f, false);
    assert_int_not_equal(f->delta.tables_changed, 0);
    follow_delta(f, true);
    assert_null(f->delta.missed);
}

static void another_scale(void **state)
{
    expect_followed(*state,
                    "create table p (n numeric primary key, v text);"
                    "create table c (id int primary key, n numeric references p"
                    "    on update cascade);"
                    "insert into p select n, 'x' from generate_series(1, 100) n;"
                    "insert into c select n, n from generate_series(1, 100) n",
                    "update p set n = n + 0.00 where n < 4");
}

/* Production's trigger was off: on the twin none may set it NULL, either. */
static void another_scale_that_nobody_followed(void **state)
{
    expect_followed(*state,
                    "create table p (n numeric primary key, v text);"
                    "create table c (id int primary key, n numeric references p"
                    "    on update set null);"
                    "insert into p select n, 'x' from generate_series(1, 100) n;"
                    "insert into c select n, n from generate_series(1, 100) n",
                    "alter table p disable trigger all;"
                    "update p set n = n + 0.00 where n < 4;"
                    "alter table p enable trigger all");
}

static void another_case(void **state)
{
    struct follow *f = *state;

    follow_both(f, "create collation ci (provider = icu, locale = 'und-u-ks-level2',"
                   "    deterministic = false)");
    expect_followed(f,
                    "create table p (n text collate ci primary key, v text);"
                    "create table c (id int primary key, n text collate ci references p"
                    "    on update cascade);"
                    "insert into p select 'a' || n, 'x' from generate_series(1, 100) n;"
                    "insert into c select n, 'a' || n from generate_series(1, 100) n",
                    "update p set n = upper(n), v = 'y' where n in ('a4', 'a5')");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        follow_test(another_scale),
        follow_test(another_scale_that_nobody_followed),
        follow_test(another_case),
    };

    return cmocka_run_group_tests_name("recent: keys", tests, follow_start_servers,
                                       follow_stop_servers);
}
