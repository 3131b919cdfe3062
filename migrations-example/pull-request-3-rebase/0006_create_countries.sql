CREATE TABLE countries (
    code char(2) PRIMARY KEY,
    name text NOT NULL,
    note text
);

COPY countries (code, name, note) FROM stdin;
AT	Österreich	\N
CH	Schweiz; Suisse; Svizzera	four languages
GB	United Kingdom	\N
JP	日本	\N
US	United States	it's 50 states
\.
