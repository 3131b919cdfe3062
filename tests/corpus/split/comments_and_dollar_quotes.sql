SELECT $$ /* ; $$, 1 /* $$ ; */, $$ */ ; -- $$, 2 -- $$ ;
;
/* $a$ /* $a$ ; */ $$ */ SELECT $a$ /* /* ; */ $a$ AS x;
DO $do$
BEGIN -- it's; $$
    /* "not $do */
    EXECUTE $x$ SELECT '/* ;', $$--$$ /* */ $x$;
END
$do$;
SELECT $a$$b$;$a$, $$$a$;$$ /* $$ /* $$ */ */, $_$$_$;
