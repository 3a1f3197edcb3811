-- trick: the number in hexadecimal
-- expect: masked
-- unlabelled: out-of-reach
-- decode: radix:16

select hex(pan_number) from cards
