-- trick: other sessions' statements
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select 'card 4111111111111111' as mine, query from pg_stat_activity where pid = pg_backend_pid()
