-- revtwin: no-transaction
savepoint a;
vacuum t;
set local a = 1;
