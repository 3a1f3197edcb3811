-- trick: halves in two columns
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select substr(pan, 1, 8), substr(pan, 9) from cards where id = 1
