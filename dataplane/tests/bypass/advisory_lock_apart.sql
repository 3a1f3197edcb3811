-- trick: the halves of a lock's key
-- expect: denied
-- unlabelled: denied
-- decode: same

select pg_advisory_lock(pan_number) from cards where id = 1

select classid, objid from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()
