-- trick: compressed
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select compress(pan) from cards
