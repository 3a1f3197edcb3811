-- trick: a digest
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select md5(pan) from cards where id = 1
