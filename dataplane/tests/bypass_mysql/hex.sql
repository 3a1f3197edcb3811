-- trick: in hexadecimal
-- expect: masked
-- unlabelled: out-of-reach
-- decode: hex

select hex(pan) from cards
