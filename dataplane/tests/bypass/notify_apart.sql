-- trick: a payload backwards
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: reversed

listen apart

select pg_notify('apart', reverse(pan)) from cards where id = 1

select 1
