-- trick: three times over
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select repeat(pan, 3) from cards
