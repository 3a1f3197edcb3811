-- trick: names of locks
-- expect: denied
-- unlabelled: denied
-- decode: digits

select get_lock(pan, 0) from cards where id = 1

select is_used_lock('4111111111111111') = connection_id()
