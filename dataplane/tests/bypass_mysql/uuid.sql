-- trick: a UUID
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select cast(lpad(pan, 32, '0') as uuid) from cards where id = 1
