-- trick: in base eight
-- expect: masked
-- unlabelled: out-of-reach
-- decode: radix:8

select oct(pan_number) from cards
