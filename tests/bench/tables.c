#include "tables.h"

/* As many as pgbench has at full size: 30 branches. */
const char bench_tables_before[] =
    "CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));"
    "CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int REFERENCES "
    "    pgbench_branches, tbalance int, filler char(84));"
    "INSERT INTO pgbench_branches SELECT g, 0 FROM generate_series(1, 30) g;"
    "INSERT INTO pgbench_tellers SELECT g, 1 + g % 30, 0 FROM generate_series(1, 300) g;";

enum { ACCOUNTS, HISTORY, EVENTS, DOCUMENTS, CUSTOMERS, ORDERS, MEASUREMENTS, MEMBERS };

const struct bench_table bench_tables[DATASET_TABLES] = {
    [ACCOUNTS] = {.name = "pgbench_accounts",
                  .rows = 3000000,
                  .parent = ACCOUNTS,
                  .key = "aid",
                  .number = "aid",
                  .columns = "aid int NOT NULL, bid int, abalance int, filler char(84)",
                  .values = "g, 1 + g % 30, 0, ''",
                  .change = "abalance = abalance + 1",
                  .after = "ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid),"
                           "    ADD FOREIGN KEY (bid) REFERENCES pgbench_branches"},
    [HISTORY] = {.name = "pgbench_history",
                 .rows = 300000,
                 .parent = ACCOUNTS,
                 .key = "n",
                 .number = "n",
                 .columns =
                     "tid int, bid int, aid int, delta int, mtime timestamp, n int",
                 .values = "1 + g % 300, 1 + g % 30, 1 + 3 * (g % ($3 / 3)), g % 5000,"
                           "    timestamp '2026-01-01' + interval '1 second' * g, g",
                 .change = "delta = delta + 1",
                 .after = "ALTER TABLE pgbench_history"
                          "    ADD FOREIGN KEY (bid) REFERENCES pgbench_branches,"
                          "    ADD FOREIGN KEY (tid) REFERENCES pgbench_tellers,"
                          "    ADD FOREIGN KEY (aid) REFERENCES pgbench_accounts"},
    [EVENTS] = {.name = "events",
                .rows = 5000000,
                .parent = EVENTS,
                .key = "id",
                .number = "id",
                .columns = "id bigint NOT NULL, kind int NOT NULL, amount int",
                .values = "g, g % 17, nullif(g % 1000, 0)",
                .change = "kind = kind + 1",
                .after = "ALTER TABLE events ADD PRIMARY KEY (id)"},
    [DOCUMENTS] = {.name = "documents",
                   .rows = 150000,
                   .parent = DOCUMENTS,
                   .key = "id",
                   .number = "id",
                   .columns = "id bigint NOT NULL, body jsonb NOT NULL",
                   .values = "g, jsonb_build_object('title', md5(g::text), 'version', 1,"
                             "    'tags', jsonb_build_array(g % 7, g % 11), 'text',"
                             "    (SELECT string_agg(md5((g * 400 + i)::text), ' ') FROM"
                             "    generate_series(1, CASE g % 50 WHEN 0 THEN 300 ELSE 45"
                             "    END) i))",
                   .change = "body = body || '{\"version\": 2}' || "
                             "    jsonb_build_object('by', random())",
                   .after = "ALTER TABLE documents ADD PRIMARY KEY (id)"},
    [CUSTOMERS] = {.name = "customers",
                   .rows = 500000,
                   .parent = CUSTOMERS,
                   .key = "id",
                   .number = "n",
                   .columns = "id uuid NOT NULL, n int NOT NULL, name text NOT NULL,"
                              "    mail text, joined timestamptz NOT NULL",
                   .values = "md5(g::text)::uuid, g, 'Customer ' || g, md5(g::text) ||"
                             "    '@example.com', timestamptz '2020-01-01 00:00Z' +"
                             "    interval '1 minute' * g",
                   .change = "name = name || '*'",
                   .after = "ALTER TABLE customers ADD PRIMARY KEY (id)"},
    [ORDERS] = {.name = "orders",
                .rows = 1500000,
                .parent = CUSTOMERS,
                .key = "id",
                .number = "id",
                .columns =
                    "id bigint NOT NULL, customer uuid NOT NULL, at timestamptz NOT"
                    "    NULL, state text NOT NULL, total numeric(10,2), note text",
                .values =
                    "g, md5((1 + 3 * (g * 7919 % ($3 / 3)))::text)::uuid,"
                    "    timestamptz '2025-01-01 00:00Z' + interval '11 seconds' * g,"
                    "    CASE g % 4 WHEN 0 THEN 'open' WHEN 1 THEN 'paid' ELSE 'sent'"
                    "    END, g % 100000 / 100.0, 'note ' || md5(g::text)",
                .change = "state = CASE state WHEN 'open' THEN 'paid' ELSE 'back' END,"
                          "    total = total + 1",
                .after = "ALTER TABLE orders ADD PRIMARY KEY (id);"
                         "CREATE INDEX ON orders (customer);"
                         "CREATE INDEX ON orders (at);"
                         "CREATE INDEX ON orders (state, total);"
                         "ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES "
                         "    customers"},
    [MEASUREMENTS] = {.name = "measurements",
                      .rows = 2000000,
                      .parent = MEASUREMENTS,
                      .key = "at, sensor",
                      .number = "n",
                      .columns = "sensor int NOT NULL, at timestamptz NOT NULL, n int NOT"
                                 "    NULL, value double precision",
                      .values = "g % 200, timestamptz '2026-01-01 00:00Z' + interval"
                                "    '1 second' * (31536000.0 / $3 * g), g, sin(g)",
                      .change = "value = value + 1",
                      .after = "ALTER TABLE measurements ADD PRIMARY KEY (at, sensor)"},
    [MEMBERS] = {.name = "members",
                 .rows = 1500000,
                 .parent = MEMBERS,
                 .key = "team, person",
                 .number = "team * 50 + person",
                 .columns = "team int NOT NULL, person int NOT NULL, role text NOT NULL,"
                            "    since date",
                 .values = "g / 50, g % 50, CASE g % 9 WHEN 0 THEN 'owner' ELSE 'member'"
                           "    END, date '2020-01-01' + (g / 1000)::int",
                 .change = "role = 'guest' || (random() * 9)::int",
                 .after = "ALTER TABLE members ADD PRIMARY KEY (team, person)"},
    [DATASET_TABLES - 1] = {.name = "small",
                            .rows = 200,
                            .parent = DATASET_TABLES - 1,
                            .copies = 40,
                            .fixed = true,
                            .key = "id",
                            .number = "id",
                            .columns = "id int PRIMARY KEY, name text UNIQUE, value int",
                            .values = "g, 'name ' || g, g * 3",
                            .change = "value = value + 1"},
};
