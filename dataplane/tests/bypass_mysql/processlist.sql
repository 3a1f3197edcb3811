-- trick: the list of processes
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select 'card 4111111111111111' as mine, info from information_schema.processlist where id = connection_id()
