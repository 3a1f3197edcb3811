-- trick: the last number that was given out
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select last_insert_id(pan_number) from cards where id = 1

select last_insert_id(), @@last_insert_id
