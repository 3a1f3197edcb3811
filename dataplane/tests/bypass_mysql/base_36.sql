-- trick: in base thirty-six
-- expect: masked
-- unlabelled: out-of-reach
-- decode: radix:36

select conv(pan_number, 10, 36) from cards
