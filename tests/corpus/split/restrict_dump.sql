--
-- PostgreSQL database dump
--

\restrict Fg7kQm9vQ0JHbzN1c2VkVG9rZW4

-- Dumped from database version 15.18

SET statement_timeout = 0;
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

CREATE TABLE public.t (a integer, b text DEFAULT '\restrict'::text);

COPY public.t (a, b) FROM stdin;
1	\\restrict x
2	\\unrestrict Fg7kQm9vQ0JHbzN1c2VkVG9rZW4
\.


--
-- PostgreSQL database dump complete
--

\unrestrict Fg7kQm9vQ0JHbzN1c2VkVG9rZW4

