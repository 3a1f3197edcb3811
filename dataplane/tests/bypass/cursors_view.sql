-- trick: pg_cursors
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: simple

begin; declare c cursor for select '4111111111111111'; select statement from pg_cursors; rollback
