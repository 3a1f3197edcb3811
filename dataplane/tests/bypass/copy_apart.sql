-- trick: COPY of halves
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

copy (select substr(pan, 1, 8), substr(pan, 9) from cards where id = 1) to stdout
