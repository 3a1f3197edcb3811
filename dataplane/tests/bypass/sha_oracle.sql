-- trick: a longer digest
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select sha256(pan::bytea) from cards where id = 1
