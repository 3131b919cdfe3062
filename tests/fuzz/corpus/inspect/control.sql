begin; commit and chain; start transaction read only; rollback and no chain; abort; end;
prepare transaction 'x'; commit prepared 'x'; rollback prepared 'x'; set transaction read only;
begin foo; commit /* x */ foo;
