-- trick: WITH that computes, renamed on the way
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

with a(x, y) as (select substr(pan, 1, 8), substr(pan, 9) from cards where id = 1) select x as b, y as a from a
