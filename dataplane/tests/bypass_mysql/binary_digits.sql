-- trick: in base two
-- expect: masked
-- unlabelled: out-of-reach
-- decode: radix:2

select bin(pan_number) from cards
