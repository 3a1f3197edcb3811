-- trick: a letter put in
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select insert(pan, 9, 0, 'x') from cards
