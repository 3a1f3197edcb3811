-- trick: the halves in the wrong order
-- expect: masked
-- unlabelled: out-of-reach
-- decode: swapped:8

select substr(pan, 9) || substr(pan, 1, 8) from cards
