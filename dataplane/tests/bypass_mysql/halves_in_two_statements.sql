-- trick: halves in two statements
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select left(pan, 8) from cards where id = 1

select right(pan, 8) from cards where id = 1
