-- trick: how long it takes
-- expect: denied
-- unlabelled: denied
-- decode: same

select pg_sleep(0.01 * substr(pan, 1, 1)::int) from cards where id = 1
