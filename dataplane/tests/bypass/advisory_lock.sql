-- trick: the key of an advisory lock
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select pg_advisory_lock(pan_number) from cards where id = 1

select (classid::bigint << 32) + objid::bigint from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()
