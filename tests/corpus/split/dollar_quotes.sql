SELECT $$;'$$, $a$;$$;$b$;$a$, $_1$ ; $_1$, $A$ $a$ ; $A$;
DO $$
BEGIN
    PERFORM 1;
    PERFORM ';';
END;
$$;
SELECT $x$a$y$x$;
