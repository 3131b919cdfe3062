CREATE TABLE été (größe int, "日本語;" text);
INSERT INTO été VALUES (1, 'naïve; 🦀');
COMMENT ON TABLE été IS $ü$über; alles$ü$;
COPY été FROM STDIN;
2	日本;
\.
