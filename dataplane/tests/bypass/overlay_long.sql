-- trick: a sentence in the middle
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select substr(pan, 1, 8) || ' and then there is ' || substr(pan, 9) from cards
