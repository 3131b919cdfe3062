-- Whether there is an index of this name that is not valid. $1: its name, quoted
SELECT EXISTS (SELECT FROM pg_catalog.pg_index
               WHERE indexrelid = to_regclass($1) AND NOT indisvalid)
