-- trick: a payload of pg_notify
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

listen told

select pg_notify('told', pan) from cards where id = 1

select 1
