-- trick: digits behind it
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select rpad(pan, 30, '7') from cards
