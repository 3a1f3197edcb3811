-- trick: a number against another
-- expect: masked
-- unlabelled: out-of-reach
-- decode: xor:12345

select pan_number ^ 12345 from cards
