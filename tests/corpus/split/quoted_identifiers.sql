CREATE TABLE "a;b" ("it's" int, "x""y;" int, "--" int, "/*" int, "over
lines;" int);
INSERT INTO "a;b" ("it's") VALUES (1);
