-- trick: packed into a uuid
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select lpad(pan, 32, '0')::uuid from cards
