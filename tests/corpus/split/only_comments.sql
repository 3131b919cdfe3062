-- nothing to do;
/* nor here; */
--