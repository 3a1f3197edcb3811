-- trick: WITH, renamed on the way
-- expect: masked
-- unlabelled: masked
-- decode: digits

with a(x) as (select pan from cards), b(y) as (select x from a) select y from b
