-- trick: a row value of halves
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits joined

select row(substr(pan, 1, 8), substr(pan, 9)) from cards where id = 1
