CREATE TABLE t ( -- the table;
    a int, /* first; */
    -- a line of its own;
    b int /* second
    over lines; */
);
