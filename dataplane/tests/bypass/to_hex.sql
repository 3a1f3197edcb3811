-- trick: the number in hexadecimal
-- expect: masked
-- unlabelled: out-of-reach
-- decode: radix:16

select to_hex(pan_number) from cards
