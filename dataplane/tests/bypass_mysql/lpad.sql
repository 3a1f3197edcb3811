-- trick: digits before it
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select lpad(pan, 24, '0') from cards
