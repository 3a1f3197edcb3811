-- trick: two halves, one after the other
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select substr(pan, 1, 8) from cards where id = 1

select substr(pan, 9) from cards where id = 1
